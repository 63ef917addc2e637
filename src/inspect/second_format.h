#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "formats/source.h"

// A stream whose beginning was read to see what it is, and what else it may be: formats that loaders find
// where a file does not begin with them: zip by its end, HDF5 after a block of 512 bytes, 1024, and so on.
// Watches for them in a stream that is read as what it begins with.

namespace holdfast::inspect {

// The beginning of a stream that was read to see what it is, then the rest of it.
class ResumedStream final : public formats::Stream {
 public:
  ResumedStream(base::ByteView head, formats::Stream& rest) : head_(head), rest_(&rest) {}
  base::Result<std::size_t> read(base::MutableByteView buffer) override {
    if (head_.empty()) return rest_->read(buffer);
    const std::size_t count = std::min(buffer.size(), head_.size());
    std::copy_n(head_.begin(), count, buffer.begin());
    head_ = head_.subspan(count);
    return count;
  }

 private:
  base::ByteView head_;
  formats::Stream* rest_;
};

// Appends to `bytes` until it has `size` of them or the stream ends.
base::Result<> read_up_to(formats::Stream& stream, std::size_t size, base::Bytes& bytes);

// Passes a stream on, which must outlive it.
class SecondFormatStream final : public formats::Stream {
 public:
  explicit SecondFormatStream(formats::Stream& below) : below_(&below) {}

  base::Result<std::size_t> read(base::MutableByteView buffer) override;
  // Reads what is left. What can't be read, nobody finds anything in.
  void drain();
  // True also by chance, once in some gigabytes.
  [[nodiscard]] bool seen() const { return seen_; }

 private:
  void watch(base::ByteView bytes);

  formats::Stream* below_;
  std::string window_;       // the last bytes before those at hand, then those
  std::uint64_t begin_ = 0;  // where the window begins
  bool seen_ = false;
};

}  // namespace holdfast::inspect
