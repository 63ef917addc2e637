#include "formats/source.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <limits>

namespace holdfast::formats {
namespace {

using base::ErrorCode;

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view contents) {
    base::UniqueFd fd(::mkstemp(path_.data()));
    EXPECT_TRUE(base::write_full(fd.get(), base::as_bytes(contents)));
  }
  ~TemporaryFile() { ::unlink(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_ = testing::TempDir() + "source_XXXXXX";
};

std::string read(const Source& source, std::uint64_t offset, std::size_t size) {
  base::Bytes buffer(size);
  const auto got = source.read_at(offset, buffer);
  EXPECT_TRUE(got);
  return std::string(base::as_text(base::ByteView(buffer).first(got.value_or(0))));
}

void expect_reads_like_0123456789(const Source& source) {
  EXPECT_EQ(source.size(), 10U);
  EXPECT_EQ(read(source, 0, 10), "0123456789");
  EXPECT_EQ(read(source, 0, 100), "0123456789");
  EXPECT_EQ(read(source, 7, 100), "789");
  EXPECT_EQ(read(source, 3, 2), "34");
  EXPECT_EQ(read(source, 3, 0), "");
  EXPECT_EQ(read(source, 10, 1), "");
  EXPECT_EQ(read(source, kMax, 1), "");
}

TEST(Source, MemoryFilesAndRangesReadAlike) {
  const std::string text = "abc0123456789def";
  const MemorySource whole(base::as_bytes(text));
  expect_reads_like_0123456789(MemorySource(base::as_bytes(text).subspan(3, 10)));
  expect_reads_like_0123456789(*RangeSource::create(whole, 3, 10));
  const TemporaryFile file("0123456789");
  expect_reads_like_0123456789(*FileSource::open(file.path()));
}

TEST(Source, ARangeMayNotLeaveItsWhole) {
  const MemorySource whole(base::as_bytes("0123456789"));
  EXPECT_TRUE(RangeSource::create(whole, 10, 0));
  EXPECT_TRUE(RangeSource::create(whole, 0, 10));
  for (const auto& [offset, size] :
       {std::pair<std::uint64_t, std::uint64_t>{0, 11}, {11, 0}, {1, kMax}, {kMax, 2}}) {
    EXPECT_EQ(RangeSource::create(whole, offset, size).error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(Source, FilesThatAreNoRegularFileAreRefused) {
  EXPECT_EQ(FileSource::open("/dev/null").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(FileSource::open("/no/such/file").error().code, ErrorCode::kNotFound);
}

TEST(Source, AStreamEndsAndStaysEnded) {
  const MemorySource source(base::as_bytes("0123456789"));
  SourceStream stream(source, 6);
  std::array<std::uint8_t, 3> buffer{};
  EXPECT_EQ(*stream.read(buffer), 3U);
  EXPECT_EQ(*stream.read(buffer), 1U);
  EXPECT_EQ(buffer[0], '9');
  EXPECT_EQ(*stream.read(buffer), 0U);
  EXPECT_EQ(*stream.read(buffer), 0U);
}

TEST(Source, ReadExactlySaysTruncatedBeforeItAllocates) {
  const MemorySource source(base::as_bytes("0123456789"));
  EXPECT_EQ(base::as_text(*read_exactly(source, 2, 3)), "234");
  EXPECT_EQ(read_exactly(source, 2, 9).error().code, ErrorCode::kDataCorrupt);
  EXPECT_EQ(read_exactly(source, kMax, 1).error().code, ErrorCode::kDataCorrupt);
  EXPECT_EQ(read_exactly(source, 1, std::numeric_limits<std::size_t>::max()).error().code,
            ErrorCode::kDataCorrupt);
}

}  // namespace
}  // namespace holdfast::formats
