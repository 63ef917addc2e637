#pragma once

#include <cstdint>

#include "formats/source.h"

// Text in UTF-16, as programs on Windows write it: read as UTF-8, so that what is known of text holds for it.

namespace holdfast::inspect {

enum class Utf16 : std::uint8_t { kNone, kLittle, kBig };

// By a byte order mark, or by a beginning of whole characters of which most are ASCII.
Utf16 utf16_of(base::ByteView beginning);

// What cannot be decoded becomes U+FFFD. `stream` outlives it.
class Utf16Stream final : public formats::Stream {
 public:
  Utf16Stream(formats::Stream& stream, Utf16 order) : stream_(&stream), order_(order) {}
  base::Result<std::size_t> read(base::MutableByteView buffer) override;

 private:
  base::Result<> more();
  void put(std::uint32_t character);

  formats::Stream* stream_;
  Utf16 order_;
  base::Bytes ready_;  // UTF-8, from next_ on
  std::size_t next_ = 0;
  base::Bytes odd_;              // a byte without its other half
  std::uint32_t surrogate_ = 0;  // the first of two
  bool first_ = true;
  bool ended_ = false;
};

}  // namespace holdfast::inspect
