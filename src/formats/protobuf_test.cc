#include "formats/protobuf.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace holdfast::formats {
namespace {

using base::Bytes;
using base::ErrorCode;

// A source that counts the bytes asked of it.
class CountingSource final : public Source {
 public:
  explicit CountingSource(base::ByteView bytes) : whole_(bytes) {}
  [[nodiscard]] std::uint64_t size() const override { return whole_.size(); }
  base::Result<std::size_t> read_at(std::uint64_t offset, base::MutableByteView buffer) const override {
    read_ += buffer.size();
    return whole_.read_at(offset, buffer);
  }
  [[nodiscard]] std::size_t bytes_read() const { return read_; }

 private:
  MemorySource whole_;
  mutable std::size_t read_ = 0;
};

base::Result<std::vector<WireField>> fields(const Bytes& bytes) {
  const MemorySource source(bytes);
  WireBuffer buffer(source);
  WireReader reader(buffer);
  std::vector<WireField> out;
  for (;;) {
    HF_TRY(const auto field, reader.next());
    if (!field) return out;
    out.push_back(*field);
  }
}

// protobuf.dev/programming-guides/encoding: "A Simple Message", "More Varint", "Length-Delimited Records".
TEST(Protobuf, ReadsTheExamplesOfTheGuide) {
  const auto simple = fields({0x08, 0x96, 0x01});
  ASSERT_TRUE(simple);
  ASSERT_EQ(simple->size(), 1U);
  EXPECT_EQ(simple->at(0).number, 1U);
  EXPECT_EQ(simple->at(0).value, 150U);

  const auto minus_two = fields({0x08, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01});
  ASSERT_TRUE(minus_two);
  EXPECT_EQ(static_cast<std::int64_t>(minus_two->at(0).value), -2);

  const Bytes testing = {0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67};
  const MemorySource source(testing);
  WireBuffer buffer(source);
  WireReader reader(buffer);
  const auto field = reader.next();
  ASSERT_TRUE(field && *field);
  EXPECT_EQ((*field)->number, 2U);
  EXPECT_EQ((*field)->type, WireType::kBytes);
  EXPECT_EQ(*reader.text(**field, 7), "testing");
  EXPECT_EQ(reader.text(**field, 6).error().code, ErrorCode::kLimitExceeded);
  EXPECT_TRUE(reader.at_end());
}

TEST(Protobuf, ReadsNestedMessagesAndFixedValues) {
  const Bytes bytes = {0x1A, 0x03, 0x08, 0x96, 0x01, 0x25, 1, 2, 3, 4, 0x29, 1, 2, 3, 4, 5, 6, 7, 8};
  const MemorySource source(bytes);
  WireBuffer buffer(source);
  WireReader reader(buffer);
  const auto outer = reader.next();
  ASSERT_TRUE(outer && *outer);
  auto inner = reader.message(**outer);
  ASSERT_TRUE(inner);
  EXPECT_EQ((*inner->next())->value, 150U);
  EXPECT_FALSE(*inner->next());
  EXPECT_EQ((*reader.next())->value, 0x04030201U);
  const auto last = reader.next();
  EXPECT_EQ((*last)->value, 0x0807060504030201U);
  EXPECT_EQ(reader.message(**last).error().code, ErrorCode::kDataCorrupt);
  EXPECT_FALSE(*reader.next());
}

TEST(Protobuf, RefusesWhatIsNotWireFormat) {
  const std::vector<Bytes> wrong = {
      {0x80},                                                                    // varint cut
      {0x08},                                                                    // value missing
      {0x00, 0x01},                                                              // field number 0
      {0x0B, 0x0C},                                                              // group
      {0x0E},                                                                    // type 6
      {0x0F},                                                                    // type 7
      {0x12, 0x02, 0x61},                                                        // longer than the message
      {0x12, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01},        // length near 2^64
      {0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01},  // eleven bytes
      {0x0D, 1, 2, 3},                                                           // fixed32 cut
      {0x09, 1, 2, 3, 4, 5, 6, 7},                                               // fixed64 cut
      {0x80, 0x80, 0x80, 0x80, 0x10, 0x00},                                      // field number 2^29
  };
  for (const Bytes& bytes : wrong) {
    const auto result = fields(bytes);
    ASSERT_FALSE(result) << static_cast<int>(bytes[0]);
    EXPECT_EQ(result.error().code, ErrorCode::kDataCorrupt);
  }
}

TEST(Protobuf, AFieldMayNotReadBeyondItsMessage) {
  const Bytes bytes = {0x0A, 0x01, 0x08, 0x01};  // the inner message is "08", its value would lie outside
  const MemorySource source(bytes);
  WireBuffer buffer(source);
  WireReader reader(buffer);
  const auto outer = reader.next();
  EXPECT_EQ(reader.message(**outer)->next().error().code, ErrorCode::kDataCorrupt);
}

TEST(Protobuf, DepthIsBounded) {
  Bytes bytes;
  for (int i = 0; i <= WireReader::kMaxDepth; ++i) {
    Bytes outer = {0x0A};
    for (std::size_t size = bytes.size();; size >>= 7) {
      outer.push_back(static_cast<std::uint8_t>((size & 0x7F) | (size > 0x7F ? 0x80 : 0)));
      if (size <= 0x7F) break;
    }
    base::append(outer, bytes);
    bytes = std::move(outer);
  }
  const MemorySource source(bytes);
  WireBuffer buffer(source);
  WireReader reader(buffer);
  for (int i = 0; i < WireReader::kMaxDepth; ++i) {
    const auto field = reader.next();
    ASSERT_TRUE(field && *field);
    auto inner = reader.message(**field);
    ASSERT_TRUE(inner);
    reader = *inner;
  }
  const auto field = reader.next();
  ASSERT_TRUE(field && *field);
  EXPECT_EQ(reader.message(**field).error().code, ErrorCode::kLimitExceeded);
}

TEST(Protobuf, ALargeFieldIsSkippedUnread) {
  Bytes bytes = {0x0A, 0x80, 0x80, 0x80, 0x08};  // 16 MiB
  bytes.resize(bytes.size() + (16UL << 20));
  base::append(bytes, Bytes{0x10, 0x07});
  const CountingSource source(bytes);
  WireBuffer buffer(source);
  WireReader reader(buffer);
  EXPECT_EQ((*reader.next())->value, 16UL << 20);
  EXPECT_EQ((*reader.next())->value, 7U);
  EXPECT_LE(source.bytes_read(), 2 * WireBuffer::kCapacity);
}

}  // namespace
}  // namespace holdfast::formats
