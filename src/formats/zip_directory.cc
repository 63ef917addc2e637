#include "formats/zip_directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "formats/buffered.h"
#include "formats/entry_names.h"

// Section numbers are those of APPNOTE 6.3.10. "Python" is Lib/zipfile.py, "PyTorch" its third_party/miniz.

namespace holdfast::formats {

using base::ErrorCode;
using base::fail;
using base::load_le;

namespace {

constexpr std::string_view kEndSignature = "PK\5\6";
constexpr std::string_view kZip64EndSignature = "PK\6\6";
constexpr std::string_view kZip64LocatorSignature = "PK\6\7";
constexpr std::string_view kCentralSignature = "PK\1\2";
constexpr std::size_t kEndSize = 22;           // 4.3.16
constexpr std::size_t kZip64EndSize = 56;      // 4.3.14, version 1
constexpr std::size_t kZip64LocatorSize = 20;  // 4.3.15
constexpr std::size_t kCentralSize = 46;       // 4.3.12
constexpr std::size_t kMaxComment = 0xFFFF;
constexpr std::uint32_t kMax32 = 0xFFFFFFFF;
constexpr std::uint16_t kZip64ExtraId = 0x0001;
constexpr std::uint16_t kUnicodePathExtraId = 0x7075;  // 4.6.9; Python reads it from 3.13 on
constexpr unsigned kPythonMaxVersion = 63;
constexpr std::uint16_t kKnownFlags = 0x284F;  // bits 0 to 3, 6, 11 and 13
constexpr std::uint16_t kUtf8Flag = 0x0800;    // bit 11: the name is UTF-8

struct EndRecord {
  std::uint64_t position = 0;  // where the directory must end: at this record or at the zip64 one before it
  std::uint64_t entries = 0;
  std::uint64_t size = 0;
  std::uint64_t offset = 0;
};

base::Result<bool> has_signature(const Source& source, std::uint64_t offset, std::string_view signature) {
  std::array<std::uint8_t, 4> found{};
  HF_TRY(const std::size_t got, source.read_at(offset, found));
  return got == found.size() && base::as_text(found) == signature;
}

void report_if_contradicted(std::uint64_t short_value, std::uint64_t all_ones, std::uint64_t value,
                            std::string_view what, std::uint64_t offset, Anomalies& anomalies) {
  if (short_value == all_ones || short_value == value) return;
  anomalies.add(AnomalyKind::kZip64Inconsistent, offset,
                fmt::format("the zip64 end record says {} {}, the end record {}", value, what, short_value));
}

// The zip64 end record, where Python looks for it (just before its locator) or else where the locator, which
// PyTorch follows, points to.
base::Result<> apply_zip64_end(const Source& source, EndRecord& end, Anomalies& anomalies) {
  if (end.position < kZip64LocatorSize + kZip64EndSize) return {};
  const std::uint64_t locator_at = end.position - kZip64LocatorSize;
  HF_TRY(const base::Bytes locator, read_exactly(source, locator_at, kZip64LocatorSize));
  if (!base::as_text(locator).starts_with(kZip64LocatorSignature)) return {};
  const auto named = load_le<std::uint64_t>(base::ByteView(locator).subspan(8));
  std::uint64_t record_at = locator_at - kZip64EndSize;
  HF_TRY(const bool adjacent, has_signature(source, record_at, kZip64EndSignature));
  HF_TRY(const bool pointed, has_signature(source, named, kZip64EndSignature));
  if (!adjacent && (!pointed || named > record_at)) {
    anomalies.add(AnomalyKind::kZip64Inconsistent, locator_at,
                  "the zip64 locator points at no zip64 end record");
    return {};
  }
  if (pointed && named != record_at) {
    anomalies.add(AnomalyKind::kZip64Inconsistent, locator_at,
                  "readers find different zip64 end records: by the locator and by place");
  }
  if (!adjacent) record_at = named;
  HF_TRY(const base::Bytes record, read_exactly(source, record_at, kZip64EndSize));
  const base::ByteView view(record);
  const EndRecord found{.position = record_at,
                        .entries = load_le<std::uint64_t>(view.subspan(32)),
                        .size = load_le<std::uint64_t>(view.subspan(40)),
                        .offset = load_le<std::uint64_t>(view.subspan(48))};
  if (load_le<std::uint32_t>(view.subspan(16)) != 0 || load_le<std::uint32_t>(view.subspan(20)) != 0) {
    anomalies.add(AnomalyKind::kMultiDisk, record_at, "the archive says that it is one of several volumes");
  }
  report_if_contradicted(end.entries, 0xFFFF, found.entries, "entries", record_at, anomalies);
  report_if_contradicted(end.size, kMax32, found.size, "bytes of directory", record_at, anomalies);
  report_if_contradicted(end.offset, kMax32, found.offset, "as the directory's offset", record_at, anomalies);
  end = found;
  return {};
}

// Python and PyTorch take the last end record of the tail. Others go by the comment's length, so a second
// record from the directory on, or one whose comment just reaches the end, is another archive to them.
void report_other_ends(base::ByteView tail, std::uint64_t tail_at, std::size_t chosen,
                       std::uint64_t directory_at, Anomalies& anomalies) {
  const std::string_view text = base::as_text(tail);
  for (std::size_t at = text.find(kEndSignature); at != text.npos; at = text.find(kEndSignature, at + 1)) {
    if (at == chosen) continue;
    const bool reaches_end = text.size() - at >= kEndSize &&
                             at + kEndSize + load_le<std::uint16_t>(tail.subspan(at + 20)) == text.size();
    if (reaches_end || tail_at + at >= directory_at) {
      anomalies.add(AnomalyKind::kAmbiguousEnd, tail_at + at,
                    "another end-of-central-directory record, which some readers take for the archive's");
    }
  }
}

void report_comment(base::ByteView end, std::uint64_t end_at, Anomalies& anomalies) {
  const std::size_t comment = load_le<std::uint16_t>(end.subspan(20));
  const std::size_t rest = end.size() - kEndSize;
  if (comment < rest) {
    anomalies.add(AnomalyKind::kTrailingData, end_at + kEndSize + comment,
                  fmt::format("{} bytes follow the end of the archive", rest - comment));
  } else if (comment > rest) {
    anomalies.add(AnomalyKind::kAmbiguousEnd, end_at,
                  fmt::format("the comment has {} of the {} bytes that it should have", rest, comment));
  }
  if (load_le<std::uint16_t>(end.subspan(4)) != 0 || load_le<std::uint16_t>(end.subspan(6)) != 0) {
    anomalies.add(AnomalyKind::kMultiDisk, end_at, "the archive says that it is one of several volumes");
  }
}

// Python finds the directory by its size, back from the end record, and shifts all offsets by what that
// implies; PyTorch goes by the offset. Where they differ, Python's place is taken if a directory is there.
base::Result<ZipDirectory> place_directory(const Source& source, const EndRecord& end, Anomalies& anomalies) {
  if (end.size > end.position) {
    return fail(ErrorCode::kDataCorrupt,
                "the zip's central directory is larger than the file before its end record");
  }
  const std::uint64_t by_size = end.position - end.size;
  ZipDirectory directory{
      .offset = by_size, .size = end.size, .entries = end.entries, .shift = by_size - end.offset};
  if (directory.shift == 0) return directory;

  HF_TRY(const bool there, has_signature(source, by_size, kCentralSignature));
  HF_TRY(const bool at_offset, has_signature(source, end.offset, kCentralSignature));
  if (at_offset) {
    anomalies.add(
        AnomalyKind::kAmbiguousDirectory, end.offset,
        fmt::format("Python finds the central directory at byte {}, PyTorch at {}", by_size, end.offset));
  }
  if (at_offset && !there && end.offset < by_size) {
    directory.offset = end.offset;
    directory.shift = 0;
  }
  return directory;
}

// Yields the fields of an extra area; false at its end, or where the rest is no field.
bool next_extra(base::ByteView& extra, std::uint16_t& id, base::ByteView& data) {
  if (extra.size() < 4) return false;
  const std::size_t length = load_le<std::uint16_t>(extra.subspan(2));
  if (length > extra.size() - 4) return false;
  id = load_le<std::uint16_t>(extra);
  data = extra.subspan(4, length);
  extra = extra.subspan(4 + length);
  return true;
}

void report_unicode_path(base::ByteView extra, const ZipEntry& entry, std::uint64_t at,
                         Anomalies& anomalies) {
  std::uint16_t id = 0;
  base::ByteView data;
  while (next_extra(extra, id, data)) {
    constexpr std::size_t kNameAt = 5;  // after version and CRC
    if (id != kUnicodePathExtraId || data.size() < kNameAt) continue;
    const std::string_view name = base::as_text(data.subspan(kNameAt));
    if (name == entry.name) continue;
    anomalies.add(
        AnomalyKind::kNameDiffers, at,
        fmt::format("the entry {} has the name {} too, in its Unicode path field, which newer readers take",
                    quote(entry.name), quote(name)));
  }
}

void report_record(base::ByteView fixed, const ZipEntry& entry, std::uint64_t at, Anomalies& anomalies) {
  const auto report = [&](AnomalyKind kind, std::string_view what) {
    anomalies.add(kind, at, fmt::format("the entry {} {}", quote(entry.name), what));
  };
  if (entry.encrypted()) report(AnomalyKind::kEncrypted, "is encrypted");
  if (const unsigned unknown = entry.flags & ~unsigned{kKnownFlags}; unknown != 0) {
    report(AnomalyKind::kUnknownFlags,
           fmt::format("has the flag bits 0x{:04x}, which have no common meaning", unknown));
  }
  if (entry.method != kZipStored && entry.method != kZipDeflated) {
    report(AnomalyKind::kUnsupported,
           fmt::format("is compressed by method {}, which can't be read", entry.method));
  }
  if ((entry.flags & kUtf8Flag) != 0 && !is_utf8(entry.name)) {
    report(AnomalyKind::kBadName, "has a name that is not UTF-8 though it says so");
  }
  if (fixed[6] > kPythonMaxVersion) {
    report(AnomalyKind::kVersionTooNew,
           fmt::format("needs version {}.{}: Python refuses it, PyTorch does not", fixed[6] / 10,
                       fixed[6] % 10));
  }
  const auto disk = load_le<std::uint16_t>(fixed.subspan(34));
  if (disk != 0 && disk != 0xFFFF) report(AnomalyKind::kMultiDisk, fmt::format("lies on volume {}", disk));
  if (entry.method == kZipStored && entry.size != entry.compressed_size) {
    report(AnomalyKind::kSizeDiffers,
           fmt::format("is stored, yet has {} bytes of {}", entry.compressed_size, entry.size));
  }
  if (entry.size > ZipReader::kHighRatioFloor && entry.size / ZipReader::kHighRatio > entry.compressed_size) {
    report(AnomalyKind::kHighRatio,
           fmt::format("expands from {} to {} bytes", entry.compressed_size, entry.size));
  }
  report_file_type(load_le<std::uint32_t>(fixed.subspan(38)) >> 16, entry.name, at, anomalies);
}

base::Result<ZipEntry> read_record(BufferedReader& reader, const ZipDirectory& directory,
                                   Anomalies& anomalies) {
  const std::uint64_t at = directory.offset + reader.position();
  std::array<std::uint8_t, kCentralSize> record{};
  HF_CHECK(reader.read_exactly(record));
  const base::ByteView fixed(record);
  if (!base::as_text(fixed).starts_with(kCentralSignature)) {
    return fail(ErrorCode::kDataCorrupt, fmt::format("the zip's central directory is broken at byte {}", at));
  }
  ZipEntry entry{.name = {},
                 .flags = load_le<std::uint16_t>(fixed.subspan(8)),
                 .method = load_le<std::uint16_t>(fixed.subspan(10)),
                 .crc32 = load_le<std::uint32_t>(fixed.subspan(16)),
                 .compressed_size = load_le<std::uint32_t>(fixed.subspan(20)),
                 .size = load_le<std::uint32_t>(fixed.subspan(24)),
                 .header_offset = load_le<std::uint32_t>(fixed.subspan(42)),
                 .data_offset = {}};
  base::Bytes name(load_le<std::uint16_t>(fixed.subspan(28)));
  base::Bytes extra(load_le<std::uint16_t>(fixed.subspan(30)));
  HF_CHECK(reader.read_exactly(name));
  HF_CHECK(reader.read_exactly(extra));
  HF_CHECK(reader.skip(load_le<std::uint16_t>(fixed.subspan(32))));
  entry.name = base::as_text(name);
  apply_zip64_extra(
      extra,
      {.size = &entry.size, .compressed_size = &entry.compressed_size, .header_offset = &entry.header_offset},
      at, anomalies);
  entry.header_offset += directory.shift;
  report_record(fixed, entry, at, anomalies);
  report_unicode_path(extra, entry, at, anomalies);
  report_entry_name(entry.name, at, anomalies);
  return entry;
}

}  // namespace

void apply_zip64_extra(base::ByteView extra, const Zip64Values& values, std::uint64_t offset,
                       Anomalies& anomalies) {
  std::uint16_t id = 0;
  base::ByteView data;
  int fields = 0;
  bool missing = false;
  while (next_extra(extra, id, data)) {
    if (id != kZip64ExtraId) continue;
    ++fields;
    for (std::uint64_t* value : {values.size, values.compressed_size, values.header_offset}) {
      if (value == nullptr || *value != kMax32) continue;
      missing = missing || data.size() < sizeof(*value);
      if (data.size() < sizeof(*value)) break;
      *value = load_le<std::uint64_t>(data);
      data = data.subspan(sizeof(*value));
    }
  }
  if (fields > 1 || missing) {
    anomalies.add(AnomalyKind::kZip64Inconsistent, offset,
                  "an entry's zip64 field is there twice or too short");
  }
  if (!extra.empty()) {
    anomalies.add(AnomalyKind::kBadExtraField, offset, "an entry's extra fields don't fill their space");
  }
}

base::Result<ZipDirectory> locate_zip_directory(const Source& source, Anomalies& anomalies) {
  const std::uint64_t tail_size = std::min<std::uint64_t>(source.size(), kEndSize + kMaxComment);
  const std::uint64_t tail_at = source.size() - tail_size;
  HF_TRY(const base::Bytes tail, read_exactly(source, tail_at, static_cast<std::size_t>(tail_size)));
  const std::size_t chosen = tail.size() < kEndSize
                                 ? std::string_view::npos
                                 : base::as_text(tail).rfind(kEndSignature, tail.size() - kEndSize);
  if (chosen == std::string_view::npos) {
    return fail(ErrorCode::kDataCorrupt, "no zip archive: there is no end-of-central-directory record");
  }
  const base::ByteView end_bytes = base::ByteView(tail).subspan(chosen);
  EndRecord end{.position = tail_at + chosen,
                .entries = load_le<std::uint16_t>(end_bytes.subspan(10)),
                .size = load_le<std::uint32_t>(end_bytes.subspan(12)),
                .offset = load_le<std::uint32_t>(end_bytes.subspan(16))};
  report_comment(end_bytes, end.position, anomalies);
  HF_CHECK(apply_zip64_end(source, end, anomalies));
  HF_TRY(const ZipDirectory directory, place_directory(source, end, anomalies));
  report_other_ends(tail, tail_at, chosen, directory.offset, anomalies);
  return directory;
}

base::Result<std::vector<ZipEntry>> read_zip_directory(const Source& source, const ZipDirectory& directory,
                                                       std::size_t max_entries, Anomalies& anomalies) {
  if (directory.size > ZipReader::kMaxDirectoryBytes) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("the zip's central directory has {} bytes, over the limit of {}", directory.size,
                            ZipReader::kMaxDirectoryBytes));
  }
  HF_TRY(const RangeSource range, RangeSource::create(source, directory.offset, directory.size));
  SourceStream stream(range);
  BufferedReader reader(stream);
  std::vector<ZipEntry> entries;
  while (reader.position() < directory.size) {
    if (entries.size() == max_entries) {
      return fail(ErrorCode::kLimitExceeded, fmt::format("the zip has more than {} entries", max_entries));
    }
    auto entry = read_record(reader, directory, anomalies);
    if (!entry) return fail(std::move(entry).error().within("cannot read the zip's central directory"));
    entries.push_back(*std::move(entry));
  }
  if (entries.size() != directory.entries) {
    anomalies.add(
        AnomalyKind::kEntryCountDiffers, directory.offset,
        fmt::format("the directory holds {} entries and says {}", entries.size(), directory.entries));
  }
  return entries;
}

}  // namespace holdfast::formats
