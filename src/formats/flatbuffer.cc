#include "formats/flatbuffer.h"

#include <fmt/format.h>

namespace holdfast::formats {

using base::ErrorCode;
using base::fail;
using base::Result;

namespace {

tl::unexpected<base::Error> outside(std::uint64_t at) {
  return fail(ErrorCode::kDataCorrupt,
              fmt::format("the FlatBuffer has an offset at byte {} that leaves the file", at));
}

}  // namespace

Result<std::uint64_t> FlatReader::number(std::uint64_t at, std::size_t width) {
  if (at > size() || width > size() - at) return outside(at);
  HF_TRY(const base::ByteView bytes, buffer_.at(at, width));
  if (bytes.size() < width) return outside(at);
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < width; ++i) value |= std::uint64_t{bytes[i]} << (8 * i);
  return value;
}

Result<std::uint64_t> FlatReader::follow(std::uint64_t at) {
  HF_TRY(const std::uint64_t offset, number(at, 4));
  if (offset == 0 || offset > size() - at) return outside(at);
  return at + offset;
}

Result<FlatTable> FlatReader::table_at(std::uint64_t position) {
  HF_TRY(const std::uint64_t back, number(position, 4));
  const auto signed_back = std::int64_t{static_cast<std::int32_t>(static_cast<std::uint32_t>(back))};
  const std::int64_t vtable = static_cast<std::int64_t>(position) - signed_back;
  if (vtable < 0) return outside(position);
  FlatTable table{.position = position, .vtable = static_cast<std::uint64_t>(vtable)};
  HF_TRY(const std::uint64_t vtable_size, number(table.vtable, 2));
  if (vtable_size < 4 || vtable_size % 2 != 0 || vtable_size > size() - table.vtable)
    return outside(table.vtable);
  table.vtable_size = static_cast<std::uint16_t>(vtable_size);
  return table;
}

Result<FlatTable> FlatReader::root() {
  HF_TRY(const std::uint64_t position, follow(0));
  return table_at(position);
}

Result<std::uint64_t> FlatReader::field_at(const FlatTable& table, unsigned field) {
  const std::uint64_t slot = 4 + 2 * std::uint64_t{field};
  if (slot + 2 > table.vtable_size) return std::uint64_t{0};
  HF_TRY(const std::uint64_t offset, number(table.vtable + slot, 2));
  return offset == 0 ? 0 : table.position + offset;
}

Result<std::uint64_t> FlatReader::scalar(const FlatTable& table, unsigned field, std::size_t width,
                                         std::uint64_t otherwise) {
  HF_TRY(const std::uint64_t at, field_at(table, field));
  if (at == 0) return otherwise;
  return number(at, width);
}

Result<std::optional<FlatTable>> FlatReader::table(const FlatTable& table, unsigned field) {
  HF_TRY(const std::uint64_t at, field_at(table, field));
  if (at == 0) return std::nullopt;
  HF_TRY(const std::uint64_t position, follow(at));
  HF_TRY(const FlatTable found, table_at(position));
  return found;
}

Result<FlatVector> FlatReader::vector(const FlatTable& table, unsigned field, std::size_t width) {
  HF_TRY(const std::uint64_t at, field_at(table, field));
  if (at == 0) return FlatVector{};
  HF_TRY(const std::uint64_t position, follow(at));
  HF_TRY(const std::uint64_t count, number(position, 4));
  if (count * width > size() - position - 4) return outside(position);
  return FlatVector{.position = position + 4, .count = static_cast<std::uint32_t>(count)};
}

Result<FlatTable> FlatReader::element(const FlatVector& tables, std::uint32_t index) {
  HF_TRY(const std::uint64_t position, follow(tables.position + 4 * std::uint64_t{index}));
  return table_at(position);
}

Result<std::string> FlatReader::text(const FlatTable& table, unsigned field, std::size_t max_size) {
  HF_TRY(const FlatVector bytes, vector(table, field, 1));
  if (bytes.count > max_size) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("a text of the FlatBuffer has {} bytes, more than {}", bytes.count, max_size));
  }
  std::string out(bytes.count, '\0');
  HF_TRY(const std::size_t got,
         buffer_.source().read_at(bytes.position, {reinterpret_cast<std::uint8_t*>(out.data()), out.size()}));
  if (got < out.size()) return outside(bytes.position);
  return out;
}

}  // namespace holdfast::formats
