#include "stats/sketch_bytes.h"

#include <fmt/format.h>

namespace holdfast::stats {
namespace {
constexpr std::uint8_t kVersion = 1;
}

using base::Result;

void append_head(base::Bytes& to, char kind) {
  to.push_back(static_cast<std::uint8_t>(kind));
  to.push_back(kVersion);
}

void append_varint(base::Bytes& to, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) to.push_back(static_cast<std::uint8_t>(value | 0x80));
  to.push_back(static_cast<std::uint8_t>(value));
}

void append_double(base::Bytes& to, double value) {
  base::append_le(to, std::bit_cast<std::uint64_t>(value));
}

Result<> SketchReader::require(bool condition, std::string_view what) const {
  if (condition) return {};
  return base::fail(base::ErrorCode::kDataCorrupt, fmt::format("the {} is damaged: {}", name_, what));
}

Result<> SketchReader::head(char kind) {
  HF_TRY(const base::ByteView head, take(2));
  HF_CHECK(require(head[0] == static_cast<std::uint8_t>(kind), "it is of another kind"));
  return require(head[1] == kVersion, "its version is not 1");
}

Result<std::uint64_t> SketchReader::varint(std::uint64_t at_most) {
  std::uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    HF_TRY(const base::ByteView byte, take(1));
    HF_CHECK(require(shift < 63 || byte[0] <= 1, "a count is too large"));  // so that shift never passes 63
    value |= std::uint64_t{byte[0] & 0x7FU} << shift;
    if (byte[0] >= 0x80) continue;
    HF_CHECK(require(byte[0] != 0 || shift == 0, "a count is not in its shortest form"));
    HF_CHECK(require(value <= at_most, "a count is out of range"));
    return value;
  }
}

Result<double> SketchReader::number() {
  HF_TRY(const auto bits, integer<std::uint64_t>());
  return std::bit_cast<double>(bits);
}

Result<base::ByteView> SketchReader::take(std::size_t size) {
  HF_CHECK(require(size <= rest_.size(), "it is truncated"));
  const base::ByteView field = rest_.first(size);
  rest_ = rest_.subspan(size);
  return field;
}

Result<> SketchReader::end() const { return require(rest_.empty(), "bytes follow its end"); }

}  // namespace holdfast::stats
