#include "formats/zip.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <limits>

#include "formats/inflate.h"
#include "formats/zip_layout.h"

namespace holdfast::formats {

using base::ErrorCode;
using base::fail;

struct ZipMember::State {
  State(const RangeSource& its_range, const ZipEntry& its_entry)
      : range(its_range), raw(range), entry(its_entry), left(its_entry.size) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  base::Result<std::size_t> read_some(base::MutableByteView buffer) {
    return inflated ? inflated->read(buffer) : raw.read(buffer);
  }
  void finish();

  RangeSource range;
  SourceStream raw;  // reads `range`
  std::optional<InflateStream> inflated;
  ZipEntry entry;
  std::uint64_t left;
  uLong crc = ::crc32(0, nullptr, 0);
  bool finished = false;
  Anomalies anomalies;
};

// Loaders stop after the size that the directory says, and don't miss what the data may hold beyond.
void ZipMember::State::finish() {
  if (std::exchange(finished, true)) return;
  const std::string name = quote(entry.name);
  std::uint8_t beyond = 0;
  const auto more = read_some({&beyond, 1});
  if (left > 0) {
    anomalies.add(AnomalyKind::kSizeDiffers, entry.header_offset,
                  fmt::format("the entry {} has {} bytes less than it says", name, left));
  } else if (!more || *more > 0 || (inflated && inflated->consumed() != entry.compressed_size)) {
    anomalies.add(AnomalyKind::kSizeDiffers, entry.header_offset,
                  fmt::format("the data of the entry {} does not end where it says", name));
  }
  if (static_cast<std::uint32_t>(crc) != entry.crc32) {
    anomalies.add(
        AnomalyKind::kBadChecksum, entry.header_offset,
        fmt::format(
            "the contents of the entry {} don't match their CRC: Python refuses them, PyTorch does not",
            name));
  }
}

ZipMember::ZipMember(std::unique_ptr<State> state) : state_(std::move(state)) {}
ZipMember::ZipMember(ZipMember&&) noexcept = default;
ZipMember& ZipMember::operator=(ZipMember&&) noexcept = default;
ZipMember::~ZipMember() = default;

base::Result<std::size_t> ZipMember::read(base::MutableByteView buffer) {
  State& state = *state_;
  if (buffer.empty() || state.finished) return 0;
  std::size_t got = 0;
  if (state.left > 0) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), state.left));
    HF_TRY(got, state.read_some(buffer.first(wanted)));
  }
  state.left -= got;
  state.crc = ::crc32_z(state.crc, buffer.data(), got);
  if (got == 0) state.finish();
  return got;
}

const Anomalies& ZipMember::anomalies() const { return state_->anomalies; }

base::Result<ZipReader> ZipReader::open(const Source& source, std::size_t max_entries) {
  ZipReader zip(source);
  HF_TRY(const ZipDirectory directory, locate_zip_directory(source, zip.anomalies_));
  HF_TRY(zip.entries_, read_zip_directory(source, directory, max_entries, zip.anomalies_));
  HF_CHECK(read_local_headers(source, directory, zip.entries_, zip.anomalies_));
  HF_CHECK(report_layout(source, directory, zip.entries_, zip.anomalies_));
  report_equal_names(zip.entries_, zip.anomalies_);
  return zip;
}

const ZipEntry* ZipReader::find(std::string_view name) const {
  const auto found =
      std::find_if(entries_.rbegin(), entries_.rend(), [&](const auto& e) { return e.name == name; });
  return found == entries_.rend() ? nullptr : &*found;
}

base::Result<ZipMember> ZipReader::open_member(const ZipEntry& entry) const {
  if (!entry.data_offset) {
    return fail(ErrorCode::kDataCorrupt,
                fmt::format("the zip holds no data for its entry {}", quote(entry.name)));
  }
  if (entry.encrypted() || (entry.method != kZipStored && entry.method != kZipDeflated)) {
    return fail(ErrorCode::kUnsupported,
                fmt::format("the zip entry {} is encrypted, or compressed by method {}, and can't be read",
                            quote(entry.name), entry.method));
  }
  HF_TRY(const RangeSource range, RangeSource::create(*source_, *entry.data_offset, entry.compressed_size));
  auto state = std::make_unique<ZipMember::State>(range, entry);
  if (entry.method == kZipDeflated) {
    const DecompressLimits limits{
        .max_output = std::numeric_limits<std::uint64_t>::max(),  // read() stops at entry.size
        .max_ratio = DecompressLimits::kAnyRatio};
    HF_TRY(state->inflated, InflateStream::open(state->raw, DeflateFormat::kRaw, limits));
  }
  return ZipMember(std::move(state));
}

base::Result<RangeSource> ZipReader::stored_range(const ZipEntry& entry) const {
  if (!entry.data_offset || entry.method != kZipStored || entry.encrypted() ||
      entry.size != entry.compressed_size) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("the zip entry {} is not stored as it is; stream it instead", quote(entry.name)));
  }
  return RangeSource::create(*source_, *entry.data_offset, entry.size);
}

}  // namespace holdfast::formats
