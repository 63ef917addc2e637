#pragma once

#include <memory>

#include "formats/decompressor.h"

// Expands deflated data as a Stream, within bounds. Memory is about 110 KiB whatever the data. Not
// thread-safe.

namespace holdfast::formats {

enum class DeflateFormat { kRaw, kZlib, kGzip };  // RFC 1951, RFC 1950, RFC 1952

class InflateStream final : public Decompressor {
 public:
  // `input` outlives the stream.
  static base::Result<InflateStream> open(Stream& input, DeflateFormat format,
                                          const DecompressLimits& limits = {});

  InflateStream(InflateStream&&) noexcept;
  InflateStream& operator=(InflateStream&&) noexcept;
  ~InflateStream() override;

  // kDataCorrupt for data that is damaged or truncated, kLimitExceeded past the limits; each only after all
  // bytes before the fault were given, since a loader may act on those. An error stays. As Python's gzip and
  // joblib do, zlib and gzip data continue with the next member after the end of one.
  base::Result<std::size_t> read(base::MutableByteView buffer) override;

  [[nodiscard]] std::uint64_t consumed() const override;
  [[nodiscard]] std::uint64_t members() const override;
  // Raw data has one member, and no anomalies: how much was consumed tells what follows.
  [[nodiscard]] const Anomalies& anomalies() const override;

 private:
  struct State;
  explicit InflateStream(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace holdfast::formats
