#include "inspect/artefact.h"

#include <bzlib.h>
#include <fmt/format.h>
#include <gmock/gmock-more-matchers.h>
#include <gtest/gtest.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <functional>
#include <string>

#include "base/file.h"
#include "formats/zip_test_builder.h"

namespace holdfast::inspect {
namespace {

using base::Bytes;
using formats::zip_archive;
using formats::zip_item;
using formats::ZipItem;
using namespace std::string_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

const std::string kEvil = "cposix\nsystem\n(S'ls'\ntR.";

struct Seen {
  std::vector<std::string> rules;  // with their place: "pickle.dangerous-global a!b"
  std::vector<std::string> gaps;
  std::string format;
};

Seen inspect(base::ByteView bytes) {
  const formats::MemorySource source(bytes);
  Findings findings;
  const Coverage coverage = inspect_artefact(source, "f", findings);
  Seen seen{.rules = {}, .gaps = coverage.not_looked_at, .format = coverage.format};
  for (const Finding& finding : findings.items()) {
    seen.rules.push_back(fmt::format("{} {}", finding.rule_id, finding.path));
  }
  return seen;
}

Bytes bytes_of(std::string_view text) { return {text.begin(), text.end()}; }
std::string text_of(const Bytes& bytes) { return std::string(base::as_text(bytes)); }

Bytes zlib_data(std::string_view text, int bits) {
  z_stream z{};
  deflateInit2(&z, 6, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY);
  Bytes out(deflateBound(&z, text.size()) + 64);
  z.next_in = const_cast<Bytef*>(base::as_bytes(text).data());
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = out.data();
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

Bytes gzip(std::string_view text) { return zlib_data(text, MAX_WBITS + 16); }

Bytes bzip2(std::string_view text) {
  Bytes out(text.size() + text.size() / 100 + 1000);
  auto size = static_cast<unsigned>(out.size());
  BZ2_bzBuffToBuffCompress(reinterpret_cast<char*>(out.data()), &size, const_cast<char*>(text.data()),
                           static_cast<unsigned>(text.size()), 9, 0, 0);
  out.resize(size);
  return out;
}

Bytes xz(std::string_view text) {
  Bytes out(lzma_stream_buffer_bound(text.size()));
  std::size_t size = 0;
  lzma_easy_buffer_encode(0, LZMA_CHECK_CRC64, nullptr, base::as_bytes(text).data(), text.size(), out.data(),
                          &size, out.size());
  out.resize(size);
  return out;
}

Bytes lzma(std::string_view text) {
  lzma_options_lzma options;
  lzma_lzma_preset(&options, 0);
  lzma_stream z = LZMA_STREAM_INIT;
  EXPECT_EQ(lzma_alone_encoder(&z, &options), LZMA_OK);
  Bytes out(text.size() + 1000);
  z.next_in = base::as_bytes(text).data();
  z.avail_in = text.size();
  z.next_out = out.data();
  z.avail_out = out.size();
  EXPECT_EQ(lzma_code(&z, LZMA_FINISH), LZMA_STREAM_END);
  out.resize(z.total_out);
  lzma_end(&z);
  return out;
}

Bytes zstd(std::string_view text) {
  Bytes out(ZSTD_compressBound(text.size()));
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 1));
  return out;
}

Bytes lz4(std::string_view text) {
  Bytes out(LZ4F_compressFrameBound(text.size(), nullptr));
  out.resize(LZ4F_compressFrame(out.data(), out.size(), text.data(), text.size(), nullptr));
  return out;
}

Bytes zfile(std::string_view text, std::string_view after) {
  Bytes out = bytes_of(fmt::format("ZF{:<19}{}", fmt::format("{:#x}", text.size()), after));
  base::append(out, zlib_data(text, MAX_WBITS));
  return out;
}

std::string tar_entry(std::string_view name, std::string_view contents, char type = '0',
                      std::string_view link = {}) {
  std::string block(512, '\0');
  const auto put = [&](std::size_t at, std::string_view text) { block.replace(at, text.size(), text); };
  put(0, name);
  put(100, "0000644");
  put(124, fmt::format("{:011o}", contents.size()));
  put(148, "        ");
  block[156] = type;
  put(157, link);
  put(257, "ustar"s + '\0' + "00");
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put(148, fmt::format("{:06o}", sum) + '\0');
  block += contents;
  block.resize((block.size() + 511) / 512 * 512);
  return block;
}

std::string tar(std::initializer_list<std::string> entries) {
  std::string all;
  for (const std::string& entry : entries) all += entry;
  return all + std::string(1024, '\0');
}

Bytes zip(const std::string& name, std::string_view contents, std::uint16_t method = formats::kZipDeflated) {
  return zip_archive({zip_item(name, contents, method)});
}

struct Compression {
  std::string name;
  std::function<Bytes(std::string_view)> compress;
};

const std::vector<Compression>& compressions() {
  static const std::vector<Compression> all = {
      {"gzip", gzip},
      {"zlib", [](std::string_view text) { return zlib_data(text, MAX_WBITS); }},
      {"bzip2", bzip2},
      {"xz", xz},
      {"lzma", lzma},
      {"zstd", zstd},
      {"lz4", lz4},
      {"zfile", [](std::string_view text) { return zfile(text, ""); }},
      {"zfile of Python 2", [](std::string_view text) { return zfile(text, " "); }}};
  return all;
}

TEST(Artefact, LooksIntoEachCompression) {
  for (const Compression& its : compressions()) {
    const Seen seen = inspect(its.compress(kEvil));
    EXPECT_THAT(seen.rules, ElementsAre("pickle.dangerous-global f!inflated")) << its.name;
    EXPECT_THAT(seen.gaps, IsEmpty()) << its.name;
    const Seen clean = inspect(its.compress("\x80\2}q\0."s));
    EXPECT_THAT(clean.rules, IsEmpty()) << its.name;
    EXPECT_THAT(clean.gaps, IsEmpty()) << its.name;
  }
}

TEST(Artefact, LooksIntoArchivesInEachCompression) {
  const std::string archive = tar({tar_entry("a.txt", "hello there\n"), tar_entry("b", kEvil)});
  const std::string zipped = text_of(zip("m/data", kEvil));
  for (const Compression& its : compressions()) {
    Seen seen = inspect(its.compress(archive));
    EXPECT_THAT(seen.rules, ElementsAre("pickle.dangerous-global f!inflated!b")) << its.name;
    EXPECT_THAT(seen.gaps, IsEmpty()) << its.name;
    seen = inspect(its.compress(zipped));
    EXPECT_THAT(seen.rules, ElementsAre("pickle.dangerous-global f!inflated!m/data")) << its.name;
    seen = inspect(its.compress(text_of(its.compress(kEvil))));
    EXPECT_THAT(seen.rules, ElementsAre("pickle.dangerous-global f!inflated!inflated")) << its.name;
  }
}

TEST(Artefact, SaysWhatFollowsCompressedData) {
  for (const Compression& its : compressions()) {
    Bytes bytes = its.compress("hello there, this is text\n");
    base::append(bytes, std::string_view("PK\3\4 something else altogether"));
    EXPECT_THAT(inspect(bytes).rules, Contains("archive.hidden-data f")) << its.name;
  }
}

TEST(Artefact, SaysWhereCompressedDataIsDamaged) {
  for (const Compression& its : compressions()) {
    Bytes bytes = its.compress(kEvil);
    bytes.resize(bytes.size() - 1);  // what came before may run all the same
    const Seen seen = inspect(bytes);
    EXPECT_THAT(seen.rules, Contains("archive.damaged f!inflated")) << its.name;
    EXPECT_THAT(seen.gaps, Not(IsEmpty())) << its.name;
  }
}

// zip is found by its end, and HDF5 after 512 bytes, whatever a loader that starts at the beginning would
// make of it.
TEST(Artefact, LooksForFormatsBehindWhatAStreamBeginsWith) {
  std::string pickle = "}.";
  pickle.resize(300'000);
  const std::string both = pickle + text_of(zip_archive({zip_item("a.pkl", kEvil)}));
  EXPECT_THAT(inspect(gzip(both)).rules, Contains("pickle.dangerous-global f!inflated!a.pkl"));
  pickle.resize(512);
  const Seen hdf5 = inspect(gzip(pickle + "\x89HDF\r\n\x1A\n" + std::string(3000, '\xFF')));
  EXPECT_TRUE(hdf5.rules.size() > 1 || !hdf5.gaps.empty());
}

TEST(Artefact, FollowsNestingToItsBoundAndSaysSo) {
  std::string nested = kEvil;
  for (int i = 0; i < kMaxNesting; ++i) nested = text_of(gzip(nested));
  EXPECT_THAT(inspect(bytes_of(nested)).rules, Contains(testing::StartsWith("pickle.dangerous-global")));
  const Seen beyond = inspect(gzip(nested));
  EXPECT_THAT(beyond.rules, Contains(testing::StartsWith("file.nested-too-deep")));
  EXPECT_THAT(beyond.gaps, Not(IsEmpty()));
}

TEST(Artefact, StopsAtABombOfOneLevel) {
  const Seen seen = inspect(gzip(std::string(80UL << 20, '\0')));
  EXPECT_THAT(seen.rules, Contains("archive.bomb f!inflated"));
  EXPECT_THAT(seen.gaps, Not(IsEmpty()));
}

TEST(Artefact, StopsAtABombOfManyMembers) {
  // Each member stays below the bounds for one; together they do not.
  const std::string member(60UL << 20, '\0');
  ZipItem item = zip_item("a", member, formats::kZipDeflated);
  std::vector<ZipItem> items;
  for (int i = 0; i < 8; ++i) {
    item.local.name = item.central.name = fmt::format("member{}", i);
    items.push_back(item);
  }
  const Seen seen = inspect(zip_archive(items));
  EXPECT_THAT(seen.rules, Contains(testing::StartsWith("archive.bomb f!member")));
  EXPECT_THAT(seen.gaps, Not(IsEmpty()));
}

TEST(Artefact, StopsAtABombOfOverlappingEntries) {
  // All of the directory's entries name one member's data: what Fifield's zip bomb does.
  const ZipItem item = zip_item("a", std::string(60UL << 20, '\0'), formats::kZipDeflated);
  std::vector<ZipItem> items = {item};
  std::size_t at = 31 + item.data.size();
  for (int i = 1; i < 8; ++i) {
    ZipItem other = item;
    other.central.name = fmt::format("{}", i);
    other.central.offset = static_cast<std::uint32_t>(-static_cast<std::int64_t>(at));
    other.data.clear();
    items.push_back(other);
    at += 31;
  }
  const Seen seen = inspect(zip_archive(items));
  EXPECT_THAT(seen.rules, Contains(testing::StartsWith("archive.bomb")));
  EXPECT_THAT(seen.rules, Contains("archive.readers-disagree f"));
}

TEST(Artefact, ReadsAMemberLargerThanItHoldsByUnpackingItAgain) {
  // A zip of more than is held, packed: read at random all the same. Bytes that do not compress.
  std::string noise(100UL << 20, '\0');
  std::uint64_t state = 1;
  for (char& c : noise) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    c = static_cast<char>(state >> 56);
  }
  noise[0] = '\1';
  const Bytes inner = zip_archive({zip_item("noise", noise), zip_item("evil", kEvil)});
  noise.clear();
  const Seen seen = inspect(zstd(base::as_text(inner)));
  EXPECT_THAT(seen.rules, ElementsAre("pickle.dangerous-global f!inflated!evil"));
  EXPECT_THAT(seen.gaps, ElementsAre("f!inflated!noise: its format is not known"));
}

TEST(Artefact, RefusesAMemberThatAsksForTooMuchMemory) {
  const std::string frame = "\x28\xB5\x2F\xFD\0"s + static_cast<char>((31 - 10) << 3) + "\1\0\0"s;
  const Seen seen = inspect(bytes_of(frame));
  EXPECT_THAT(seen.rules, Contains("archive.unsupported-member f!inflated"));
  EXPECT_THAT(seen.gaps, Not(IsEmpty()));
}

// Each field of a zip's headers that may lie, and what is said of it.
struct Lie {
  std::string name;
  std::function<void(ZipItem&)> tell;
  std::string rule;
};

TEST(Artefact, FailsClosedOnAZipThatContradictsItself) {
  const std::vector<Lie> lies = {
      {"another name locally", [](ZipItem& i) { i.local.name = "evil"; }, "archive.readers-disagree"},
      {"another method locally", [](ZipItem& i) { i.local.method = 8; }, "archive.readers-disagree"},
      {"flags of encryption in the directory", [](ZipItem& i) { i.central.flags = 1; }, "archive.encrypted"},
      {"flags of encryption locally", [](ZipItem& i) { i.local.flags = 1; }, "archive.readers-disagree"},
      {"a flag of no meaning", [](ZipItem& i) { i.local.flags = i.central.flags = 0x8000; },
       "archive.readers-disagree"},
      {"another checksum locally", [](ZipItem& i) { i.local.crc ^= 1; }, "archive.readers-disagree"},
      {"a wrong checksum", [](ZipItem& i) { i.local.crc = i.central.crc ^= 1; }, "archive.damaged"},
      {"another size locally", [](ZipItem& i) { i.local.size += 1; }, "archive.readers-disagree"},
      {"a size beyond the data",
       [](ZipItem& i) {
         i.central.size += 1'000'000;
         i.central.compressed += 1'000'000;
       },
       "archive.damaged"},
      {"a missing data descriptor", [](ZipItem& i) { i.local.flags = i.central.flags = 8; },
       "archive.readers-disagree"},
      {"another disk", [](ZipItem& i) { i.central.disk = 1; }, "archive.readers-disagree"},
      {"a method that nobody reads", [](ZipItem& i) { i.local.method = i.central.method = 99; },
       "archive.unsupported-member"},
      {"a path that climbs", [](ZipItem& i) { i.local.name = i.central.name = "../../a"; }, "archive.escape"},
      {"a path from the root", [](ZipItem& i) { i.local.name = i.central.name = "/etc/a"; },
       "archive.escape"},
      {"a drive", [](ZipItem& i) { i.local.name = i.central.name = "C:a"; }, "archive.escape"},
      {"a backslash", [](ZipItem& i) { i.local.name = i.central.name = "a\\b"; }, "archive.readers-disagree"},
      {"a NUL in the name", [](ZipItem& i) { i.local.name = i.central.name = "a\0b"s; },
       "archive.readers-disagree"},
      {"a symbolic link", [](ZipItem& i) { i.central.attributes = 0120777U << 16; }, "archive.escape"},
      {"bytes that nobody owns", [](ZipItem& i) { i.after = bytes_of("hidden bytes"); },
       "archive.hidden-data"},
      {"a broken zip64 field",
       [](ZipItem& i) {
         i.central.size = 0xFFFFFFFF;
         i.central.extra = bytes_of("\1\0\2\0ab"s);
       },
       "archive.readers-disagree"}};
  for (const Lie& lie : lies) {
    ZipItem item = zip_item("a", "hello there\n");
    lie.tell(item);
    const Seen seen = inspect(zip_archive({item}));
    EXPECT_THAT(seen.rules, Contains(testing::StartsWith(lie.rule))) << lie.name;
  }
}

TEST(Artefact, FailsClosedOnTheFrameOfAZip) {
  const std::vector<ZipItem> one = {zip_item("a", "hello there\n")};
  EXPECT_THAT(inspect(zip_archive(one, {}, "#!/bin/sh\n")).rules,
              Contains(testing::StartsWith("archive.hidden-data")));
  Bytes trailed = zip_archive(one);
  base::append(trailed, std::string_view("trailer"));
  EXPECT_THAT(inspect(trailed).rules, Not(IsEmpty()));
  EXPECT_THAT(inspect(zip_archive(one, formats::zip_end([](auto& end) { end.entries_more = 1; }))).rules,
              Not(IsEmpty()));
  EXPECT_THAT(inspect(zip_archive(one, formats::zip_end([](auto& end) { end.disk = 1; }))).rules,
              Not(IsEmpty()));
  const std::vector<ZipItem> twice = {zip_item("a", "one\n"), zip_item("a", kEvil)};
  const Seen seen = inspect(zip_archive(twice));
  EXPECT_THAT(seen.rules, Contains("archive.readers-disagree f"));
  EXPECT_THAT(seen.rules, Contains("pickle.dangerous-global f!a"));  // both are looked at
}

TEST(Artefact, LooksAtMembersWhateverIsWrongWithTheirHeaders) {
  ZipItem item = zip_item("a", kEvil);
  item.local.name = "b";
  item.local.crc = item.central.crc ^= 1;
  const Seen seen = inspect(zip_archive({item}));
  EXPECT_THAT(seen.rules, Contains("pickle.dangerous-global f!a"));
  EXPECT_THAT(seen.rules, Contains("archive.damaged f!a"));
}

TEST(Artefact, ChecksTheChecksumOfWhatItOnlySkims) {
  ZipItem item = zip_item("a.txt", std::string(1UL << 20, 'x'), formats::kZipDeflated);
  item.local.crc = item.central.crc ^= 1;
  EXPECT_THAT(inspect(zip_archive({item})).rules, Contains("archive.damaged f!a.txt"));
}

TEST(Artefact, FailsClosedOnATarThatLeavesItsFolder) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {tar_entry("../a", "x\n"), "archive.escape"},
      {tar_entry("/a", "x\n"), "archive.escape"},
      {tar_entry("a", "", '2', "../../etc/passwd"), "archive.escape"},
      {tar_entry("a", "", '1', "/etc/passwd"), "archive.escape"},
      {tar_entry("a", "", '3'), "archive.escape"},
      {tar_entry("a", "x\n") + tar_entry("a", "y\n"), "archive.readers-disagree"},
      {tar_entry("a", "x\n") + std::string(1024, '\0') + tar_entry("b", kEvil), "archive.readers-disagree"},
      {tar_entry("a", "x\n") + std::string(512, 'j'), "archive.damaged"}};
  for (const auto& [entries, rule] : cases) {
    for (const bool compressed : {false, true}) {
      const std::string archive = tar({entries});
      const Seen seen = inspect(compressed ? gzip(archive) : bytes_of(archive));
      EXPECT_THAT(seen.rules, Contains(testing::StartsWith(rule)))
          << base::as_text(bytes_of(entries)).substr(0, 20);
    }
  }
}

TEST(Artefact, SaysWhereATarBreaksOff) {
  std::string archive = tar_entry("a", kEvil) + tar_entry("b", std::string(2000, '\1'));
  archive.resize(archive.size() - 1000);
  const Seen seen = inspect(bytes_of(archive));
  EXPECT_THAT(seen.rules, Contains("pickle.dangerous-global f!a"));
  EXPECT_THAT(seen.rules, Contains(testing::StartsWith("archive.damaged")));
}

Bytes seven_zip(const std::string& file) {
  return base::read_file(HOLDFAST_TESTDATA "/../../formats/testdata/seven_zip/" + file, 1UL << 20).value();
}

TEST(Artefact, LooksInto7z) {
  Seen seen = inspect(seven_zip("lzma2.7z"));
  EXPECT_THAT(seen.rules, ElementsAre("pickle.dangerous-global f!evil.pkl"));
  EXPECT_THAT(seen.gaps, IsEmpty());
  EXPECT_EQ(seen.format, "7z");
  seen = inspect(gzip(text_of(seven_zip("x86.7z"))));
  EXPECT_THAT(seen.rules, ElementsAre("pickle.dangerous-global f!inflated!evil.pkl"));
  EXPECT_THAT(inspect(seven_zip("link.7z")).rules, Contains("archive.escape f"));
}

TEST(Artefact, NamesWhatItDidNotSeeOfA7z) {
  for (const auto& [file, rule] : {std::pair("encrypted.7z", "archive.encrypted f!evil.pkl"),
                                   std::pair("encrypted_names.7z", "archive.encrypted f"),
                                   std::pair("ppmd.7z", "archive.unsupported-member f!evil.pkl"),
                                   std::pair("bcj2.7z", "archive.unsupported-member f!text.txt")}) {
    const Seen seen = inspect(seven_zip(file));
    EXPECT_THAT(seen.rules, Contains(rule)) << file;
    EXPECT_THAT(seen.gaps, Not(IsEmpty())) << file;
  }
}

TEST(Artefact, GivesBackWhatMembersHeld) {
  // Far more than is held at once, one member after the other.
  std::vector<ZipItem> items;
  const std::string inner = text_of(zip("x", std::string(40UL << 20, '\1'), formats::kZipStored));
  for (int i = 0; i < 4; ++i) items.push_back(zip_item(fmt::format("m{}", i), inner));
  const Seen seen = inspect(zip_archive(items));
  EXPECT_EQ(seen.gaps.size(), 4U);
  EXPECT_THAT(seen.rules, IsEmpty());
}

TEST(Artefact, NamesTheTensorsOfAPyTorchZipThatItCantRead) {
  ZipItem tensor = zip_item("m/data/0", std::string(64, 'x'));
  tensor.local.method = tensor.central.method = 99;
  const Seen seen =
      inspect(zip_archive({zip_item("m/data.pkl", "\x80\2N."), zip_item("m/version", "3\n"), tensor}));
  EXPECT_THAT(seen.gaps, Contains(testing::StartsWith("f!m/data/0: ")));
}

}  // namespace
}  // namespace holdfast::inspect
