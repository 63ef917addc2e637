#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "formats/anomaly.h"
#include "formats/source.h"

// Reads zip archives (PKWARE APPNOTE 6.3.10) as Python's zipfile and PyTorch's reader (miniz) do, and lists
// where the two, or the parts of the archive, disagree. The central directory is believed, as both do. Memory
// is bounded by the size of the directory; members are streamed, or read in place where they are stored. The
// source outlives the reader and what it opens. Immutable once open, so threads may share it.

namespace holdfast::formats {

struct ZipEntry {
  std::string name;  // the central directory's bytes, unchanged
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint32_t crc32 = 0;
  std::uint64_t compressed_size = 0;
  std::uint64_t size = 0;
  std::uint64_t header_offset = 0;           // of the local header, in the source
  std::optional<std::uint64_t> data_offset;  // absent: no local header, or the data leave the archive

  [[nodiscard]] bool encrypted() const { return (flags & 0x2041U) != 0; }  // bits 0, 6 and 13
  [[nodiscard]] bool is_folder() const { return name.ends_with('/') && size == 0; }
};

inline constexpr std::uint16_t kZipStored = 0;
inline constexpr std::uint16_t kZipDeflated = 8;

// The contents of one entry, at most ZipEntry::size bytes, as a loader gets them. Movable; one thread.
class ZipMember final : public Stream {
 public:
  ZipMember(ZipMember&&) noexcept;
  ZipMember& operator=(ZipMember&&) noexcept;
  ~ZipMember() override;

  // kDataCorrupt where the compressed data is damaged, after all bytes before the damage.
  base::Result<std::size_t> read(base::MutableByteView buffer) override;
  // What reading has shown. A wrong checksum or size, which PyTorch's reader ignores, is known when read()
  // gave 0.
  [[nodiscard]] const Anomalies& anomalies() const;

 private:
  friend class ZipReader;
  struct State;
  explicit ZipMember(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class ZipReader {
 public:
  static constexpr std::size_t kMaxEntries = 1UL << 18;
  static constexpr std::uint64_t kMaxDirectoryBytes = 64ULL << 20;
  static constexpr std::uint64_t kMaxLocalExtraBytes = 64ULL << 20;  // of all entries
  // An entry that expands more than kHighRatio-fold beyond kHighRatioFloor bytes is an anomaly.
  static constexpr std::uint64_t kHighRatio = 250;
  static constexpr std::uint64_t kHighRatioFloor = 16ULL << 20;

  // kDataCorrupt where the loaders too find no archive or a broken directory; kLimitExceeded over the bounds
  // above, and over `max_entries`, which an archive of many small files that is no model may raise.
  static base::Result<ZipReader> open(const Source& source, std::size_t max_entries = kMaxEntries);

  // In the directory's order; names may repeat (see find).
  [[nodiscard]] const std::vector<ZipEntry>& entries() const { return entries_; }
  [[nodiscard]] const Anomalies& anomalies() const { return anomalies_; }
  // The entry that Python loads by this name: the last of those that have it. Null where none has.
  [[nodiscard]] const ZipEntry* find(std::string_view name) const;

  // The contents of an entry of this archive. kUnsupported for encryption and methods other than stored and
  // deflated, kDataCorrupt for an entry without data_offset.
  [[nodiscard]] base::Result<ZipMember> open_member(const ZipEntry& entry) const;
  // The contents in place, checksum unread; kInvalidArgument unless the entry is stored.
  [[nodiscard]] base::Result<RangeSource> stored_range(const ZipEntry& entry) const;

 private:
  explicit ZipReader(const Source& source) : source_(&source) {}
  const Source* source_;
  std::vector<ZipEntry> entries_;
  Anomalies anomalies_;
};

}  // namespace holdfast::formats
