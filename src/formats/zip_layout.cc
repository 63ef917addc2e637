#include "formats/zip_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "formats/buffered.h"

// Section numbers are those of APPNOTE 6.3.10.

namespace holdfast::formats {

using base::ErrorCode;
using base::fail;
using base::load_le;

namespace {

constexpr std::string_view kLocalSignature = "PK\3\4";
constexpr std::size_t kLocalSize = 30;             // 4.3.7
constexpr std::uint16_t kDescriptorFlag = 0x0008;  // 4.4.4, bit 3
constexpr std::uint32_t kDescriptorSignature = 0x08074B50;
constexpr std::uint32_t kMax32 = 0xFFFFFFFF;

struct LocalHeader {
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint32_t crc32 = 0;
  std::uint64_t compressed_size = 0;
  std::uint64_t size = 0;
  std::size_t name_size = 0;
  std::size_t extra_size = 0;
};

LocalHeader parse_local(base::ByteView fixed) {
  return {.flags = load_le<std::uint16_t>(fixed.subspan(6)),
          .method = load_le<std::uint16_t>(fixed.subspan(8)),
          .crc32 = load_le<std::uint32_t>(fixed.subspan(14)),
          .compressed_size = load_le<std::uint32_t>(fixed.subspan(18)),
          .size = load_le<std::uint32_t>(fixed.subspan(22)),
          .name_size = load_le<std::uint16_t>(fixed.subspan(26)),
          .extra_size = load_le<std::uint16_t>(fixed.subspan(28))};
}

// What a streaming reader would take from the local header where a loader takes the directory's word. With a
// data descriptor the header may say zero for what was not known when it was written.
void report_differences(const ZipEntry& entry, const LocalHeader& local, Anomalies& anomalies) {
  const auto report = [&](AnomalyKind kind, std::string_view what, std::uint64_t here, std::uint64_t there) {
    anomalies.add(kind, entry.header_offset,
                  fmt::format("the local header of {} says {} {}, the directory {}", quote(entry.name), what,
                              here, there));
  };
  const bool late = (local.flags & kDescriptorFlag) != 0;
  const auto differs = [&](std::uint64_t here, std::uint64_t there) {
    return here != there && !(late && here == 0);
  };
  if (local.method != entry.method) report(AnomalyKind::kMethodDiffers, "method", local.method, entry.method);
  if (local.flags != entry.flags) report(AnomalyKind::kFlagsDiffer, "flags", local.flags, entry.flags);
  if (differs(local.crc32, entry.crc32)) report(AnomalyKind::kCrcDiffers, "CRC", local.crc32, entry.crc32);
  if (differs(local.size, entry.size)) report(AnomalyKind::kSizeDiffers, "size", local.size, entry.size);
  if (differs(local.compressed_size, entry.compressed_size)) {
    report(AnomalyKind::kSizeDiffers, "compressed size", local.compressed_size, entry.compressed_size);
  }
}

base::Result<> compare_name(const Source& source, const ZipEntry& entry, const LocalHeader& local,
                            Anomalies& anomalies) {
  base::Bytes name(std::min(local.name_size, entry.name.size() + 1));  // one more shows that it is longer
  HF_TRY(const std::size_t got, source.read_at(entry.header_offset + kLocalSize, name));
  if (got == name.size() && base::as_text(name) == entry.name) return {};
  anomalies.add(AnomalyKind::kNameDiffers, entry.header_offset,
                fmt::format("the directory's entry {} is {} in its local header", quote(entry.name),
                            quote(base::as_text(name))));
  return {};
}

base::Result<> read_local_header(const Source& source, std::uint64_t data_end, ZipEntry& entry,
                                 std::uint64_t& extra_budget, Anomalies& anomalies) {
  std::array<std::uint8_t, kLocalSize> fixed{};
  HF_TRY(const std::size_t got, source.read_at(entry.header_offset, fixed));
  if (got != fixed.size() || !base::as_text(fixed).starts_with(kLocalSignature)) {
    anomalies.add(AnomalyKind::kNoLocalHeader, entry.header_offset,
                  fmt::format("the directory's entry {} points at no local header", quote(entry.name)));
    return {};
  }
  LocalHeader local = parse_local(fixed);
  HF_CHECK(compare_name(source, entry, local, anomalies));

  const std::uint64_t extra_at = entry.header_offset + kLocalSize + local.name_size;
  const std::uint64_t data_at = extra_at + local.extra_size;
  if (data_at > data_end || entry.compressed_size > data_end - data_at) {
    anomalies.add(AnomalyKind::kOutOfRange, entry.header_offset,
                  fmt::format("the data of {} reaches beyond the archive's data", quote(entry.name)));
    return {};
  }
  if (local.size == kMax32 || local.compressed_size == kMax32) {
    if (local.extra_size > extra_budget) {
      return fail(ErrorCode::kLimitExceeded,
                  fmt::format("the zip's local headers have more than {} bytes of extra fields",
                              ZipReader::kMaxLocalExtraBytes));
    }
    extra_budget -= local.extra_size;
    HF_TRY(const base::Bytes extra, read_exactly(source, extra_at, local.extra_size));
    apply_zip64_extra(
        extra, {.size = &local.size, .compressed_size = &local.compressed_size, .header_offset = nullptr},
        entry.header_offset, anomalies);
  }
  report_differences(entry, local, anomalies);
  entry.data_offset = data_at;
  return {};
}

// The length of the data descriptor at `at` (4.3.9): with or without its signature, of 64 or 32 bits; 0 where
// no form of it agrees with the directory.
base::Result<std::uint64_t> descriptor_size(const Source& source, const ZipEntry& entry, std::uint64_t at) {
  std::array<std::uint8_t, 24> bytes{};
  HF_TRY(const std::size_t got, source.read_at(at, bytes));
  for (const std::size_t signature : {4U, 0U}) {
    for (const std::size_t width : {8U, 4U}) {
      const std::size_t length = signature + 4 + 2 * width;
      if (length > got) continue;
      const base::ByteView view = base::ByteView(bytes).subspan(signature);
      const auto number = [&](std::size_t offset) {
        return width == 8 ? load_le<std::uint64_t>(view.subspan(offset))
                          : std::uint64_t{load_le<std::uint32_t>(view.subspan(offset))};
      };
      if ((signature == 0 || load_le<std::uint32_t>(bytes) == kDescriptorSignature) &&
          load_le<std::uint32_t>(view) == entry.crc32 && number(4) == entry.compressed_size &&
          number(4 + width) == entry.size) {
        return length;
      }
    }
  }
  return 0;
}

// Where a local header's signature stands in [begin, end), if anywhere.
base::Result<std::optional<std::uint64_t>> find_local_header(const Source& source, std::uint64_t begin,
                                                             std::uint64_t end) {
  HF_TRY(const RangeSource range, RangeSource::create(source, begin, end - begin));
  SourceStream stream(range);
  BufferedReader reader(stream);
  for (;;) {
    HF_TRY(const base::ByteView at_hand, reader.peek(kLocalSignature.size()));
    if (at_hand.size() < kLocalSignature.size()) return std::nullopt;
    const std::size_t found = base::as_text(at_hand).find(kLocalSignature);
    if (found != std::string_view::npos) return begin + reader.position() + found;
    reader.consume(at_hand.size() - kLocalSignature.size() + 1);
  }
}

base::Result<> report_gap(const Source& source, std::uint64_t begin, std::uint64_t end,
                          Anomalies& anomalies) {
  HF_TRY(const std::optional<std::uint64_t> hidden, find_local_header(source, begin, end));
  if (hidden) {
    anomalies.add(AnomalyKind::kHiddenEntry, *hidden, "an entry that the central directory does not list");
  }
  anomalies.add(begin == 0 ? AnomalyKind::kPrefixData : AnomalyKind::kGap, begin,
                fmt::format("{} bytes that belong to no entry", end - begin));
  return {};
}

}  // namespace

base::Result<> read_local_headers(const Source& source, const ZipDirectory& directory,
                                  std::vector<ZipEntry>& entries, Anomalies& anomalies) {
  std::uint64_t extra_budget = ZipReader::kMaxLocalExtraBytes;
  for (ZipEntry& entry : entries) {
    HF_CHECK(read_local_header(source, directory.offset, entry, extra_budget, anomalies));
  }
  return {};
}

base::Result<> report_layout(const Source& source, const ZipDirectory& directory,
                             const std::vector<ZipEntry>& entries, Anomalies& anomalies) {
  std::vector<const ZipEntry*> placed;
  for (const ZipEntry& entry : entries) {
    if (entry.data_offset) placed.push_back(&entry);
  }
  std::ranges::sort(placed, {}, &ZipEntry::header_offset);
  std::uint64_t covered = 0;
  for (const ZipEntry* entry : placed) {
    if (entry->header_offset < covered) {
      anomalies.add(AnomalyKind::kOverlap, entry->header_offset,
                    fmt::format("the entry {} shares bytes with another", quote(entry->name)));
    } else if (entry->header_offset > covered) {
      HF_CHECK(report_gap(source, covered, entry->header_offset, anomalies));
    }
    std::uint64_t end = *entry->data_offset + entry->compressed_size;
    if ((entry->flags & kDescriptorFlag) != 0) {
      HF_TRY(const std::uint64_t descriptor, descriptor_size(source, *entry, end));
      if (descriptor == 0) {
        anomalies.add(AnomalyKind::kDescriptorDiffers, end,
                      fmt::format("the entry {} has no data descriptor that agrees with the directory",
                                  quote(entry->name)));
      }
      end += descriptor;
    }
    covered = std::max(covered, end);
  }
  if (covered < directory.offset) return report_gap(source, covered, directory.offset, anomalies);
  return {};
}

void report_equal_names(const std::vector<ZipEntry>& entries, Anomalies& anomalies) {
  // Python ends a name at its first NUL byte; miniz, PyTorch's reader, compares without regard to ASCII case.
  const auto seen = [](const ZipEntry& entry) {
    return std::string_view(entry.name).substr(0, entry.name.find('\0'));
  };
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  const auto fold_less = [&](std::string_view a, std::string_view b) {
    return std::ranges::lexicographical_compare(a, b, {}, lower, lower);
  };
  std::vector<const ZipEntry*> sorted;
  for (const ZipEntry& entry : entries) sorted.push_back(&entry);
  std::ranges::sort(sorted, [&](const ZipEntry* a, const ZipEntry* b) {
    if (fold_less(seen(*a), seen(*b))) return true;
    if (fold_less(seen(*b), seen(*a))) return false;
    return std::tuple(seen(*a), a) < std::tuple(seen(*b), b);
  });
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    const std::string_view before = seen(*sorted[i - 1]);
    const std::string_view name = seen(*sorted[i]);
    if (name == before) {
      anomalies.add(AnomalyKind::kDuplicateName, sorted[i]->header_offset,
                    fmt::format("the entry name {} stands more than once", quote(name)));
    } else if (!fold_less(before, name)) {
      anomalies.add(AnomalyKind::kCaseCollision, sorted[i]->header_offset,
                    fmt::format("the entry names {} and {} are one to PyTorch", quote(before), quote(name)));
    }
  }
}

}  // namespace holdfast::formats
