#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "formats/source.h"

// Reads the protobuf wire format (protobuf.dev/programming-guides/encoding) field by field from a Source,
// without a schema. Payloads are named by their place and read only on demand, so that a tensor costs
// nothing. Groups, which no model format uses, are refused. Not thread-safe; the source outlives the rest.

namespace holdfast::formats {

// A window of a Source for readers that move mostly forward. Shared by the readers of one file, one after the
// other.
class WireBuffer {
 public:
  static constexpr std::size_t kCapacity = 64UL << 10;

  explicit WireBuffer(const Source& source)
      : source_(&source), bytes_(std::make_unique_for_overwrite<std::uint8_t[]>(kCapacity)) {}

  [[nodiscard]] const Source& source() const { return *source_; }
  // At least `count` bytes (at most kCapacity) at `offset`, fewer only where the source ends. Valid until the
  // next call.
  base::Result<base::ByteView> at(std::uint64_t offset, std::size_t count);

 private:
  const Source* source_;
  std::unique_ptr<std::uint8_t[]> bytes_;
  std::uint64_t start_ = 0;
  std::size_t size_ = 0;
};

enum class WireType : std::uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

struct WireField {
  std::uint32_t number = 0;
  WireType type = WireType::kVarint;
  std::uint64_t value = 0;   // a varint or the bits of a fixed; for kBytes the length of the payload
  std::uint64_t offset = 0;  // of the payload, in the source
};

// The fields of one message, in the file's order.
class WireReader {
 public:
  static constexpr int kMaxDepth = 100;  // protobuf's own default

  // The message that fills the source.
  explicit WireReader(WireBuffer& buffer) : WireReader(buffer, 0, buffer.source().size(), 0) {}

  // The next field; absent at the message's end. kDataCorrupt for what is not wire format or leaves the
  // message.
  base::Result<std::optional<WireField>> next();
  // The message that is a kBytes field's payload. kDataCorrupt for another type, kLimitExceeded beyond
  // kMaxDepth.
  [[nodiscard]] base::Result<WireReader> message(const WireField& field) const;
  // The payload of a kBytes field. kDataCorrupt for another type, kLimitExceeded beyond `max_size` bytes.
  [[nodiscard]] base::Result<std::string> text(const WireField& field, std::size_t max_size) const;

  // A varint within the message, e.g. an element of a packed field.
  base::Result<std::uint64_t> varint();
  [[nodiscard]] bool at_end() const { return offset_ == end_; }
  // Where the next field begins, in the source.
  [[nodiscard]] std::uint64_t offset() const { return offset_; }

 private:
  WireReader(WireBuffer& buffer, std::uint64_t offset, std::uint64_t end, int depth)
      : buffer_(&buffer), offset_(offset), end_(end), depth_(depth) {}
  base::Result<std::uint64_t> fixed(std::size_t size);
  [[nodiscard]] base::Result<> check_bytes(const WireField& field) const;

  WireBuffer* buffer_;
  std::uint64_t offset_;
  std::uint64_t end_;
  int depth_;
};

// Calls visit(reader, field), which gives a Result<>, for each field of a message.
template <typename Visit>
base::Result<> each_field(WireReader reader, Visit visit) {
  for (;;) {
    HF_TRY(const std::optional<WireField> field, reader.next());
    if (!field) return {};
    HF_CHECK(visit(reader, *field));
  }
}

}  // namespace holdfast::formats
