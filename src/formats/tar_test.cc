#include "formats/tar.h"

#include <fmt/format.h>
#include <gmock/gmock-more-matchers.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace holdfast::formats {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;
using base::ErrorCode;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

using Kind = AnomalyKind;

void put(std::string& block, std::size_t at, std::string_view text) {
  std::copy(text.begin(), text.end(), block.begin() + static_cast<std::ptrdiff_t>(at));
}

std::string padded(std::string contents) {
  contents.resize((contents.size() + 511) / 512 * 512, '\0');
  return contents;
}

// A header as ustar has it, after `change`, with the right checksum, and contents in whole blocks.
std::string entry(std::string_view name, char type, std::string_view contents = {},
                  const std::function<void(std::string&)>& change = {}) {
  std::string block(512, '\0');
  put(block, 0, name);
  put(block, 100, "0000644");
  put(block, 124, fmt::format("{:011o}", contents.size()));
  block[156] = type;
  put(block, 257, "ustar\00000"s);
  if (change) change(block);
  unsigned sum = 8 * ' ';
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put(block, 148, fmt::format("{:06o}\0 ", sum));
  block[154] = '\0';
  return block + padded(std::string(contents));
}

std::string record(std::string_view key, std::string_view value) {
  const std::size_t rest = key.size() + value.size() + 3;  // space, "=", line feed
  std::size_t length = rest + 1;
  while (fmt::format("{}", length).size() + rest != length) ++length;
  return fmt::format("{} {}={}\n", length, key, value);
}

const std::string kEnd(1024, '\0');

struct Seen {
  std::vector<std::pair<std::string, std::string>> files;  // name and contents
  std::vector<TarEntry> entries;
  std::vector<Kind> anomalies;
  std::optional<ErrorCode> error;
};

Seen read_all(TarReader& tar) {
  Seen seen;
  for (;;) {
    const auto entry = tar.next();
    if (!entry) seen.error = entry.error().code;
    if (!entry || !*entry) break;
    seen.entries.push_back(**entry);
    std::string contents;
    base::Bytes buffer(100);
    for (;;) {
      const auto got = tar.read(buffer);
      if (!got) seen.error = got.error().code;
      if (!got || *got == 0) break;
      contents += base::as_text(buffer).substr(0, *got);
    }
    seen.files.emplace_back((*entry)->name, contents);
    if (seen.error) break;
  }
  for (const Anomaly& anomaly : tar.anomalies().items()) seen.anomalies.push_back(anomaly.kind);
  return seen;
}

Seen read_all(std::string_view bytes) {
  const MemorySource source(base::as_bytes(bytes));
  SourceStream stream(source);
  TarReader tar(stream);
  return read_all(tar);
}

using Files = std::vector<std::pair<std::string, std::string>>;

TEST(Tar, ReadsFilesAndFolders) {
  const std::string large(1500, 'x');
  const Seen seen = read_all(entry("a/", '5') + entry("a/one", '0', "contents") + entry("old", '\0', large) +
                             entry("folder/", '\0') + entry("empty", '7') + kEnd);
  EXPECT_FALSE(seen.error);
  EXPECT_EQ(seen.files,
            (Files{{"a/", ""}, {"a/one", "contents"}, {"old", large}, {"folder/", ""}, {"empty", ""}}));
  EXPECT_THAT(seen.anomalies, IsEmpty());
  EXPECT_EQ(seen.entries[0].type, TarType::kFolder);
  EXPECT_EQ(seen.entries[1].offset, 512U);
  EXPECT_EQ(seen.entries[3].type, TarType::kFolder);
}

TEST(Tar, SkipsContentsThatNobodyRead) {
  const std::string bytes = entry("a", '0', std::string(70'000, 'x')) + entry("b", '0', "b") + kEnd;
  const MemorySource source(base::as_bytes(bytes));
  SourceStream stream(source);
  TarReader tar(stream);
  ASSERT_TRUE(*tar.next());
  const auto second = tar.next();
  ASSERT_TRUE(second && *second);
  EXPECT_EQ((*second)->name, "b");
}

TEST(Tar, JoinsTheUstarPrefix) {
  const auto with_prefix = [](std::string& block) { put(block, 345, "very/long"); };
  EXPECT_EQ(read_all(entry("name", '0', "", with_prefix) + kEnd).files, (Files{{"very/long/name", ""}}));
  // Only Python reads a prefix where the magic is GNU's.
  const Seen gnu = read_all(entry("name", '0', "",
                                  [&](std::string& block) {
                                    with_prefix(block);
                                    put(block, 257, "ustar  \0"s);
                                  }) +
                            kEnd);
  EXPECT_EQ(gnu.files, (Files{{"very/long/name", ""}}));
  EXPECT_THAT(gnu.anomalies, ElementsAre(Kind::kNameDiffers));
}

TEST(Tar, TakesGnuAndPaxNames) {
  const std::string name(200, 'n');
  EXPECT_EQ(read_all(entry("././@LongLink", 'L', name + '\0') + entry("short", '0', "c") + kEnd).files,
            (Files{{name, "c"}}));
  const Seen link = read_all(entry("././@LongLink", 'K', name + '\0') + entry("l", '2') + kEnd);
  EXPECT_EQ(link.entries[0].link, name);
  EXPECT_EQ(
      read_all(entry("x", 'x', record("path", name) + record("mtime", "1.5")) + entry("s", '0', "c") + kEnd)
          .files,
      (Files{{name, "c"}}));
  const std::string sized =
      entry("s", '0', "contents", [](std::string& block) { put(block, 124, "00000000000"); });
  EXPECT_EQ(read_all(entry("x", 'x', record("size", "8")) + sized + kEnd).files, (Files{{"s", "contents"}}));
  EXPECT_EQ(read_all(entry("g", 'g', record("comment", "commit")) + entry("a", '0') + kEnd).files,
            (Files{{"a", ""}}));
}

TEST(Tar, ReportsNamesThatContradict) {
  const Seen seen = read_all(entry("x", 'x', record("path", "first")) + entry("L", 'L', "second\0"s) +
                             entry("third", '0') + kEnd);
  EXPECT_EQ(seen.files[0].first, "first");
  EXPECT_THAT(seen.anomalies, ElementsAre(Kind::kNameDiffers));
}

TEST(Tar, RefusesAGlobalNameOrSize) {
  EXPECT_EQ(read_all(entry("g", 'g', record("path", "all")) + entry("a", '0') + kEnd).error,
            ErrorCode::kUnsupported);
  EXPECT_EQ(read_all(entry("g", 'g', record("size", "4")) + entry("a", '0') + kEnd).error,
            ErrorCode::kUnsupported);
}

TEST(Tar, RefusesBrokenPaxRecords) {
  for (const std::string& records :
       {"5 a=b"s, "x"s, "99 path=a\n"s, "3 path=a\n"s, "8 pathaa\n"s, "99999999999999999999 a=b\n"s,
        "9  path=a"s, record("size", "-1"), record("size", "9999999999999999999"), record("size", "1.5")}) {
    EXPECT_EQ(read_all(entry("x", 'x', records) + entry("a", '0') + kEnd).error, ErrorCode::kDataCorrupt)
        << records;
  }
}

TEST(Tar, ReadsNumbersOfBothForms) {
  const auto size = [](std::string_view field) {
    return read_all(entry("a", '0', "", [&](std::string& block) { put(block, 124, field); }) +
                    padded("contents") + kEnd);
  };
  EXPECT_EQ(size("\x80\0\0\0\0\0\0\0\0\0\0\4"s).files, (Files{{"a", "cont"}}));
  EXPECT_EQ(size("        4 \0\0"s).files, (Files{{"a", "cont"}}));
  EXPECT_EQ(size("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s).error, ErrorCode::kDataCorrupt);
  EXPECT_EQ(size("\x80\1\0\0\0\0\0\0\0\0\0\0"s).error, ErrorCode::kDataCorrupt);
  EXPECT_EQ(size("0000000000x\0"s).error, ErrorCode::kDataCorrupt);
  EXPECT_EQ(size("-0000000004\0"s).error, ErrorCode::kDataCorrupt);
}

TEST(Tar, ReportsEntriesThatAreNoFiles) {
  const auto linked = [](char type, std::string_view target) {
    return read_all(entry("a", type, "", [&](std::string& block) { put(block, 157, target); }) + kEnd)
        .anomalies;
  };
  EXPECT_THAT(linked('2', "b"), ElementsAre(Kind::kSymbolicLink));
  EXPECT_THAT(linked('1', "b"), ElementsAre(Kind::kHardLink));
  EXPECT_THAT(linked('2', "../../etc"), UnorderedElementsAre(Kind::kSymbolicLink, Kind::kPathTraversal));
  EXPECT_THAT(linked('1', "/etc/passwd"), UnorderedElementsAre(Kind::kHardLink, Kind::kAbsolutePath));
  for (const char type : {'3', '4', '6'}) EXPECT_THAT(linked(type, ""), ElementsAre(Kind::kSpecialFile));
}

TEST(Tar, ReportsNamesThatMislead) {
  EXPECT_THAT(read_all(entry("../a", '0') + kEnd).anomalies, ElementsAre(Kind::kPathTraversal));
  EXPECT_THAT(read_all(entry("/a", '0') + kEnd).anomalies, ElementsAre(Kind::kAbsolutePath));
  EXPECT_THAT(read_all(entry("a", '0') + entry("./a", '0') + kEnd).anomalies,
              ElementsAre(Kind::kDuplicateName));
}

TEST(Tar, ReportsContentsThatOnlySomeReadersSee) {
  // Python takes a folder to have none, so the next header is where the contents were.
  const Seen seen = read_all(entry("a", '5', "", [](std::string& block) { put(block, 124, "00000001000"); }) +
                             entry("b", '0', "b") + kEnd);
  EXPECT_THAT(seen.anomalies, ElementsAre(Kind::kSizeDiffers));
  EXPECT_EQ(seen.files[1], std::pair("b"s, "b"s));
  const Seen unknown = read_all(entry("a", 'Z', "data") + entry("b", '0') + kEnd);
  EXPECT_THAT(unknown.anomalies, ElementsAre(Kind::kUnsupported));
  EXPECT_EQ(unknown.files[0], std::pair("a"s, "data"s));
}

TEST(Tar, StepsOverSparseMaps) {
  const auto more = [](std::string& block) { block[482] = 1; };
  std::string map(512, '\0');
  const std::string header = entry("s", 'S', "data", more);
  const Seen seen = read_all(header.substr(0, 512) + map + header.substr(512) + entry("b", '0', "b") + kEnd);
  EXPECT_EQ(seen.files, (Files{{"s", "data"}, {"b", "b"}}));
  EXPECT_THAT(seen.anomalies, ElementsAre(Kind::kUnsupported));
  const Seen pax =
      read_all(entry("x", 'x', record("GNU.sparse.major", "1")) + entry("s", '0', "data") + kEnd);
  EXPECT_EQ(pax.entries[0].type, TarType::kSparse);
}

TEST(Tar, LooksBeyondTheEnd) {
  const std::string one = entry("a", '0', "a");
  EXPECT_THAT(read_all(one + kEnd + std::string(8192, '\0')).anomalies, IsEmpty());
  EXPECT_THAT(read_all(one).anomalies, IsEmpty());
  EXPECT_THAT(read_all(one + kEnd + entry("evil", '0')).anomalies, ElementsAre(Kind::kHiddenEntry));
  EXPECT_THAT(read_all(one + kEnd + "junk").anomalies, ElementsAre(Kind::kTrailingData));
  std::string damaged = entry("b", '0');
  damaged[0] = 'c';
  const Seen seen = read_all(one + damaged + entry("c", '0') + kEnd);
  EXPECT_EQ(seen.files.size(), 1U);
  EXPECT_THAT(seen.anomalies,
              UnorderedElementsAre(Kind::kBadChecksum, Kind::kTrailingData, Kind::kHiddenEntry));
}

TEST(Tar, SurvivesTruncationAtEachByte) {
  const std::string whole = entry("x", 'x', record("path", "name")) + entry("a", '0', "contents");
  EXPECT_FALSE(read_all(whole).error);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Seen seen = read_all(whole.substr(0, size));
    const bool noticed = seen.error || !seen.anomalies.empty();
    // Cut in the padding after the contents, nothing is missing until the next header is asked for.
    EXPECT_TRUE(noticed || size % 512 == 0) << size;
  }
}

TEST(Tar, AnExtensionNeedsItsEntry) {
  EXPECT_EQ(read_all(entry("a", '0') + entry("L", 'L', "name") + kEnd).error, ErrorCode::kDataCorrupt);
}

TEST(Tar, BoundsExtensions) {
  EXPECT_EQ(
      read_all(entry("L", 'L', std::string(TarReader::kMaxExtensionBytes + 1, 'n')) + entry("a", '0') + kEnd)
          .error,
      ErrorCode::kLimitExceeded);
  std::string many;
  for (int i = 0; i <= TarReader::kMaxExtensions; ++i) many += entry("L", 'L', "n");
  EXPECT_EQ(read_all(many + entry("a", '0') + kEnd).error, ErrorCode::kLimitExceeded);
}

TEST(Tar, IsNoTarWithoutAHeader) {
  EXPECT_EQ(read_all(""sv).error, ErrorCode::kDataCorrupt);
  EXPECT_EQ(read_all(std::string(511, 'x')).error, ErrorCode::kDataCorrupt);
  EXPECT_EQ(read_all(std::string(2000, 'x')).error, ErrorCode::kDataCorrupt);
}

// Archives that other programs wrote: testdata/tar/README.md.
TEST(Tar, ReadsOthersArchivesWithoutAnomalies) {
  for (const auto& file : std::filesystem::directory_iterator(HOLDFAST_TESTDATA "/tar")) {
    if (file.path().extension() != ".tar") continue;
    const auto source = FileSource::open(file.path());
    ASSERT_TRUE(source);
    SourceStream stream(*source);
    TarReader tar(stream);
    const Seen seen = read_all(tar);
    EXPECT_FALSE(seen.error) << file.path();
    EXPECT_THAT(seen.anomalies, IsEmpty()) << file.path();
    EXPECT_THAT(seen.files, Contains(std::pair("model/data.txt"s, "hello\n"s))) << file.path();
    EXPECT_THAT(seen.files, Contains(std::pair("model/" + std::string(150, 'n'), ""s))) << file.path();
  }
}

}  // namespace
}  // namespace holdfast::formats
