#include "crypto/stream.h"

#include <gtest/gtest.h>

#include "crypto/age_samples.h"

namespace holdfast::crypto {
namespace {

using base::as_bytes;
using base::as_text;
using base::Bytes;
using base::ErrorCode;

// Gives one byte at a time.
class SlowReader final : public Reader {
 public:
  explicit SlowReader(base::ByteView bytes) : bytes_(bytes) {}
  base::Result<std::size_t> read(base::MutableByteView buffer) override {
    return bytes_.read(buffer.first(std::min<std::size_t>(1, buffer.size())));
  }

 private:
  MemoryReader bytes_;
};

TEST(LineReader, GivesLinesThenWhatFollows) {
  SlowReader bytes(as_bytes("one\n\nthree\nrest\nof it"));
  LineReader lines(bytes);
  EXPECT_EQ(lines.peek().value(), 'o');
  EXPECT_EQ(lines.read_line(3).value(), "one\n");
  EXPECT_EQ(lines.read_line(3).value(), "\n");
  EXPECT_EQ(lines.read_line(100).value(), "three\n");
  Bytes rest(100);
  rest.resize(read_full(lines, rest).value());
  EXPECT_EQ(as_text(rest), "rest\nof it");
  EXPECT_EQ(lines.peek().value(), std::nullopt);
  EXPECT_EQ(lines.read_line(3).value(), std::nullopt);
}

TEST(LineReader, GivesALastLineWithoutItsEnd) {
  MemoryReader bytes(as_bytes("one\ntwo"));
  LineReader lines(bytes);
  EXPECT_EQ(lines.read_line(3).value(), "one\n");
  EXPECT_EQ(lines.read_line(3).value(), "two");
  EXPECT_EQ(lines.read_line(3).value(), std::nullopt);
}

TEST(LineReader, BoundsALine) {
  SlowReader bytes(as_bytes("four\n"));
  LineReader lines(bytes);
  EXPECT_EQ(lines.read_line(3).error().code, ErrorCode::kLimitExceeded);
}

TEST(Copy, TakesAllAndTellsHowFarItIs) {
  const Bytes text = sample_text((2UL << 20) + 5);
  MemoryReader reader(text);
  BytesWriter writer;
  std::vector<std::uint64_t> told;
  ASSERT_TRUE(copy(reader, writer, [&](std::uint64_t done) { told.push_back(done); }));
  EXPECT_EQ(writer.bytes(), text);
  EXPECT_EQ(told, (std::vector<std::uint64_t>{1UL << 20, 2UL << 20, (2UL << 20) + 5}));
}

class FullWriter final : public Writer {
 public:
  base::Result<> write(base::ByteView) override { return base::fail(ErrorCode::kUnavailable, "no space"); }
};

TEST(Copy, GivesTheErrorOfItsWriter) {
  MemoryReader reader(as_bytes("text"));
  FullWriter writer;
  EXPECT_EQ(copy(reader, writer).error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace holdfast::crypto
