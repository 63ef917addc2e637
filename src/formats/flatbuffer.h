#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "formats/protobuf.h"

// Reads FlatBuffers (flatbuffers.dev/internals) from a Source without a schema: tables by the numbers of
// their fields. Every offset is checked against the source before it is followed. Not thread-safe.

namespace holdfast::formats {

struct FlatTable {
  std::uint64_t position = 0;
  std::uint64_t vtable = 0;
  std::uint16_t vtable_size = 0;
};

struct FlatVector {
  std::uint64_t position = 0;  // of the first element
  std::uint32_t count = 0;
};

// All fail with kDataCorrupt where an offset leaves the source.
class FlatReader {
 public:
  explicit FlatReader(const Source& source) : buffer_(source) {}

  base::Result<FlatTable> root();
  // A scalar of `width` bytes, zero-extended; `otherwise` where the table leaves the field out.
  base::Result<std::uint64_t> scalar(const FlatTable& table, unsigned field, std::size_t width,
                                     std::uint64_t otherwise = 0);
  base::Result<std::optional<FlatTable>> table(const FlatTable& table, unsigned field);
  // Elements of `width` bytes; none where the table leaves the field out.
  base::Result<FlatVector> vector(const FlatTable& table, unsigned field, std::size_t width);
  base::Result<FlatTable> element(const FlatVector& tables, std::uint32_t index);
  // kLimitExceeded beyond `max_size` bytes; empty where the table leaves the field out.
  base::Result<std::string> text(const FlatTable& table, unsigned field, std::size_t max_size);

 private:
  base::Result<std::uint64_t> number(std::uint64_t at, std::size_t width);
  base::Result<FlatTable> table_at(std::uint64_t position);
  // Where the field's value lies; 0 where it is left out.
  base::Result<std::uint64_t> field_at(const FlatTable& table, unsigned field);
  base::Result<std::uint64_t> follow(std::uint64_t at);
  [[nodiscard]] std::uint64_t size() const { return buffer_.source().size(); }

  WireBuffer buffer_;
};

}  // namespace holdfast::formats
