#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/age_keys.h"
#include "crypto/age_payload.h"
#include "crypto/stream.h"

namespace holdfast::crypto {

// Random access to the plaintext of a sealed file in binary form, a chunk of 64 KiB at a time; the last one
// read is kept. The last chunk of the file is opened first, so that the size is authentic from the start.
// Used by one thread at a time; `sealed` must outlive it and not change.
class AgeRandomReader final : public RandomReader {
 public:
  // Errors as AgeUnsealer::open, kDataCorrupt for a truncated file, and kUnsupported for an armored one.
  static base::Result<AgeRandomReader> open(const RandomReader& sealed, const AgeKeys& keys);

  [[nodiscard]] std::uint64_t size() const override { return size_; }
  // kDataCorrupt where a chunk in the range was changed.
  base::Result<std::size_t> read_at(std::uint64_t offset, base::MutableByteView buffer) const override;

 private:
  AgeRandomReader(const RandomReader& sealed, AgePayload payload, std::uint64_t sealed_size);
  base::Result<> load(std::uint64_t index) const;

  const RandomReader* sealed_;
  AgePayload payload_;
  std::uint64_t chunks_;
  std::uint64_t size_;
  mutable base::Bytes buffer_;
  mutable base::Secret chunk_;
  mutable std::optional<std::uint64_t> loaded_;  // the index of what chunk_ holds
};

}  // namespace holdfast::crypto
