#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "formats/anomaly.h"
#include "formats/buffered.h"

// Reads tar archives (POSIX.1-2017 pax, "pax Interchange Format" and "ustar Interchange Format"; GNU
// tar 1.34, section "Basic Tar Format"; version 7) front to back, as Python's tarfile does, which PyTorch's
// oldest format and many bundles are loaded with. Not thread-safe.

namespace holdfast::formats {

enum class TarType : std::uint8_t {
  kFile,
  kFolder,
  kSymbolicLink,
  kHardLink,
  kSpecialFile,
  kSparse,  // its contents are given as they are stored, without the holes
};

struct TarEntry {
  std::string name;  // by a pax or GNU extension where there is one, any bytes
  std::string link;  // the target, for links
  TarType type = TarType::kFile;
  std::uint64_t size = 0;         // bytes of contents
  std::uint64_t offset = 0;       // of the header, in the stream
  std::uint64_t data_offset = 0;  // of the contents
};

// As a Stream it gives the contents of the entry that next() gave last.
class TarReader final : public Stream {
 public:
  static constexpr std::size_t kMaxEntries = 1UL << 20;
  static constexpr std::size_t kMaxExtensionBytes = 1UL << 20;  // of one extension header's contents
  static constexpr int kMaxExtensions = 16;                     // headers that extend one entry

  // `input` outlives the reader.
  explicit TarReader(Stream& input) : input_(input) {}

  // The next entry; what is left of the former's contents is skipped. Absent at the archive's end, after
  // which the rest of the stream was looked through. kDataCorrupt where the stream is no tar or is truncated,
  // kLimitExceeded over the bounds above, kUnsupported for a pax header that renames all entries.
  base::Result<std::optional<TarEntry>> next();
  // kDataCorrupt where the stream ends within the entry.
  base::Result<std::size_t> read(base::MutableByteView buffer) override;
  // What was seen so far.
  [[nodiscard]] const Anomalies& anomalies() const { return anomalies_; }

 private:
  struct Header;
  struct Extensions;

  base::Result<std::optional<Header>> next_header();
  base::Result<bool> extend(const Header& header, Extensions& extensions);
  base::Result<std::string> read_extension(const Header& header);
  base::Result<TarEntry> finish(const Header& header, const Extensions& extensions);
  base::Result<> skip_sparse_map(const Header& header);
  base::Result<> look_beyond_end();
  void report(const TarEntry& entry, const Header& header);

  BufferedReader input_;
  std::uint64_t left_ = 0;     // bytes of the current entry's contents
  std::uint64_t padding_ = 0;  // after them
  std::size_t entries_ = 0;
  bool ended_ = false;
  std::set<std::uint64_t> names_;  // their hashes
  Anomalies anomalies_;
};

// Whether 512 bytes are a tar header with a right checksum, all that Python's tarfile asks for.
bool is_tar_header(base::ByteView block);

}  // namespace holdfast::formats
