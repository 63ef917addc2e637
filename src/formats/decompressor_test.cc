#include "formats/decompressor.h"

#include <bzlib.h>
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <optional>
#include <string>

#include "base/file.h"

namespace holdfast::formats {
namespace {

using base::Bytes;
using base::ErrorCode;
using namespace std::string_literals;
using namespace std::string_view_literals;

struct Case {
  Format format;
  std::string file;  // made by Python's bz2 and lzma, by zstd 1.5.4 and lz4 1.9.4
};

void PrintTo(const Case& its_case, std::ostream* out) { *out << its_case.file; }

const Case kCases[] = {{Format::kBzip2, "text.bz2"}, {Format::kXz, "text.xz"},    {Format::kXz, "x86.xz"},
                       {Format::kLzma, "text.lzma"}, {Format::kZstd, "text.zst"}, {Format::kLz4, "text.lz4"},
                       {Format::kLz4, "blocks.lz4"}};

Bytes golden(const std::string& file) {
  return base::read_file(std::string(HOLDFAST_TESTDATA "/compressed/") + file, 1UL << 20).value();
}

std::string golden_text() {
  std::string text;
  for (int i = 0; i < 400; ++i) text += std::to_string(i * 7919 % 10'007);
  return text;
}

struct Read {
  std::string contents;
  std::optional<base::Error> error;
  std::uint64_t consumed = 0;
  std::uint64_t members = 0;
  std::size_t trailing = 0;

  [[nodiscard]] std::optional<ErrorCode> code() const {
    return error ? std::optional(error->code) : std::nullopt;
  }
};

Read expand(const Bytes& bytes, Format format, const DecompressLimits& limits = {}, std::size_t step = 1000) {
  const MemorySource source(bytes);
  SourceStream input(source);
  auto stream = open_decompressor(format, input, limits).value();
  Read read;
  Bytes buffer(step);
  for (;;) {
    const auto got = stream->read(buffer);
    if (!got) read.error = got.error();
    if (!got || *got == 0) break;
    read.contents += base::as_text(buffer).substr(0, *got);
  }
  EXPECT_EQ(stream->read(buffer).has_value(), !read.error.has_value()) << "the end stays the end";
  read.consumed = stream->consumed();
  read.members = stream->members();
  read.trailing = stream->anomalies().count(AnomalyKind::kTrailingData);
  return read;
}

class Decompressors : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(Each, Decompressors, testing::ValuesIn(kCases));

TEST_P(Decompressors, ReadWhatOthersWroteInAnySteps) {
  const Bytes bytes = golden(GetParam().file);
  const MemorySource source(bytes);
  EXPECT_THAT(sniff(source).value(), testing::ElementsAre(GetParam().format));
  EXPECT_TRUE(is_compressed(GetParam().format));
  for (const std::size_t step : {1UL, 13UL, 1UL << 20}) {
    const Read read = expand(bytes, GetParam().format, {}, step);
    EXPECT_FALSE(read.error) << read.error->message;
    EXPECT_TRUE(read.contents == golden_text());
    EXPECT_EQ(read.consumed, bytes.size());
    EXPECT_EQ(read.members, 1U);
    EXPECT_EQ(read.trailing, 0U);
  }
}

TEST_P(Decompressors, GoOnWithTheNextMember) {
  Bytes bytes = golden(GetParam().file);
  base::append(bytes, golden(GetParam().file));
  const Read read = expand(bytes, GetParam().format);
  EXPECT_FALSE(read.error);
  EXPECT_TRUE(read.contents == golden_text() + golden_text());
  EXPECT_EQ(read.members, 2U);
}

TEST_P(Decompressors, ReportWhatFollows) {
  for (const std::string_view rest : {"x"sv, "PK\3\4 and more, a second archive"sv, "\0\0\0"sv}) {
    Bytes bytes = golden(GetParam().file);
    base::append(bytes, rest);
    const Read read = expand(bytes, GetParam().format);
    EXPECT_FALSE(read.error);
    EXPECT_TRUE(read.contents == golden_text());
    EXPECT_EQ(read.trailing, 1U);
  }
}

TEST_P(Decompressors, NoticeTruncationAtEachByte) {
  const Bytes bytes = golden(GetParam().file);
  const std::string text = golden_text();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    const Read read = expand(cut, GetParam().format);
    EXPECT_EQ(read.code(), ErrorCode::kDataCorrupt) << size;
    EXPECT_TRUE(text.starts_with(read.contents));
  }
}

TEST_P(Decompressors, NeverGiveDamagedDataWithoutAnError) {
  const Bytes bytes = golden(GetParam().file);
  // .lzma has no checksum, and lz4's flags of the header may ask for none.
  const bool checked = GetParam().format != Format::kLzma && GetParam().format != Format::kLz4;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    Bytes damaged = bytes;
    damaged[at] ^= 0x10;
    const Read read = expand(damaged, GetParam().format, {.max_output = 1UL << 20});
    EXPECT_TRUE(!checked || read.error || read.contents == golden_text()) << at;
  }
}

TEST_P(Decompressors, StopAtTheSizeThatIsAllowed) {
  const Bytes bytes = golden(GetParam().file);
  const std::uint64_t size = golden_text().size();
  EXPECT_FALSE(expand(bytes, GetParam().format, {.max_output = size}).error);
  const Read read = expand(bytes, GetParam().format, {.max_output = size - 1});
  EXPECT_EQ(read.code(), ErrorCode::kLimitExceeded);
}

TEST_P(Decompressors, HoldNoMoreThanTheirShareOfMemory) {
  MemoryBudget budget;
  const Read read = expand(golden(GetParam().file), GetParam().format, {.memory = &budget});
  EXPECT_FALSE(read.error);
  EXPECT_EQ(budget.left(), MemoryBudget::kDefault);
  MemoryBudget nothing(1000);
  const Read refused = expand(golden(GetParam().file), GetParam().format, {.memory = &nothing});
  EXPECT_EQ(refused.code(), ErrorCode::kUnsupported);
  EXPECT_THAT(refused.error->message, testing::HasSubstr("memory"));
  EXPECT_EQ(refused.contents, "");
}

TEST(Decompressor, KnowsOnlyCompressedFormats) {
  const MemorySource source({});
  SourceStream input(source);
  EXPECT_FALSE(is_compressed(Format::kZip));
  EXPECT_EQ(open_decompressor(Format::kZip, input).error().code, ErrorCode::kUnsupported);
  EXPECT_TRUE(open_decompressor(Format::kGzip, input).has_value());
}

TEST(Decompressor, RefusesAnXzDictionaryBeyondTheLimit) {
  Bytes bytes = golden("text.xz");
  // The .xz File Format 1.2, section 3.1: the block's header, whose filter 0x21 has one byte of properties.
  ASSERT_EQ(bytes[14], 0x21);
  bytes[16] = 40;  // 4 GiB - 1
  const std::size_t header = (bytes[12] + 1UL) * 4;
  const auto crc = static_cast<std::uint32_t>(::crc32(0, bytes.data() + 12, static_cast<uInt>(header - 4)));
  for (std::size_t i = 0; i < 4; ++i) bytes[12 + header - 4 + i] = static_cast<std::uint8_t>(crc >> (8 * i));
  const Read read = expand(bytes, Format::kXz);
  EXPECT_EQ(read.code(), ErrorCode::kUnsupported);
  EXPECT_THAT(read.error->message, testing::HasSubstr("KiB of memory"));
}

TEST(Decompressor, RefusesAnLzmaDictionaryBeyondTheLimit) {
  Bytes bytes = golden("text.lzma");
  bytes[4] = 0x20;  // 512 MiB and more
  EXPECT_EQ(expand(bytes, Format::kLzma).code(), ErrorCode::kUnsupported);
}

TEST(Decompressor, RefusesAZstdWindowBeyondTheLimit) {
  // RFC 8878, section 3.1.1.1: neither single segment nor content size, then the window's descriptor.
  const std::string frame = "\x28\xB5\x2F\xFD\0"s + static_cast<char>((31 - 10) << 3) + "\1\0\0"s;
  const Read read = expand(Bytes(frame.begin(), frame.end()), Format::kZstd);
  EXPECT_EQ(read.code(), ErrorCode::kUnsupported);
  EXPECT_THAT(read.error->message, testing::HasSubstr("window of more than 131072 KiB"));
  std::string small = frame;
  small[5] = (20 - 10) << 3;
  EXPECT_FALSE(expand(Bytes(small.begin(), small.end()), Format::kZstd).error);
}

TEST(Decompressor, SharesItsMemoryWithThoseInside) {
  // Within 8 MiB, an outer one that holds 4 MiB leaves too little for a window of 4 MiB.
  const std::string frame = "\x28\xB5\x2F\xFD\0"s + static_cast<char>((22 - 10) << 3) + "\1\0\0"s;
  const Bytes inner(frame.begin(), frame.end());
  MemoryBudget budget(8ULL << 20);
  EXPECT_FALSE(expand(inner, Format::kZstd, {.memory = &budget}).error);
  const Bytes outer = golden("text.bz2");
  const MemorySource source(outer);
  SourceStream input(source);
  auto holder = open_decompressor(Format::kBzip2, input, {.memory = &budget}).value();
  Bytes buffer(10);
  EXPECT_EQ(holder->read(buffer).value(), 10U);
  EXPECT_EQ(expand(inner, Format::kZstd, {.memory = &budget}).code(), ErrorCode::kUnsupported);
}

TEST(Decompressor, PassesOverPaddingAndSkippableFrames) {
  Bytes xz = golden("text.xz");
  xz.resize(xz.size() + 8);
  base::append(xz, golden("text.xz"));
  Read read = expand(xz, Format::kXz);
  EXPECT_EQ(read.members, 2U);
  EXPECT_EQ(read.trailing, 0U);
  for (const auto& [format, file] :
       {std::pair(Format::kZstd, "text.zst"), std::pair(Format::kLz4, "text.lz4")}) {
    Bytes bytes = golden(file);
    base::append(bytes, "\x5F\x2A\x4D\x18\3\0\0\0abc"sv);
    base::append(bytes, golden(file));
    read = expand(bytes, format);
    EXPECT_FALSE(read.error);
    EXPECT_TRUE(read.contents == golden_text() + golden_text()) << file;
    EXPECT_EQ(read.trailing, 0U);
  }
}

TEST(Decompressor, StopsABomb) {
  const std::string zeros(80UL << 20, '\0');
  Bytes bomb(1UL << 20);
  auto size = static_cast<unsigned>(bomb.size());
  ASSERT_EQ(
      BZ2_bzBuffToBuffCompress(reinterpret_cast<char*>(bomb.data()), &size, const_cast<char*>(zeros.data()),
                               static_cast<unsigned>(zeros.size()), 9, 0, 0),
      BZ_OK);
  bomb.resize(size);
  const Read bz = expand(bomb, Format::kBzip2, {}, 1UL << 20);
  EXPECT_EQ(bz.code(), ErrorCode::kLimitExceeded);
  EXPECT_LE(bz.contents.size(), DecompressLimits::kRatioFloor + (1UL << 20));
  bomb.resize(1UL << 20);
  bomb.resize(ZSTD_compress(bomb.data(), bomb.size(), zeros.data(), zeros.size(), 1));
  EXPECT_EQ(expand(bomb, Format::kZstd, {}, 1UL << 20).code(), ErrorCode::kLimitExceeded);
}

TEST(Decompressor, KnowsLzmaByWhatItSays) {
  const Bytes real = golden("text.lzma");
  EXPECT_TRUE(is_lzma_alone(real));
  const auto with = [&](std::size_t at, std::uint8_t value) {
    Bytes changed = real;
    changed[at] = value;
    return is_lzma_alone(changed);
  };
  EXPECT_FALSE(with(0, 225));
  EXPECT_FALSE(with(13, 1));
  EXPECT_FALSE(with(12, 1));    // larger than 256 GiB
  EXPECT_TRUE(with(2, 0x11));   // joblib takes any dictionary after 5D 00
  EXPECT_FALSE(with(1, 0x11));  // others take those that an encoder makes
  EXPECT_TRUE(with(0, 0x5E));
  EXPECT_FALSE(is_lzma_alone(base::ByteView(real).first(13)));
}

}  // namespace
}  // namespace holdfast::formats
