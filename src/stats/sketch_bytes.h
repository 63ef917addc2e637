#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

#include "base/bytes.h"
#include "base/result.h"

// The byte form that sketches share: a letter for the kind, version 1, then fields. Integers are
// little-endian, or unsigned LEB128 ("varint") where they are mostly small; doubles are the bits of IEEE 754,
// little-endian. There is one form for each state, and readers refuse every other.

namespace holdfast::stats {

void append_head(base::Bytes& to, char kind);
void append_varint(base::Bytes& to, std::uint64_t value);
void append_double(base::Bytes& to, double value);

// Takes fields off the front of bytes that the caller keeps alive. Each verb fails with kDataCorrupt.
class SketchReader {
 public:
  // `name` says in messages what is read: "histogram".
  SketchReader(base::ByteView bytes, std::string_view name) : rest_(bytes), name_(name) {}

  base::Result<> head(char kind);
  template <typename T>
    requires std::is_unsigned_v<T>
  base::Result<T> integer() {
    HF_TRY(const base::ByteView field, take(sizeof(T)));
    return base::load_le<T>(field);
  }
  base::Result<std::uint64_t> varint(std::uint64_t at_most = UINT64_MAX);
  base::Result<double> number();
  base::Result<base::ByteView> take(std::size_t size);
  // Nothing is left.
  base::Result<> end() const;

  // kDataCorrupt unless `condition`: "the histogram is damaged: <what>".
  base::Result<> require(bool condition, std::string_view what) const;

 private:
  base::ByteView rest_;
  std::string_view name_;
};

}  // namespace holdfast::stats
