#include "formats/protobuf.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"

namespace holdfast::formats {

using base::ErrorCode;
using base::fail;
using base::load_le;

namespace {

constexpr std::size_t kMaxVarintBytes = 10;
constexpr std::uint64_t kMaxFieldNumber = (1U << 29) - 1;

tl::unexpected<base::Error> corrupt(std::string_view what, std::uint64_t offset) {
  return fail(ErrorCode::kDataCorrupt, fmt::format("the protobuf message has {} at byte {}", what, offset));
}

}  // namespace

base::Result<base::ByteView> WireBuffer::at(std::uint64_t offset, std::size_t count) {
  HF_ASSERT(count <= kCapacity);
  const bool inside = offset >= start_ && offset - start_ <= size_;
  if (!inside || size_ - (offset - start_) < count) {
    HF_TRY(size_, source_->read_at(offset, {bytes_.get(), kCapacity}));
    start_ = offset;
  }
  const auto skipped = static_cast<std::size_t>(offset - start_);
  return base::ByteView(bytes_.get() + skipped, size_ - skipped);
}

base::Result<std::uint64_t> WireReader::varint() {
  HF_TRY(base::ByteView bytes,
         buffer_->at(offset_, std::min<std::uint64_t>(kMaxVarintBytes, end_ - offset_)));
  bytes = bytes.first(std::min<std::uint64_t>(bytes.size(), end_ - offset_));
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < std::min(bytes.size(), kMaxVarintBytes); ++i) {
    value |= std::uint64_t{bytes[i] & 0x7FU} << (7 * i);
    if ((bytes[i] & 0x80U) == 0) {
      offset_ += i + 1;
      return value;
    }
  }
  return corrupt("a varint without end", offset_);
}

base::Result<std::uint64_t> WireReader::fixed(std::size_t size) {
  if (end_ - offset_ < size) return corrupt("a truncated field", offset_);
  HF_TRY(const base::ByteView bytes, buffer_->at(offset_, size));
  if (bytes.size() < size) return corrupt("a truncated field", offset_);
  offset_ += size;
  return size == 8 ? load_le<std::uint64_t>(bytes) : std::uint64_t{load_le<std::uint32_t>(bytes)};
}

base::Result<std::optional<WireField>> WireReader::next() {
  if (at_end()) return std::nullopt;
  const std::uint64_t start = offset_;
  HF_TRY(const std::uint64_t tag, varint());
  const std::uint64_t number = tag >> 3;
  if (number == 0 || number > kMaxFieldNumber) return corrupt("a field number out of range", start);
  WireField field{.number = static_cast<std::uint32_t>(number), .type = static_cast<WireType>(tag & 7)};
  switch (field.type) {
    case WireType::kVarint: {
      field.offset = offset_;
      HF_TRY(field.value, varint());
      return field;
    }
    case WireType::kFixed64:
    case WireType::kFixed32: {
      field.offset = offset_;
      HF_TRY(field.value, fixed(field.type == WireType::kFixed64 ? 8 : 4));
      return field;
    }
    case WireType::kBytes: {
      HF_TRY(field.value, varint());
      field.offset = offset_;
      if (field.value > end_ - offset_) return corrupt("a field longer than its message", start);
      offset_ += field.value;
      return field;
    }
  }
  return corrupt("a group or an unknown type of field", start);
}

base::Result<> WireReader::check_bytes(const WireField& field) const {
  if (field.type == WireType::kBytes) return {};
  return corrupt(fmt::format("field {} of the wrong type", field.number), field.offset);
}

base::Result<WireReader> WireReader::message(const WireField& field) const {
  HF_CHECK(check_bytes(field));
  if (depth_ == kMaxDepth) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("the protobuf message is nested deeper than {}", kMaxDepth));
  }
  return WireReader(*buffer_, field.offset, field.offset + field.value, depth_ + 1);
}

base::Result<std::string> WireReader::text(const WireField& field, std::size_t max_size) const {
  HF_CHECK(check_bytes(field));
  if (field.value > max_size) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("a text of {} bytes at byte {} is over the limit of {}", field.value,
                            field.offset, max_size));
  }
  std::string text(static_cast<std::size_t>(field.value), '\0');
  const base::MutableByteView into(reinterpret_cast<std::uint8_t*>(text.data()), text.size());
  if (text.size() <= WireBuffer::kCapacity) {
    HF_TRY(const base::ByteView bytes, buffer_->at(field.offset, text.size()));
    if (bytes.size() < text.size()) return corrupt("a truncated field", field.offset);
    std::copy_n(bytes.begin(), text.size(), into.begin());
    return text;
  }
  HF_TRY(const std::size_t got, buffer_->source().read_at(field.offset, into));
  if (got < text.size()) return corrupt("a truncated field", field.offset);
  return text;
}

}  // namespace holdfast::formats
