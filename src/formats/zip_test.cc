#include "formats/zip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <functional>

#include "base/file.h"

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

std::uint32_t crc_of(std::string_view text) {
  return static_cast<std::uint32_t>(::crc32_z(0, base::as_bytes(text).data(), text.size()));
}

Bytes deflated(std::string_view text) {
  z_stream z{};
  deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
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

// The fields of a local or central header, each of which a test may make wrong.
struct Header {
  std::string name;
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint32_t crc = 0;
  std::uint32_t compressed = 0;
  std::uint32_t size = 0;
  std::uint32_t offset = 0;      // central only
  std::uint32_t attributes = 0;  // central only
  std::uint16_t disk = 0;        // central only
  std::uint8_t version = 20;
  Bytes extra;
};

struct Item {
  Header local;
  Header central;
  Bytes data;
  Bytes after;  // a data descriptor or a gap
};

Item item(std::string name, std::string_view contents, std::uint16_t method = kZipStored) {
  Bytes data = method == kZipDeflated ? deflated(contents) : Bytes(contents.begin(), contents.end());
  const Header header{.name = std::move(name),
                      .method = method,
                      .crc = crc_of(contents),
                      .compressed = static_cast<std::uint32_t>(data.size()),
                      .size = static_cast<std::uint32_t>(contents.size()),
                      .extra = {}};
  return {.local = header, .central = header, .data = std::move(data), .after = {}};
}

// The end records, each field of which a test may make wrong.
struct End {
  std::uint16_t disk = 0;
  int entries_more = 0;
  int size_more = 0;
  int offset_more = 0;
  std::uint16_t comment_size = 0;
  std::string comment;
  bool zip64 = false;
  int zip64_entries_more = 0;
  int zip64_named_more = 0;
  std::string between;  // directory and end records
};

End end(const std::function<void(End&)>& change) {
  End made;
  change(made);
  return made;
}

void append_header(Bytes& out, const Header& h, bool central) {
  append(out, central ? "PK\1\2" : "PK\3\4");
  if (central) append_le<std::uint16_t>(out, 3 << 8 | 20);
  append_le<std::uint16_t>(out, h.version);
  append_le(out, h.flags);
  append_le(out, h.method);
  append_le<std::uint32_t>(out, 0);
  append_le(out, h.crc);
  append_le(out, h.compressed);
  append_le(out, h.size);
  append_le(out, static_cast<std::uint16_t>(h.name.size()));
  append_le(out, static_cast<std::uint16_t>(h.extra.size()));
  if (central) {
    append_le<std::uint16_t>(out, 0);
    append_le(out, h.disk);
    append_le<std::uint16_t>(out, 0);
    append_le(out, h.attributes);
    append_le(out, h.offset);
  }
  append(out, h.name);
  append(out, h.extra);
}

std::uint32_t plus(std::size_t value, int more) {
  return static_cast<std::uint32_t>(static_cast<int>(value) + more);
}

void append_end(Bytes& out, const End& end, std::size_t entries, std::size_t directory) {
  const std::size_t size = out.size() - directory;
  append(out, end.between);
  if (end.zip64) {
    const std::size_t record = out.size();
    append(out, "PK\6\6");
    append_le<std::uint64_t>(out, 44);
    append_le<std::uint32_t>(out, 0);
    append_le<std::uint64_t>(out, 0);
    for (int i = 0; i < 2; ++i) append_le<std::uint64_t>(out, plus(entries, end.zip64_entries_more));
    append_le<std::uint64_t>(out, size);
    append_le<std::uint64_t>(out, directory);
    append(out, "PK\6\7");
    append_le<std::uint32_t>(out, 0);
    append_le<std::uint64_t>(out, plus(record, end.zip64_named_more));
    append_le<std::uint32_t>(out, 1);
  }
  append(out, "PK\5\6");
  for (int i = 0; i < 2; ++i) append_le(out, end.disk);
  for (int i = 0; i < 2; ++i) append_le(out, static_cast<std::uint16_t>(plus(entries, end.entries_more)));
  append_le(out, plus(size, end.size_more));
  append_le(out, plus(directory, end.offset_more));
  append_le(out, end.comment_size);
  append(out, end.comment);
}

Bytes archive(std::vector<Item> items, const End& end = {}, std::string_view prefix = {}) {
  Bytes out(prefix.begin(), prefix.end());
  for (Item& it : items) {
    it.central.offset += static_cast<std::uint32_t>(out.size());
    append_header(out, it.local, false);
    append(out, it.data);
    append(out, it.after);
  }
  const std::size_t directory = out.size();
  for (const Item& it : items) append_header(out, it.central, true);
  append_end(out, end, items.size(), directory);
  return out;
}

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
  const Bytes bytes =
      archive({item("a/data.pkl", "stored"), item("a/text", text, kZipDeflated), item("a/", "")});
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
  const Bytes bytes = archive({item("w", "weights"), item("z", "zzzzzzzzzzzz", kZipDeflated)});
  const MemorySource source(bytes);
  const auto zip = ZipReader::open(source);
  ASSERT_TRUE(zip);
  const auto range = zip->stored_range(zip->entries()[0]);
  ASSERT_TRUE(range);
  EXPECT_EQ(base::as_text(*read_exactly(*range, 0, 7)), "weights");
  EXPECT_EQ(zip->stored_range(zip->entries()[1]).error().code, base::ErrorCode::kInvalidArgument);
}

TEST(Zip, TakesTheEmptyArchive) { EXPECT_THAT(kinds(archive({})), IsEmpty()); }

TEST(Zip, AcceptsPyTorchsPaddingAndDescriptors) {
  Item padded = item("archive/data/0", "tensor");
  padded.local.extra = {'F', 'B', 6, 0, 'Z', 'Z', 'Z', 'Z', 'Z', 'Z'};
  padded.local.flags = padded.central.flags = 0x0808;
  append(padded.after, "PK\7\x8");
  append_le(padded.after, padded.central.crc);
  append_le(padded.after, padded.central.compressed);
  append_le(padded.after, padded.central.size);
  padded.local.crc = padded.local.compressed = padded.local.size = 0;
  const Bytes bytes = archive({padded, item("archive/version", "3\n")});
  EXPECT_THAT(kinds(bytes), IsEmpty());
  EXPECT_EQ(read_first(bytes).contents, "tensor");
}

TEST(Zip, AcceptsEachFormOfDataDescriptor) {
  for (const bool signature : {false, true}) {
    for (const bool wide : {false, true}) {
      for (const std::string_view contents : {"", "contents"}) {
        Item it = item("a", contents);
        it.local.flags = it.central.flags = 8;
        if (signature) append(it.after, "PK\7\x8");
        append_le(it.after, it.central.crc);
        for (int i = 0; i < 2; ++i) {
          append_le(it.after, it.central.size);
          if (wide) append_le<std::uint32_t>(it.after, 0);
        }
        EXPECT_THAT(kinds(archive({it, item("b", "")})), IsEmpty()) << signature << wide << contents;
      }
    }
  }
}

TEST(Zip, ReportsADescriptorThatDisagrees) {
  Item it = item("a", "contents");
  it.local.flags = it.central.flags = 8;
  it.after = Bytes(12, 0x55);
  EXPECT_THAT(kinds(archive({it})), UnorderedElementsAre(Kind::kDescriptorDiffers, Kind::kGap));
}

TEST(Zip, ReadsZip64) {
  Item it = item("a", "contents", kZipDeflated);
  Bytes& extra = it.central.extra;
  append_le<std::uint16_t>(extra, 1);
  append_le<std::uint16_t>(extra, 16);
  append_le<std::uint64_t>(extra, it.central.size);
  append_le<std::uint64_t>(extra, it.central.compressed);
  it.local.extra = extra;
  it.local.size = it.local.compressed = it.central.size = it.central.compressed = 0xFFFFFFFF;
  const Bytes bytes = archive({it}, end([](End& e) { e.zip64 = true; }));
  EXPECT_THAT(kinds(bytes), IsEmpty());
  EXPECT_EQ(read_first(bytes).contents, "contents");
}

TEST(Zip, ReportsZip64ThatContradictsItself) {
  const Item it = item("a", "contents");
  EXPECT_THAT(kinds(archive({it}, end([](End& e) {
                              e.zip64 = true;
                              e.zip64_entries_more = 1;
                            }))),
              UnorderedElementsAre(Kind::kZip64Inconsistent, Kind::kEntryCountDiffers));
  Item missing = it;
  missing.central.extra = {1, 0, 2, 0, 9, 9};
  missing.central.size = 0xFFFFFFFF;
  EXPECT_THAT(kinds(archive({missing})), Contains(Kind::kZip64Inconsistent));
  Item twice = it;
  twice.central.extra = {1, 0, 0, 0, 1, 0, 0, 0};
  EXPECT_THAT(kinds(archive({twice})), ElementsAre(Kind::kZip64Inconsistent));
}

TEST(Zip, ReportsTwoZip64EndRecords) {
  // A second record inside the first entry, named by the locator: PyTorch takes it, Python the adjacent one.
  Item decoy = item("a", std::string("PK\6\6") + std::string(52, '\0'));
  const std::size_t decoy_at = 30 + 1;
  Bytes bytes = archive({decoy}, end([](End& e) { e.zip64 = true; }));
  const std::size_t locator = bytes.size() - 22 - 20;
  bytes[locator + 8] = decoy_at;
  EXPECT_THAT(kinds(bytes), ElementsAre(Kind::kZip64Inconsistent));
}

TEST(Zip, ReportsHeadersThatDiffer) {
  const auto with = [](const std::function<void(Header&)>& change) {
    Item it = item("model/data.pkl", "contents");
    change(it.local);
    return kinds(archive({it}));
  };
  EXPECT_THAT(with([](Header& h) { h.name = "model/data.txt"; }), ElementsAre(Kind::kNameDiffers));
  EXPECT_THAT(with([](Header& h) { h.name += "x"; }), ElementsAre(Kind::kNameDiffers));
  EXPECT_THAT(with([](Header& h) { h.name.pop_back(); }), ElementsAre(Kind::kNameDiffers));
  EXPECT_THAT(with([](Header& h) { h.method = 8; }), ElementsAre(Kind::kMethodDiffers));
  EXPECT_THAT(with([](Header& h) { h.flags = 0x800; }), ElementsAre(Kind::kFlagsDiffer));
  EXPECT_THAT(with([](Header& h) { h.crc ^= 1; }), ElementsAre(Kind::kCrcDiffers));
  EXPECT_THAT(with([](Header& h) { ++h.size; }), ElementsAre(Kind::kSizeDiffers));
  EXPECT_THAT(with([](Header& h) { h.compressed = 0; }), ElementsAre(Kind::kSizeDiffers));
}

TEST(Zip, ReportsWhatTheDirectorySaysOfAnEntry) {
  const auto with = [](const std::function<void(Header&)>& change) {
    Item it = item("a", "contents");
    change(it.local);
    change(it.central);
    return kinds(archive({it}));
  };
  EXPECT_THAT(with([](Header& h) { h.flags = 1; }), ElementsAre(Kind::kEncrypted));
  EXPECT_THAT(with([](Header& h) { h.flags = 0x40; }), ElementsAre(Kind::kEncrypted));
  EXPECT_THAT(with([](Header& h) { h.flags = 0x20; }), ElementsAre(Kind::kUnknownFlags));
  EXPECT_THAT(with([](Header& h) { h.method = 12; }), ElementsAre(Kind::kUnsupported));
  EXPECT_THAT(with([](Header& h) { h.version = 64; }), ElementsAre(Kind::kVersionTooNew));
  EXPECT_THAT(with([](Header& h) { h.disk = 1; }), ElementsAre(Kind::kMultiDisk));
  EXPECT_THAT(with([](Header& h) { h.attributes = 0120777U << 16; }), ElementsAre(Kind::kSymbolicLink));
  EXPECT_THAT(with([](Header& h) { h.attributes = 0020666U << 16; }), ElementsAre(Kind::kSpecialFile));
  EXPECT_THAT(with([](Header& h) { h.attributes = 0100644U << 16; }), IsEmpty());
  EXPECT_THAT(with([](Header& h) { h.size = 9; }), ElementsAre(Kind::kSizeDiffers));
  EXPECT_THAT(with([](Header& h) { h.extra = {1, 2, 3}; }), ElementsAre(Kind::kBadExtraField));
  EXPECT_THAT(with([](Header& h) { h.extra = {0x75, 0x70, 6, 0, 1, 0, 0, 0, 0, 'b'}; }),
              ElementsAre(Kind::kNameDiffers));
  EXPECT_THAT(with([](Header& h) {
                h.method = 8;
                h.size = 100U << 20;
              }),
              ElementsAre(Kind::kHighRatio));
}

TEST(Zip, ReportsNamesThatMislead) {
  const auto named = [](std::string name, std::uint16_t flags = 0) {
    Item it = item(std::move(name), "");
    it.local.flags = it.central.flags = flags;
    return kinds(archive({it}));
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
  const Bytes bytes = archive({item("data.pkl", "first"), item("x", ""), item("data.pkl", "second")});
  EXPECT_THAT(kinds(bytes), ElementsAre(Kind::kDuplicateName));
  const MemorySource source(bytes);
  const auto zip = ZipReader::open(source);
  ASSERT_TRUE(zip);
  ASSERT_NE(zip->find("data.pkl"), nullptr);
  EXPECT_EQ(read_member(*zip, *zip->find("data.pkl")).contents, "second");
  EXPECT_EQ(zip->find("data"), nullptr);
  EXPECT_THAT(kinds(archive({item("data.pkl", ""), item("b", ""), item("Data.PKL", "")})),
              ElementsAre(Kind::kCaseCollision));
  EXPECT_THAT(kinds(archive({item("a", ""), item(std::string("a\0b", 3), "")})),
              UnorderedElementsAre(Kind::kNulInName, Kind::kDuplicateName));
}

TEST(Zip, ReportsOverlapsGapsAndHiddenEntries) {
  Item twin = item("b", "contents");
  const auto entry_size = static_cast<std::uint32_t>(30 + 1 + 8);
  twin.central.offset = 0U - entry_size;  // points at the first entry
  EXPECT_THAT(kinds(archive({item("a", "contents"), twin})),
              UnorderedElementsAre(Kind::kNameDiffers, Kind::kOverlap, Kind::kGap, Kind::kHiddenEntry));
  Item gap = item("a", "contents");
  gap.after = Bytes(100, 0);
  EXPECT_THAT(kinds(archive({gap, item("b", "")})), ElementsAre(Kind::kGap));
  append(gap.after, "PK\3\4");
  EXPECT_THAT(kinds(archive({gap, item("b", "")})), UnorderedElementsAre(Kind::kGap, Kind::kHiddenEntry));
}

TEST(Zip, FindsAHiddenEntryAcrossTheBuffersEdge) {
  for (std::size_t before = 65530; before < 65540; ++before) {
    Item gap = item("a", "");
    gap.after = Bytes(before, 'P');
    append(gap.after, "PK\3\4");
    EXPECT_THAT(kinds(archive({gap})), Contains(Kind::kHiddenEntry)) << before;
  }
}

TEST(Zip, ReportsEntriesWithoutData) {
  Item nowhere = item("a", "contents");
  nowhere.central.offset = 5;
  const Bytes no_header = archive({nowhere});
  EXPECT_THAT(kinds(no_header), Contains(Kind::kNoLocalHeader));
  EXPECT_TRUE(read_first(no_header).failed);
  Item large = item("a", "contents");
  large.local.compressed = large.local.size = large.central.compressed = large.central.size = 1000;
  EXPECT_THAT(kinds(archive({large})), Contains(Kind::kOutOfRange));
  EXPECT_TRUE(read_first(archive({large})).failed);
}

TEST(Zip, ReportsWhatStandsBeforeAndAfter) {
  const std::vector<Item> one = {item("a", "contents")};
  EXPECT_THAT(kinds(archive(one, end([](End& e) {
                              e.comment_size = 2;
                              e.comment = "hi";
                            }))),
              IsEmpty());
  EXPECT_THAT(kinds(archive(one, end([](End& e) { e.comment = "junk"; }))), ElementsAre(Kind::kTrailingData));
  EXPECT_THAT(kinds(archive(one, end([](End& e) {
                              e.comment_size = 9;
                              e.comment = "hi";
                            }))),
              ElementsAre(Kind::kAmbiguousEnd));
  EXPECT_THAT(kinds(archive(one, end([](End& e) { e.entries_more = 1; }))),
              ElementsAre(Kind::kEntryCountDiffers));
  Bytes volume = archive(one, end([](End& e) { e.disk = 1; }));
  EXPECT_THAT(kinds(volume), ElementsAre(Kind::kMultiDisk));
  EXPECT_THAT(kinds(archive(one, {}, "#!/bin/sh\n")), ElementsAre(Kind::kPrefixData));
}

TEST(Zip, FollowsPythonThroughAPrefixThatOffsetsIgnore) {
  Bytes bytes = {0x80, 2, '}', '.'};
  append(bytes, archive({item("a", "contents")}));
  EXPECT_THAT(kinds(bytes), ElementsAre(Kind::kPrefixData));
  EXPECT_EQ(read_first(bytes).contents, "contents");
}

TEST(Zip, ReportsADirectoryThatPyTorchFindsElsewhere) {
  const Item real = item("a", "contents");
  Bytes decoy;
  append_header(decoy, real.central, true);
  // Python goes by the size and finds `decoy`, PyTorch by the offset.
  EXPECT_THAT(kinds(archive({real}, end([&](End& e) { e.between = std::string(base::as_text(decoy)); }))),
              Contains(Kind::kAmbiguousDirectory));
  // Nothing there for Python: PyTorch's reading is taken.
  const Bytes gap = archive({real}, end([](End& e) { e.between = std::string(60, 'x'); }));
  EXPECT_THAT(kinds(gap), ElementsAre(Kind::kAmbiguousDirectory));
  EXPECT_EQ(read_first(gap).contents, "contents");
}

TEST(Zip, ReportsASecondEndRecord) {
  const Bytes inner = archive({item("evil", "payload")});
  Bytes in_comment = archive({item("a", "contents")}, end([](End& e) {
                               e.comment_size = 22;
                               e.comment = std::string("PK\5\6") + std::string(18, '\0');
                             }));
  EXPECT_THAT(kinds(in_comment), Contains(Kind::kAmbiguousEnd));
  // A nested archive, stored: its end record is data.
  EXPECT_THAT(kinds(archive({item("inner.zip", base::as_text(inner))})), IsEmpty());
}

TEST(Zip, ShowsBadContentsWhileItGivesThem) {
  Item crc = item("a", "contents");
  crc.local.crc = crc.central.crc = 1;
  EXPECT_EQ(read_first(archive({crc})).contents, "contents");
  EXPECT_THAT(read_first(archive({crc})).anomalies, ElementsAre(Kind::kBadChecksum));

  Item longer = item("a", "contents and more", kZipDeflated);
  longer.local.size = longer.central.size = 8;
  longer.local.crc = longer.central.crc = crc_of("contents");
  EXPECT_EQ(read_first(archive({longer})).contents, "contents");
  EXPECT_THAT(read_first(archive({longer})).anomalies, ElementsAre(Kind::kSizeDiffers));

  Item shorter = item("a", "contents", kZipDeflated);
  shorter.local.size = shorter.central.size = 9;
  EXPECT_EQ(read_first(archive({shorter})).contents, "contents");
  EXPECT_THAT(read_first(archive({shorter})).anomalies, ElementsAre(Kind::kSizeDiffers));

  Item more = item("a", "contents", kZipDeflated);
  append(more.data, "hidden");
  more.local.compressed = more.central.compressed = static_cast<std::uint32_t>(more.data.size());
  EXPECT_THAT(read_first(archive({more})).anomalies, ElementsAre(Kind::kSizeDiffers));

  Item damaged = item("a", thousand_lines(), kZipDeflated);
  damaged.data[damaged.data.size() / 2] ^= 0xFF;
  const Read read = read_first(archive({damaged}));
  EXPECT_TRUE(read.failed || !read.anomalies.empty());
  EXPECT_TRUE(thousand_lines().starts_with(read.contents.substr(0, 100)));
}

TEST(Zip, RefusesToOpenWhatItCantRead) {
  Item it = item("a", "contents");
  it.local.method = it.central.method = 14;
  EXPECT_TRUE(read_first(archive({it})).failed);
  it = item("a", "contents");
  it.local.flags = it.central.flags = 1;
  EXPECT_TRUE(read_first(archive({it})).failed);
}

TEST(Zip, SurvivesTruncationAtEachByte) {
  const Bytes whole =
      archive({item("a/data.pkl", "stored"), item("b", thousand_lines().substr(0, 300), kZipDeflated)},
              end([](End& e) {
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
  Bytes broken = archive({item("a", "contents")});
  broken[39] = 'X';  // the directory's signature
  const MemorySource source(broken);
  EXPECT_EQ(ZipReader::open(source).error().code, base::ErrorCode::kDataCorrupt);

  const std::vector<Item> many(ZipReader::kMaxEntries + 1, item("a", ""));
  const Bytes over = archive(many);
  const MemorySource large(over);
  EXPECT_EQ(ZipReader::open(large).error().code, base::ErrorCode::kLimitExceeded);
}

TEST(Zip, KeepsABoundedNumberOfAnomaliesOfAKind) {
  const Bytes bytes = archive(std::vector<Item>(1000, item("../a", "")));
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
