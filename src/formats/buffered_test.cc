#include "formats/buffered.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace holdfast::formats {
namespace {

using base::Bytes;
using base::ErrorCode;

// Gives at most `step` bytes a read, as a decompressor or a socket may.
class SlowStream final : public Stream {
 public:
  SlowStream(base::ByteView bytes, std::size_t step) : left_(bytes), step_(step) {}
  base::Result<std::size_t> read(base::MutableByteView buffer) override {
    const std::size_t count = std::min({buffer.size(), left_.size(), step_});
    std::copy_n(left_.begin(), count, buffer.begin());
    left_ = left_.subspan(count);
    return count;
  }

 private:
  base::ByteView left_;
  std::size_t step_;
};

class FailingStream final : public Stream {
 public:
  base::Result<std::size_t> read(base::MutableByteView) override {
    return base::fail(ErrorCode::kIo, "no disk");
  }
};

Bytes numbers(std::size_t count) {
  Bytes bytes(count);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
  return bytes;
}

TEST(Buffered, GivesTheSameBytesHoweverTheyAreAskedFor) {
  const Bytes bytes = numbers(200'000);
  for (const std::size_t step : {1UL, 1000UL, 1UL << 20}) {
    SlowStream stream(bytes, step);
    BufferedReader reader(stream);
    Bytes got;
    for (std::size_t turn = 0; got.size() < bytes.size(); ++turn) {
      const std::size_t count = turn * 37 % 1500 + 1;
      EXPECT_EQ(reader.position(), got.size());
      if (turn % 2 == 0) {
        const auto peeked = reader.peek(count);
        ASSERT_TRUE(peeked);
        ASSERT_GE(peeked->size(), std::min(count, bytes.size() - got.size()));
        const base::ByteView taken = peeked->first(std::min(count, peeked->size()));
        base::append(got, taken);
        reader.consume(taken.size());
      } else {
        Bytes buffer(count);
        const auto read = reader.read(buffer);
        ASSERT_TRUE(read);
        base::append(got, base::ByteView(buffer).first(*read));
      }
    }
    EXPECT_EQ(got, bytes);
    EXPECT_TRUE(reader.peek(1)->empty());
    EXPECT_EQ(*reader.read(got), 0U);
  }
}

TEST(Buffered, SkipsAndReadsExactlyOrSaysTruncated) {
  const Bytes bytes = numbers(200'000);
  const MemorySource source(bytes);
  SourceStream stream(source);
  BufferedReader reader(stream);
  ASSERT_TRUE(reader.skip(150'000));
  Bytes four(4);
  ASSERT_TRUE(reader.read_exactly(four));
  EXPECT_EQ(four[0], bytes[150'000]);
  EXPECT_EQ(reader.skip(50'000).error().code, ErrorCode::kDataCorrupt);
  EXPECT_EQ(reader.read_exactly(four).error().code, ErrorCode::kDataCorrupt);
  EXPECT_TRUE(reader.skip(0));
}

TEST(Buffered, PassesErrorsOn) {
  FailingStream stream;
  BufferedReader reader(stream);
  Bytes byte(1);
  EXPECT_EQ(reader.peek(1).error().code, ErrorCode::kIo);
  EXPECT_EQ(reader.read(byte).error().code, ErrorCode::kIo);
  EXPECT_EQ(reader.skip(1).error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace holdfast::formats
