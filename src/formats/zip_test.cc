#include "formats/zip.h"

#include <gmock/gmock-more-matchers.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "base/file.h"
#include "formats/zip_test_builder.h"

namespace holdfast::formats {
namespace {

using base::append;
using base::append_le;
using base::Bytes;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

using Kind = AnomalyKind;

std::vector<Kind> kinds(const Anomalies& anomalies) {
  std::vector<Kind> out;
  for (const Anomaly& anomaly : anomalies.items()) out.push_back(anomaly.kind);
  return out;
}

std::vector<Kind> kinds(const Bytes& bytes) {
  const MemorySource source(bytes);
  const auto zip = ZipReader::open(source);
  EXPECT_TRUE(zip) << zip.error().message;
  return zip ? kinds(zip->anomalies()) : std::vector<Kind>{};
}

struct Read {
  std::string contents;
  bool failed = false;
  std::vector<Kind> anomalies;
};

Read read_member(const ZipReader& zip, const ZipEntry& entry, std::size_t step = 7) {
  auto member = zip.open_member(entry);
  if (!member) return {.contents = {}, .failed = true, .anomalies = {}};
  Read out;
  Bytes buffer(step);
  for (;;) {
    const auto got = member->read(buffer);
    out.failed = !got;
    if (!got || *got == 0) break;
    out.contents += base::as_text(buffer).substr(0, *got);
  }
  out.anomalies = kinds(member->anomalies());
  return out;
}

Read read_first(const Bytes& bytes) {
  const MemorySource source(bytes);
  const auto zip = ZipReader::open(source);
  EXPECT_TRUE(zip) << zip.error().message;
  return zip ? read_member(*zip, zip->entries().front()) : Read{};
}

std::string thousand_lines() {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "line " + std::to_string(i * i) + "\n";
  return text;
}

TEST(Zip, ReadsStoredAndDeflatedMembers) {
  const std::string text = thousand_lines();
  const Bytes bytes = zip_archive(
      {zip_item("a/data.pkl", "stored"), zip_item("a/text", text, kZipDeflated), zip_item("a/", "")});
  const MemorySource source(bytes);
  const auto zip = ZipReader::open(source);
  ASSERT_TRUE(zip);
  EXPECT_THAT(kinds(zip->anomalies()), IsEmpty());
  ASSERT_EQ(zip->entries().size(), 3U);
  EXPECT_EQ(zip->entries()[0].name, "a/data.pkl");
  EXPECT_TRUE(zip->entries()[2].is_folder());
  for (const std::size_t step : {1UL, 7UL, 100'000UL}) {
    EXPECT_EQ(read_member(*zip, zip->entries()[0], step).contents, "stored");
    const Read read = read_member(*zip, zip->entries()[1], step);
    EXPECT_EQ(read.contents, text);
    EXPECT_THAT(read.anomalies, IsEmpty());
  }
}

TEST(Zip, GivesAStoredMemberInPlace) {
  const Bytes bytes = zip_archive({zip_item("w", "weights"), zip_item("z", "zzzzzzzzzzzz", kZipDeflated)});
  const MemorySource source(bytes);
  const auto zip = ZipReader::open(source);
  ASSERT_TRUE(zip);
  const auto range = zip->stored_range(zip->entries()[0]);
  ASSERT_TRUE(range);
  EXPECT_EQ(base::as_text(*read_exactly(*range, 0, 7)), "weights");
  EXPECT_EQ(zip->stored_range(zip->entries()[1]).error().code, base::ErrorCode::kInvalidArgument);
}

TEST(Zip, TakesTheEmptyArchive) { EXPECT_THAT(kinds(zip_archive({})), IsEmpty()); }

TEST(Zip, AcceptsPyTorchsPaddingAndDescriptors) {
  ZipItem padded = zip_item("archive/data/0", "tensor");
  padded.local.extra = {'F', 'B', 6, 0, 'Z', 'Z', 'Z', 'Z', 'Z', 'Z'};
  padded.local.flags = padded.central.flags = 0x0808;
  append(padded.after, "PK\7\x8");
  append_le(padded.after, padded.central.crc);
  append_le(padded.after, padded.central.compressed);
  append_le(padded.after, padded.central.size);
  padded.local.crc = padded.local.compressed = padded.local.size = 0;
  const Bytes bytes = zip_archive({padded, zip_item("archive/version", "3\n")});
  EXPECT_THAT(kinds(bytes), IsEmpty());
  EXPECT_EQ(read_first(bytes).contents, "tensor");
}

TEST(Zip, AcceptsEachFormOfDataDescriptor) {
  for (const bool signature : {false, true}) {
    for (const bool wide : {false, true}) {
      for (const std::string_view contents : {"", "contents"}) {
        ZipItem it = zip_item("a", contents);
        it.local.flags = it.central.flags = 8;
        if (signature) append(it.after, "PK\7\x8");
        append_le(it.after, it.central.crc);
        for (int i = 0; i < 2; ++i) {
          append_le(it.after, it.central.size);
          if (wide) append_le<std::uint32_t>(it.after, 0);
        }
        EXPECT_THAT(kinds(zip_archive({it, zip_item("b", "")})), IsEmpty()) << signature << wide << contents;
      }
    }
  }
}

TEST(Zip, ReportsADescriptorThatDisagrees) {
  ZipItem it = zip_item("a", "contents");
  it.local.flags = it.central.flags = 8;
  it.after = Bytes(12, 0x55);
  EXPECT_THAT(kinds(zip_archive({it})), UnorderedElementsAre(Kind::kDescriptorDiffers, Kind::kGap));
}

TEST(Zip, ReadsZip64) {
  ZipItem it = zip_item("a", "contents", kZipDeflated);
  Bytes& extra = it.central.extra;
  append_le<std::uint16_t>(extra, 1);
  append_le<std::uint16_t>(extra, 16);
  append_le<std::uint64_t>(extra, it.central.size);
  append_le<std::uint64_t>(extra, it.central.compressed);
  it.local.extra = extra;
  it.local.size = it.local.compressed = it.central.size = it.central.compressed = 0xFFFFFFFF;
  const Bytes bytes = zip_archive({it}, zip_end([](ZipEnd& e) { e.zip64 = true; }));
  EXPECT_THAT(kinds(bytes), IsEmpty());
  EXPECT_EQ(read_first(bytes).contents, "contents");
}

TEST(Zip, ReportsZip64ThatContradictsItself) {
  const ZipItem it = zip_item("a", "contents");
  EXPECT_THAT(kinds(zip_archive({it}, zip_end([](ZipEnd& e) {
                                  e.zip64 = true;
                                  e.zip64_entries_more = 1;
                                }))),
              UnorderedElementsAre(Kind::kZip64Inconsistent, Kind::kEntryCountDiffers));
  ZipItem missing = it;
  missing.central.extra = {1, 0, 2, 0, 9, 9};
  missing.central.size = 0xFFFFFFFF;
  EXPECT_THAT(kinds(zip_archive({missing})), Contains(Kind::kZip64Inconsistent));
  ZipItem twice = it;
  twice.central.extra = {1, 0, 0, 0, 1, 0, 0, 0};
  EXPECT_THAT(kinds(zip_archive({twice})), ElementsAre(Kind::kZip64Inconsistent));
}

TEST(Zip, ReportsTwoZip64EndRecords) {
  // A second record inside the first entry, named by the locator: PyTorch takes it, Python the adjacent one.
  ZipItem decoy = zip_item("a", std::string("PK\6\6") + std::string(52, '\0'));
  const std::size_t decoy_at = 30 + 1;
  Bytes bytes = zip_archive({decoy}, zip_end([](ZipEnd& e) { e.zip64 = true; }));
  const std::size_t locator = bytes.size() - 22 - 20;
  bytes[locator + 8] = decoy_at;
  EXPECT_THAT(kinds(bytes), ElementsAre(Kind::kZip64Inconsistent));
}

TEST(Zip, ReportsHeadersThatDiffer) {
  const auto with = [](const std::function<void(ZipHeader&)>& change) {
    ZipItem it = zip_item("model/data.pkl", "contents");
    change(it.local);
    return kinds(zip_archive({it}));
  };
  EXPECT_THAT(with([](ZipHeader& h) { h.name = "model/data.txt"; }), ElementsAre(Kind::kNameDiffers));
  EXPECT_THAT(with([](ZipHeader& h) { h.name += "x"; }), ElementsAre(Kind::kNameDiffers));
  EXPECT_THAT(with([](ZipHeader& h) { h.name.pop_back(); }), ElementsAre(Kind::kNameDiffers));
  EXPECT_THAT(with([](ZipHeader& h) { h.method = 8; }), ElementsAre(Kind::kMethodDiffers));
  EXPECT_THAT(with([](ZipHeader& h) { h.flags = 0x800; }), ElementsAre(Kind::kFlagsDiffer));
  EXPECT_THAT(with([](ZipHeader& h) { h.crc ^= 1; }), ElementsAre(Kind::kCrcDiffers));
  EXPECT_THAT(with([](ZipHeader& h) { ++h.size; }), ElementsAre(Kind::kSizeDiffers));
  EXPECT_THAT(with([](ZipHeader& h) { h.compressed = 0; }), ElementsAre(Kind::kSizeDiffers));
}

TEST(Zip, ReportsWhatTheDirectorySaysOfAnEntry) {
  const auto with = [](const std::function<void(ZipHeader&)>& change) {
    ZipItem it = zip_item("a", "contents");
    change(it.local);
    change(it.central);
    return kinds(zip_archive({it}));
  };
  EXPECT_THAT(with([](ZipHeader& h) { h.flags = 1; }), ElementsAre(Kind::kEncrypted));
  EXPECT_THAT(with([](ZipHeader& h) { h.flags = 0x40; }), ElementsAre(Kind::kEncrypted));
  EXPECT_THAT(with([](ZipHeader& h) { h.flags = 0x20; }), ElementsAre(Kind::kUnknownFlags));
  EXPECT_THAT(with([](ZipHeader& h) { h.method = 12; }), ElementsAre(Kind::kUnsupported));
  EXPECT_THAT(with([](ZipHeader& h) { h.version = 64; }), ElementsAre(Kind::kVersionTooNew));
  EXPECT_THAT(with([](ZipHeader& h) { h.disk = 1; }), ElementsAre(Kind::kMultiDisk));
  EXPECT_THAT(with([](ZipHeader& h) { h.attributes = 0120777U << 16; }), ElementsAre(Kind::kSymbolicLink));
  EXPECT_THAT(with([](ZipHeader& h) { h.attributes = 0020666U << 16; }), ElementsAre(Kind::kSpecialFile));
  EXPECT_THAT(with([](ZipHeader& h) { h.attributes = 0100644U << 16; }), IsEmpty());
  EXPECT_THAT(with([](ZipHeader& h) { h.size = 9; }), ElementsAre(Kind::kSizeDiffers));
  EXPECT_THAT(with([](ZipHeader& h) { h.extra = {1, 2, 3}; }), ElementsAre(Kind::kBadExtraField));
  EXPECT_THAT(with([](ZipHeader& h) { h.extra = {0x75, 0x70, 6, 0, 1, 0, 0, 0, 0, 'b'}; }),
              ElementsAre(Kind::kNameDiffers));
  EXPECT_THAT(with([](ZipHeader& h) {
                h.method = 8;
                h.size = 100U << 20;
              }),
              ElementsAre(Kind::kHighRatio));
}

TEST(Zip, ReportsNamesThatMislead) {
  const auto named = [](std::string name, std::uint16_t flags = 0) {
    ZipItem it = zip_item(std::move(name), "");
    it.local.flags = it.central.flags = flags;
    return kinds(zip_archive({it}));
  };
  EXPECT_THAT(named("../a"), ElementsAre(Kind::kPathTraversal));
  EXPECT_THAT(named("a/.."), ElementsAre(Kind::kPathTraversal));
  EXPECT_THAT(named("a/../b"), ElementsAre(Kind::kPathTraversal));
  EXPECT_THAT(named("a..b/...c"), IsEmpty());
  EXPECT_THAT(named("/etc/passwd"), ElementsAre(Kind::kAbsolutePath));
  EXPECT_THAT(named("C:/a"), ElementsAre(Kind::kAbsolutePath));
  EXPECT_THAT(named("a\\b"), ElementsAre(Kind::kBackslash));
  EXPECT_THAT(named("a\\..\\b"), UnorderedElementsAre(Kind::kBackslash, Kind::kPathTraversal));
  EXPECT_THAT(named(std::string("a.txt\0.pkl", 10)), ElementsAre(Kind::kNulInName));
  EXPECT_THAT(named(""), ElementsAre(Kind::kBadName));
  EXPECT_THAT(named("a\nb"), ElementsAre(Kind::kBadName));
  EXPECT_THAT(named("\xC3\x28"), IsEmpty());
  EXPECT_THAT(named("\xC3\x28", 0x800), ElementsAre(Kind::kBadName));
  EXPECT_THAT(named("m\xC3\xB6"
                    "del",
                    0x800),
              IsEmpty());
}

TEST(Zip, ReportsEqualNamesAndFindsPythonsChoice) {
  const Bytes bytes =
      zip_archive({zip_item("data.pkl", "first"), zip_item("x", ""), zip_item("data.pkl", "second")});
  EXPECT_THAT(kinds(bytes), ElementsAre(Kind::kDuplicateName));
  const MemorySource source(bytes);
  const auto zip = ZipReader::open(source);
  ASSERT_TRUE(zip);
  ASSERT_NE(zip->find("data.pkl"), nullptr);
  EXPECT_EQ(read_member(*zip, *zip->find("data.pkl")).contents, "second");
  EXPECT_EQ(zip->find("data"), nullptr);
  EXPECT_THAT(kinds(zip_archive({zip_item("data.pkl", ""), zip_item("b", ""), zip_item("Data.PKL", "")})),
              ElementsAre(Kind::kCaseCollision));
  EXPECT_THAT(kinds(zip_archive({zip_item("a", ""), zip_item(std::string("a\0b", 3), "")})),
              UnorderedElementsAre(Kind::kNulInName, Kind::kDuplicateName));
}

TEST(Zip, ReportsOverlapsGapsAndHiddenEntries) {
  ZipItem twin = zip_item("b", "contents");
  const auto entry_size = static_cast<std::uint32_t>(30 + 1 + 8);
  twin.central.offset = 0U - entry_size;  // points at the first entry
  EXPECT_THAT(kinds(zip_archive({zip_item("a", "contents"), twin})),
              UnorderedElementsAre(Kind::kNameDiffers, Kind::kOverlap, Kind::kGap, Kind::kHiddenEntry));
  ZipItem gap = zip_item("a", "contents");
  gap.after = Bytes(100, 0);
  EXPECT_THAT(kinds(zip_archive({gap, zip_item("b", "")})), ElementsAre(Kind::kGap));
  append(gap.after, "PK\3\4");
  EXPECT_THAT(kinds(zip_archive({gap, zip_item("b", "")})),
              UnorderedElementsAre(Kind::kGap, Kind::kHiddenEntry));
}

TEST(Zip, FindsAHiddenEntryAcrossTheBuffersEdge) {
  for (std::size_t before = 65530; before < 65540; ++before) {
    ZipItem gap = zip_item("a", "");
    gap.after = Bytes(before, 'P');
    append(gap.after, "PK\3\4");
    EXPECT_THAT(kinds(zip_archive({gap})), Contains(Kind::kHiddenEntry)) << before;
  }
}

TEST(Zip, ReportsEntriesWithoutData) {
  ZipItem nowhere = zip_item("a", "contents");
  nowhere.central.offset = 5;
  const Bytes no_header = zip_archive({nowhere});
  EXPECT_THAT(kinds(no_header), Contains(Kind::kNoLocalHeader));
  EXPECT_TRUE(read_first(no_header).failed);
  ZipItem large = zip_item("a", "contents");
  large.local.compressed = large.local.size = large.central.compressed = large.central.size = 1000;
  EXPECT_THAT(kinds(zip_archive({large})), Contains(Kind::kOutOfRange));
  EXPECT_TRUE(read_first(zip_archive({large})).failed);
}

TEST(Zip, ReportsWhatStandsBeforeAndAfter) {
  const std::vector<ZipItem> one = {zip_item("a", "contents")};
  EXPECT_THAT(kinds(zip_archive(one, zip_end([](ZipEnd& e) {
                                  e.comment_size = 2;
                                  e.comment = "hi";
                                }))),
              IsEmpty());
  EXPECT_THAT(kinds(zip_archive(one, zip_end([](ZipEnd& e) { e.comment = "junk"; }))),
              ElementsAre(Kind::kTrailingData));
  EXPECT_THAT(kinds(zip_archive(one, zip_end([](ZipEnd& e) {
                                  e.comment_size = 9;
                                  e.comment = "hi";
                                }))),
              ElementsAre(Kind::kAmbiguousEnd));
  EXPECT_THAT(kinds(zip_archive(one, zip_end([](ZipEnd& e) { e.entries_more = 1; }))),
              ElementsAre(Kind::kEntryCountDiffers));
  Bytes volume = zip_archive(one, zip_end([](ZipEnd& e) { e.disk = 1; }));
  EXPECT_THAT(kinds(volume), ElementsAre(Kind::kMultiDisk));
  EXPECT_THAT(kinds(zip_archive(one, {}, "#!/bin/sh\n")), ElementsAre(Kind::kPrefixData));
}

TEST(Zip, FollowsPythonThroughAPrefixThatOffsetsIgnore) {
  Bytes bytes = {0x80, 2, '}', '.'};
  append(bytes, zip_archive({zip_item("a", "contents")}));
  EXPECT_THAT(kinds(bytes), ElementsAre(Kind::kPrefixData));
  EXPECT_EQ(read_first(bytes).contents, "contents");
}

TEST(Zip, ReportsADirectoryThatPyTorchFindsElsewhere) {
  const ZipItem real = zip_item("a", "contents");
  Bytes decoy;
  append_header(decoy, real.central, true);
  // Python goes by the size and finds `decoy`, PyTorch by the offset.
  EXPECT_THAT(
      kinds(zip_archive({real}, zip_end([&](ZipEnd& e) { e.between = std::string(base::as_text(decoy)); }))),
      Contains(Kind::kAmbiguousDirectory));
  // Nothing there for Python: PyTorch's reading is taken.
  const Bytes gap = zip_archive({real}, zip_end([](ZipEnd& e) { e.between = std::string(60, 'x'); }));
  EXPECT_THAT(kinds(gap), ElementsAre(Kind::kAmbiguousDirectory));
  EXPECT_EQ(read_first(gap).contents, "contents");
}

TEST(Zip, ReportsASecondEndRecord) {
  const Bytes inner = zip_archive({zip_item("evil", "payload")});
  Bytes in_comment = zip_archive({zip_item("a", "contents")}, zip_end([](ZipEnd& e) {
                                   e.comment_size = 22;
                                   e.comment = std::string("PK\5\6") + std::string(18, '\0');
                                 }));
  EXPECT_THAT(kinds(in_comment), Contains(Kind::kAmbiguousEnd));
  // A nested archive, stored: its end record is data.
  EXPECT_THAT(kinds(zip_archive({zip_item("inner.zip", base::as_text(inner))})), IsEmpty());
}

TEST(Zip, ShowsBadContentsWhileItGivesThem) {
  ZipItem crc = zip_item("a", "contents");
  crc.local.crc = crc.central.crc = 1;
  EXPECT_EQ(read_first(zip_archive({crc})).contents, "contents");
  EXPECT_THAT(read_first(zip_archive({crc})).anomalies, ElementsAre(Kind::kBadChecksum));

  ZipItem longer = zip_item("a", "contents and more", kZipDeflated);
  longer.local.size = longer.central.size = 8;
  longer.local.crc = longer.central.crc = crc_of("contents");
  EXPECT_EQ(read_first(zip_archive({longer})).contents, "contents");
  EXPECT_THAT(read_first(zip_archive({longer})).anomalies, ElementsAre(Kind::kSizeDiffers));

  ZipItem shorter = zip_item("a", "contents", kZipDeflated);
  shorter.local.size = shorter.central.size = 9;
  EXPECT_EQ(read_first(zip_archive({shorter})).contents, "contents");
  EXPECT_THAT(read_first(zip_archive({shorter})).anomalies, ElementsAre(Kind::kSizeDiffers));

  ZipItem more = zip_item("a", "contents", kZipDeflated);
  append(more.data, "hidden");
  more.local.compressed = more.central.compressed = static_cast<std::uint32_t>(more.data.size());
  EXPECT_THAT(read_first(zip_archive({more})).anomalies, ElementsAre(Kind::kSizeDiffers));

  ZipItem damaged = zip_item("a", thousand_lines(), kZipDeflated);
  damaged.data[damaged.data.size() / 2] ^= 0xFF;
  const Read read = read_first(zip_archive({damaged}));
  EXPECT_TRUE(read.failed || !read.anomalies.empty());
  EXPECT_TRUE(thousand_lines().starts_with(read.contents.substr(0, 100)));
}

TEST(Zip, RefusesToOpenWhatItCantRead) {
  ZipItem it = zip_item("a", "contents");
  it.local.method = it.central.method = 14;
  EXPECT_TRUE(read_first(zip_archive({it})).failed);
  it = zip_item("a", "contents");
  it.local.flags = it.central.flags = 1;
  EXPECT_TRUE(read_first(zip_archive({it})).failed);
}

TEST(Zip, SurvivesTruncationAtEachByte) {
  const Bytes whole = zip_archive(
      {zip_item("a/data.pkl", "stored"), zip_item("b", thousand_lines().substr(0, 300), kZipDeflated)},
      zip_end([](ZipEnd& e) {
        e.comment_size = 3;
        e.comment = "end";
        e.zip64 = true;
      }));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const MemorySource source(base::ByteView(whole).first(size));
    const auto zip = ZipReader::open(source);
    // Without the comment's bytes the archive is still there, and that is reported.
    EXPECT_EQ(zip.has_value(), size + 3 >= whole.size()) << size;
    if (zip) {
      EXPECT_THAT(kinds(zip->anomalies()), ElementsAre(Kind::kAmbiguousEnd)) << size;
    }
  }
}

TEST(Zip, NamesOfBoundsAndBrokenDirectoriesAreErrors) {
  const MemorySource nothing{{}};
  EXPECT_EQ(ZipReader::open(nothing).error().code, base::ErrorCode::kDataCorrupt);
  Bytes broken = zip_archive({zip_item("a", "contents")});
  broken[39] = 'X';  // the directory's signature
  const MemorySource source(broken);
  EXPECT_EQ(ZipReader::open(source).error().code, base::ErrorCode::kDataCorrupt);

  base::Bytes record;
  append_header(record, zip_item("a", "").central, true);
  base::Bytes over;
  for (std::size_t i = 0; i <= ZipReader::kMaxEntries; ++i) base::append(over, record);
  append_end(over, {}, ZipReader::kMaxEntries + 1, 0);
  const MemorySource large(over);
  EXPECT_EQ(ZipReader::open(large).error().code, base::ErrorCode::kLimitExceeded);
  EXPECT_TRUE(ZipReader::open(large, ZipReader::kMaxEntries + 1)) << "whoever needs more says how many";
}

TEST(Zip, KeepsABoundedNumberOfAnomaliesOfAKind) {
  const Bytes bytes = zip_archive(std::vector<ZipItem>(1000, zip_item("../a", "")));
  const MemorySource source(bytes);
  const auto zip = ZipReader::open(source);
  ASSERT_TRUE(zip);
  EXPECT_EQ(zip->anomalies().count(Kind::kPathTraversal), 1000U);
  EXPECT_EQ(zip->anomalies().items().size(), 2 * Anomalies::kMaxPerKind);
}

// Archives that other programs wrote: testdata/zip/README.md.
TEST(Zip, ReadsOthersArchivesWithoutAnomalies) {
  for (const auto& file : std::filesystem::directory_iterator(HOLDFAST_TESTDATA "/zip")) {
    if (file.path().extension() != ".zip") continue;
    const auto source = FileSource::open(file.path());
    ASSERT_TRUE(source);
    const auto zip = ZipReader::open(*source);
    ASSERT_TRUE(zip) << file.path();
    EXPECT_THAT(kinds(zip->anomalies()), IsEmpty()) << file.path() << zip->anomalies().items()[0].text;
    for (const ZipEntry& entry : zip->entries()) {
      const Read read = read_member(*zip, entry);
      EXPECT_FALSE(read.failed) << file.path() << entry.name;
      EXPECT_THAT(read.anomalies, IsEmpty()) << file.path() << entry.name;
    }
  }
}

}  // namespace
}  // namespace holdfast::formats
