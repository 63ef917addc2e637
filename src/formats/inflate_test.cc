#include "formats/inflate.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

namespace holdfast::formats {
namespace {

using base::Bytes;
using base::ErrorCode;

Bytes deflated(std::string_view text, DeflateFormat format) {
  z_stream z{};
  const int bits = format == DeflateFormat::kRaw    ? -MAX_WBITS
                   : format == DeflateFormat::kGzip ? MAX_WBITS + 16
                                                    : MAX_WBITS;
  deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY);
  Bytes out(deflateBound(&z, text.size()));
  z.next_in = const_cast<Bytef*>(base::as_bytes(text).data());
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = out.data();
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

struct Read {
  std::string contents;
  std::optional<ErrorCode> error;
  std::uint64_t consumed = 0;
  std::uint64_t members = 0;
  std::size_t anomalies = 0;
};

Read inflate_all(const Bytes& bytes, DeflateFormat format, const DecompressLimits& limits = {},
                 std::size_t step = 1000) {
  const MemorySource source(bytes);
  SourceStream input(source);
  auto stream = InflateStream::open(input, format, limits);
  Read read;
  Bytes buffer(step);
  for (;;) {
    const auto got = stream->read(buffer);
    if (!got) read.error = got.error().code;
    if (!got || *got == 0) break;
    read.contents += base::as_text(buffer).substr(0, *got);
  }
  EXPECT_EQ(stream->read(buffer).has_value(), !read.error.has_value()) << "the end stays the end";
  read.consumed = stream->consumed();
  read.members = stream->members();
  read.anomalies = stream->anomalies().count(AnomalyKind::kTrailingData);
  return read;
}

constexpr DeflateFormat kAll[] = {DeflateFormat::kRaw, DeflateFormat::kZlib, DeflateFormat::kGzip};

std::string some_text() {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += std::to_string(i * 7919 % 10'007);
  return text;
}

TEST(Inflate, ExpandsEachFormatInAnySteps) {
  const std::string text = some_text();
  for (const DeflateFormat format : kAll) {
    const Bytes bytes = deflated(text, format);
    for (const std::size_t step : {1UL, 13UL, 1UL << 20}) {
      const Read read = inflate_all(bytes, format, {}, step);
      EXPECT_FALSE(read.error);
      EXPECT_TRUE(read.contents == text);
      EXPECT_EQ(read.consumed, bytes.size());
      EXPECT_EQ(read.members, 1U);
      EXPECT_EQ(read.anomalies, 0U);
    }
    EXPECT_EQ(inflate_all(deflated("", format), format).contents, "");
  }
}

TEST(Inflate, GoesOnWithTheNextMember) {
  for (const DeflateFormat format : {DeflateFormat::kZlib, DeflateFormat::kGzip}) {
    Bytes bytes = deflated("one", format);
    base::append(bytes, deflated("", format));
    base::append(bytes, deflated("two", format));
    const Read read = inflate_all(bytes, format);
    EXPECT_EQ(read.contents, "onetwo");
    EXPECT_EQ(read.members, 3U);
    EXPECT_EQ(read.anomalies, 0U);
  }
}

TEST(Inflate, ReportsWhatFollows) {
  for (const DeflateFormat format : {DeflateFormat::kZlib, DeflateFormat::kGzip}) {
    for (const std::string_view rest : {"x", "PK\3\4 and more"}) {
      Bytes bytes = deflated("one", format);
      base::append(bytes, rest);
      const Read read = inflate_all(bytes, format);
      EXPECT_EQ(read.contents, "one");
      EXPECT_FALSE(read.error);
      EXPECT_EQ(read.anomalies, 1U);
    }
  }
  Bytes padded = deflated("one", DeflateFormat::kGzip);
  padded.resize(padded.size() + 600);
  EXPECT_EQ(inflate_all(padded, DeflateFormat::kGzip).anomalies, 0U);
  // Raw data have no members: how much was consumed tells.
  Bytes raw = deflated("one", DeflateFormat::kRaw);
  const std::size_t size = raw.size();
  base::append(raw, raw);
  EXPECT_EQ(inflate_all(raw, DeflateFormat::kRaw).contents, "one");
  EXPECT_EQ(inflate_all(raw, DeflateFormat::kRaw).consumed, size);
}

TEST(Inflate, GivesAllBytesBeforeAFault) {
  const std::string text = some_text();
  for (const DeflateFormat format : {DeflateFormat::kZlib, DeflateFormat::kGzip}) {
    Bytes bytes = deflated(text, format);
    bytes[bytes.size() - 3] ^= 1;  // the checksum
    const Read read = inflate_all(bytes, format);
    EXPECT_TRUE(read.contents == text);
    EXPECT_EQ(read.error, ErrorCode::kDataCorrupt);
  }
}

TEST(Inflate, NoticesTruncationAtEachByte) {
  const std::string text = some_text().substr(0, 500);
  for (const DeflateFormat format : kAll) {
    const Bytes bytes = deflated(text, format);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const Read read =
          inflate_all(Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)), format);
      EXPECT_EQ(read.error, ErrorCode::kDataCorrupt) << size;
      EXPECT_TRUE(text.starts_with(read.contents));
    }
  }
}

TEST(Inflate, StopsAtItsLimits) {
  const Bytes bomb = deflated(std::string(80UL << 20, '\0'), DeflateFormat::kGzip);
  const Read by_ratio = inflate_all(bomb, DeflateFormat::kGzip, {}, 1UL << 20);
  EXPECT_EQ(by_ratio.error, ErrorCode::kLimitExceeded);
  EXPECT_LE(by_ratio.contents.size(), DecompressLimits::kRatioFloor + (1UL << 20));
  const Read by_size = inflate_all(bomb, DeflateFormat::kGzip, {.max_output = 1000});
  EXPECT_EQ(by_size.error, ErrorCode::kLimitExceeded);
  EXPECT_LE(by_size.contents.size(), 2000U);
  const Read exact = inflate_all(deflated(std::string(1000, 'x'), DeflateFormat::kGzip), DeflateFormat::kGzip,
                                 {.max_output = 1000});
  EXPECT_FALSE(exact.error);
}

}  // namespace
}  // namespace holdfast::formats
