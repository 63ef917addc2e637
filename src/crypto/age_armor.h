#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/stream.h"

// age's ASCII armor (age.md, "ASCII armor": strict PEM of RFC 7468, section 3). Used by one thread at a time.

namespace holdfast::crypto {

// The bytes in an armored text. White space of up to 1024 bytes may stand before and after the armor, and
// lines may end in CR LF; any other liberty is kDataCorrupt, seen before the end is told.
class AgeArmorReader final : public Reader {
 public:
  explicit AgeArmorReader(LineReader& armored) : armored_(&armored) {}
  AgeArmorReader(const AgeArmorReader&) = delete;
  AgeArmorReader& operator=(const AgeArmorReader&) = delete;
  base::Result<std::size_t> read(base::MutableByteView buffer) override;

 private:
  enum class Place { kBefore, kInside, kLastLine, kAfter };

  base::Result<std::string> next_line(std::size_t max_bytes);
  base::Result<> skip_to_body();
  base::Result<> next_bytes();
  base::Result<> finish();

  LineReader* armored_;
  Place place_ = Place::kBefore;
  base::Bytes line_;
  base::ByteView rest_;
};

// Writes armor around what it is given.
class AgeArmorWriter final : public Writer {
 public:
  explicit AgeArmorWriter(Writer& out) : out_(&out) {}
  base::Result<> write(base::ByteView bytes) override;
  // Ends the text. To be called once, last.
  base::Result<> finish();

 private:
  Writer* out_;
  bool begun_ = false;
  base::Bytes pending_;  // less than a line
};

}  // namespace holdfast::crypto
