#include "formats/seven_zip.h"

#include <fmt/format.h>
#include <gmock/gmock-more-matchers.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <map>
#include <string>

#include "base/file.h"
#include "formats/seven_zip_header.h"

namespace holdfast::formats {
namespace {

using base::Bytes;
using base::ErrorCode;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Made by 7-Zip 26.02.
Bytes golden(const std::string& file) {
  return base::read_file(std::string(HOLDFAST_TESTDATA "/seven_zip/") + file, 1UL << 20).value();
}

const std::string kEvil = "cposix\nsystem\n(S'ls'\ntR.";

std::string golden_text() {
  std::string text;
  for (int i = 0; i < 400; ++i) text += std::to_string(i * 7919 % 10'007);
  return text.substr(0, 1200);
}

struct Read {
  std::map<std::string, std::string> files;
  std::vector<std::string> folders;
  std::vector<base::Error> errors;
  Anomalies anomalies;
};

Read read_all(const Bytes& bytes, const DecompressLimits& limits = {}) {
  const MemorySource source(bytes);
  auto reader = SevenZipReader::open(source, limits);
  Read read;
  if (!reader) {
    read.errors.push_back(reader.error());
    return read;
  }
  Bytes buffer(100);
  while (const auto entry = reader->next()) {
    if (entry->folder) {
      read.folders.push_back(entry->name);
      continue;
    }
    std::string& contents = read.files[entry->name];
    const std::size_t before = contents.size();  // of another of the same name
    for (;;) {
      const auto got = reader->read(buffer);
      if (!got) read.errors.push_back(got.error());
      if (!got || *got == 0) break;
      contents += base::as_text(buffer).substr(0, *got);
    }
    EXPECT_LE(contents.size() - before, entry->size);
  }
  read.anomalies = reader->anomalies();
  return read;
}

// With the checksums of the outermost header made right again.
Bytes resealed(Bytes bytes) {
  const auto put = [&](std::size_t at, base::ByteView of) {
    const auto crc = static_cast<std::uint32_t>(::crc32_z(0, of.data(), of.size()));
    for (std::size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<std::uint8_t>(crc >> (8 * i));
  };
  const base::ByteView view(bytes);
  const auto offset = static_cast<std::size_t>(base::load_le<std::uint64_t>(view.subspan(12)));
  const auto size = static_cast<std::size_t>(base::load_le<std::uint64_t>(view.subspan(20)));
  put(28, view.subspan(32 + offset, size));
  put(8, view.subspan(12, 20));
  return bytes;
}

TEST(SevenZip, ReadsWhat7ZipPacks) {
  for (const char* const file :
       {"lzma.7z", "copy.7z", "deflate.7z", "bzip2.7z", "x86.7z", "loose.7z", "lzma2.7z"}) {
    Read read = read_all(golden(file));
    EXPECT_THAT(read.errors, IsEmpty()) << file;
    EXPECT_EQ(read.files["evil.pkl"], kEvil) << file;
    EXPECT_TRUE(read.files["text.txt"] == golden_text()) << file;
    EXPECT_THAT(read.anomalies.items(), IsEmpty()) << file;
  }
}

TEST(SevenZip, GivesNamesFoldersAndEmptyFiles) {
  Read read = read_all(golden("lzma2.7z"));
  EXPECT_THAT(read.folders, ElementsAre("d"));
  EXPECT_EQ(read.files["d/\xC3\xA9.txt"], "hello\n");
  EXPECT_EQ(read.files.count("empty"), 1U);
  EXPECT_EQ(read.files.size(), 4U);
}

TEST(SevenZip, SkipsWhatIsNotRead) {
  const Bytes bytes = golden("lzma.7z");
  const MemorySource source(bytes);
  auto reader = SevenZipReader::open(source).value();
  EXPECT_EQ(reader.next()->name, "evil.pkl");
  EXPECT_EQ(reader.next()->name, "text.txt");
  Bytes buffer(10);
  EXPECT_EQ(reader.read(buffer).value(), 10U);
  EXPECT_EQ(base::as_text(buffer), golden_text().substr(0, 10));
  EXPECT_FALSE(reader.next());
  EXPECT_FALSE(reader.next());
}

TEST(SevenZip, NamesWhatItCannotRead) {
  const std::tuple<const char*, ErrorCode, const char*> cases[] = {
      {"ppmd.7z", ErrorCode::kUnsupported, "30401"},
      {"bcj2.7z", ErrorCode::kUnsupported, "BCJ2"},
      {"encrypted.7z", ErrorCode::kPermissionDenied, "encrypted"},
      {"encrypted_names.7z", ErrorCode::kPermissionDenied, "encrypted"}};
  for (const auto& [file, code, text] : cases) {
    const Read read = read_all(golden(file));
    ASSERT_FALSE(read.errors.empty()) << file;
    EXPECT_EQ(read.errors[0].code, code) << file;
    EXPECT_THAT(read.errors[0].message, HasSubstr(text)) << file;
  }
  EXPECT_EQ(read_all(golden("encrypted.7z")).anomalies.count(AnomalyKind::kEncrypted), 1U);
}

TEST(SevenZip, ReportsLinks) {
  EXPECT_EQ(read_all(golden("link.7z")).anomalies.count(AnomalyKind::kSymbolicLink), 1U);
}

TEST(SevenZip, ReportsBytesThatNobodyOwns) {
  Bytes bytes = golden("copy.7z");
  base::append(bytes, std::string_view("trailer"));
  EXPECT_EQ(read_all(bytes).anomalies.count(AnomalyKind::kTrailingData), 1U);
  // The header ten bytes further on.
  bytes = golden("copy.7z");
  const auto at =
      32 + static_cast<std::ptrdiff_t>(base::load_le<std::uint64_t>(base::ByteView(bytes).subspan(12)));
  bytes.insert(bytes.begin() + at, 10, 'x');
  bytes[12] = static_cast<std::uint8_t>(bytes[12] + 10);
  EXPECT_EQ(read_all(resealed(bytes)).anomalies.count(AnomalyKind::kGap), 1U);
}

TEST(SevenZip, ReportsAWrongChecksumOfAFile) {
  Bytes bytes = golden("copy.7z");
  bytes[40] ^= 1;  // of the first file's contents
  const Read read = read_all(bytes);
  EXPECT_EQ(read.anomalies.count(AnomalyKind::kBadChecksum), 1U);
  EXPECT_THAT(read.errors, IsEmpty());
}

TEST(SevenZip, RefusesADamagedOrTruncatedHeader) {
  for (const char* const file : {"copy.7z", "lzma.7z"}) {
    const Bytes bytes = golden(file);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const Read read = read_all(Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)));
      ASSERT_FALSE(read.errors.empty()) << size;
      EXPECT_EQ(read.errors[0].code, ErrorCode::kDataCorrupt);
    }
    const auto offset =
        static_cast<std::size_t>(base::load_le<std::uint64_t>(base::ByteView(bytes).subspan(12)));
    for (std::size_t at = 32 + offset; at < bytes.size(); ++at) {
      Bytes damaged = bytes;
      damaged[at] ^= 0x20;
      EXPECT_THAT(read_all(damaged).errors, testing::Not(IsEmpty())) << at;
      read_all(resealed(damaged));  // whatever it says then: no crash, and no more than it was given to hold
    }
  }
}

TEST(SevenZip, HoldsNoMoreThanItsShareOfMemory) {
  MemoryBudget budget;
  EXPECT_THAT(read_all(golden("lzma2.7z"), {.memory = &budget}).errors, IsEmpty());
  EXPECT_EQ(budget.left(), MemoryBudget::kDefault);
  MemoryBudget little(10'000);
  const Read read = read_all(golden("loose.7z"), {.memory = &little});
  ASSERT_FALSE(read.errors.empty());
  EXPECT_EQ(read.errors[0].code, ErrorCode::kUnsupported);
}

TEST(SevenZip, BoundsWhatTheHeaderCounts) {
  const auto parse = [](std::initializer_list<std::uint8_t> bytes) {
    return parse_seven_zip_header(Bytes(bytes)).error().code;
  };
  EXPECT_EQ(parse({}), ErrorCode::kDataCorrupt);
  EXPECT_EQ(parse({2}), ErrorCode::kDataCorrupt);
  EXPECT_EQ(parse({1, 0x77}), ErrorCode::kUnsupported);
  EXPECT_EQ(parse({1, 5, 0xF0, 0xFF, 0xFF, 0xFF, 0xFF}), ErrorCode::kLimitExceeded);        // files
  EXPECT_EQ(parse({1, 4, 6, 0, 0xF0, 0xFF, 0xFF, 0xFF, 0xFF}), ErrorCode::kLimitExceeded);  // packed streams
  EXPECT_EQ(parse({1, 4, 7, 11, 1, 0, 9}), ErrorCode::kLimitExceeded);                      // coders
  EXPECT_EQ(parse({1, 4, 7, 11, 1, 0, 0}), ErrorCode::kDataCorrupt);
  EXPECT_EQ(parse({1, 4, 7, 11, 1, 1}), ErrorCode::kUnsupported);           // elsewhere
  EXPECT_EQ(parse({1, 4, 7, 11, 1, 0, 1, 1, 0}), ErrorCode::kDataCorrupt);  // nothing packed
}

}  // namespace
}  // namespace holdfast::formats
