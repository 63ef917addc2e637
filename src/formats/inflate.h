#pragma once

#include <memory>

#include "formats/anomaly.h"
#include "formats/source.h"

// Expands deflated data as a Stream, within bounds. Memory is about 110 KiB whatever the data. Not
// thread-safe.

namespace holdfast::formats {

enum class DeflateFormat { kRaw, kZlib, kGzip };  // RFC 1951, RFC 1950, RFC 1952

struct InflateLimits {
  static constexpr std::uint64_t kRatioFloor = 64ULL << 20;
  static constexpr std::uint32_t kAnyRatio = 0xFFFFFFFF;

  std::uint64_t max_output = 64ULL << 30;  // bytes
  std::uint32_t max_ratio = 250;           // output to input, once output passes kRatioFloor bytes
};

class InflateStream final : public Stream {
 public:
  // `input` outlives the stream.
  static base::Result<InflateStream> open(Stream& input, DeflateFormat format,
                                          const InflateLimits& limits = {});

  InflateStream(InflateStream&&) noexcept;
  InflateStream& operator=(InflateStream&&) noexcept;
  ~InflateStream() override;

  // kDataCorrupt for data that is damaged or truncated, kLimitExceeded past the limits; each only after all
  // bytes before the fault were given, since a loader may act on those. An error stays. As Python's gzip and
  // joblib do, zlib and gzip data continue with the next member after the end of one.
  base::Result<std::size_t> read(base::MutableByteView buffer) override;

  // Bytes of input that belong to the compressed data read so far.
  [[nodiscard]] std::uint64_t consumed() const;
  // Members begun so far.
  [[nodiscard]] std::uint64_t members() const;
  // kTrailingData, once the end was read, where something other than a member or zero bytes follows (zlib,
  // gzip).
  [[nodiscard]] const Anomalies& anomalies() const;

 private:
  struct State;
  explicit InflateStream(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace holdfast::formats
