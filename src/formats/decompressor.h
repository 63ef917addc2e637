#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

#include "formats/anomaly.h"
#include "formats/sniff.h"
#include "formats/source.h"

// Expands compressed data as a Stream, within bounds, whatever its format: zlib, gzip, bzip2, xz, lzma, zstd,
// lz4. Not thread-safe.

namespace holdfast::formats {

// What decompressors that are open inside one another may take together, in bytes. One thread.
class MemoryBudget {
 public:
  // Enough for zstd's own default limit, a window of 128 MiB, and for xz -9 within xz -9.
  static constexpr std::uint64_t kDefault = 144ULL << 20;

  explicit MemoryBudget(std::uint64_t bytes = kDefault) : total_(bytes) {}
  [[nodiscard]] std::uint64_t left() const { return total_ - std::min(total_, taken_); }
  // One user's share goes from `before` to `now`.
  void change(std::uint64_t before, std::uint64_t now) { taken_ = taken_ - before + now; }

 private:
  std::uint64_t total_;
  std::uint64_t taken_ = 0;
};

struct DecompressLimits {
  static constexpr std::uint64_t kRatioFloor = 64ULL << 20;
  static constexpr std::uint32_t kAnyRatio = 0xFFFFFFFF;

  std::uint64_t max_output = 64ULL << 30;  // bytes
  std::uint32_t max_ratio = 250;           // output to input, once output passes kRatioFloor bytes
  // Outlives the decompressor; null: one of its own, of MemoryBudget::kDefault.
  MemoryBudget* memory = nullptr;
};

class Decompressor : public Stream {
 public:
  // kDataCorrupt for data that is damaged or truncated, kLimitExceeded past the limits, kUnsupported where
  // the data asks for more memory than the budget has; each only after all bytes before the fault were given,
  // since a loader may act on those. An error stays. As Python's readers do, data continues with the next
  // member after the end of one.
  base::Result<std::size_t> read(base::MutableByteView buffer) override = 0;

  // Bytes of input that belong to the compressed data read so far.
  [[nodiscard]] virtual std::uint64_t consumed() const = 0;
  // Members (streams, frames) begun so far.
  [[nodiscard]] virtual std::uint64_t members() const = 0;
  // kTrailingData, once the end was read, where something other than a member or padding follows.
  [[nodiscard]] virtual const Anomalies& anomalies() const = 0;
};

[[nodiscard]] bool is_compressed(Format format);

// For a format that is_compressed; kUnsupported for others. `input` outlives the decompressor.
base::Result<std::unique_ptr<Decompressor>> open_decompressor(Format format, Stream& input,
                                                              const DecompressLimits& limits = {});

// Whether the bytes begin data that an LZMA reader would expand: the old format of .lzma has no signature
// (liblzma, alone_decoder.c).
bool is_lzma_alone(base::ByteView head);

}  // namespace holdfast::formats
