#pragma once

#include <memory>
#include <optional>
#include <string>

#include "formats/anomaly.h"
#include "formats/decompressor.h"
#include "formats/source.h"

// Reads 7z archives (7-Zip's DOC/7zFormat.txt) front to back: copied, LZMA, LZMA2, deflate, bzip2 and zstd
// contents, through the branch filters. Not thread-safe.

namespace holdfast::formats {

struct SevenZipEntry {
  std::string name;  // UTF-8, unless it is no text
  bool folder = false;
  std::uint64_t size = 0;
};

// As a Stream it gives the contents of the entry that next() gave last.
class SevenZipReader final : public Stream {
 public:
  static constexpr std::uint64_t kMaxHeaderBytes = 32ULL << 20;  // packed and unpacked

  // `source`, and the budget in `limits`, outlive the reader. kDataCorrupt where 7-Zip too finds no archive
  // or a broken header, kPermissionDenied for a header that is encrypted; kLimitExceeded, kUnsupported.
  static base::Result<SevenZipReader> open(const Source& source, const DecompressLimits& limits = {});
  SevenZipReader(SevenZipReader&&) noexcept;
  SevenZipReader& operator=(SevenZipReader&&) noexcept;
  ~SevenZipReader() override;

  // The next entry; what is left of the former's contents is skipped. Absent at the end.
  std::optional<SevenZipEntry> next();
  // kPermissionDenied where the entry is encrypted, kUnsupported where it is packed by another method,
  // kDataCorrupt where it is damaged, after all bytes before the damage.
  base::Result<std::size_t> read(base::MutableByteView buffer) override;
  // What was seen so far: a wrong checksum is known when read() gave 0.
  [[nodiscard]] const Anomalies& anomalies() const;

 private:
  struct State;
  explicit SevenZipReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace holdfast::formats
