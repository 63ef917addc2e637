#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace holdfast::base {

// A SHA-256 digest: the name of an artefact. crypto/ computes it. A plain value; compare digests of secrets
// with constant_time_equal (base/secret.h) instead.
class Digest {
 public:
  static constexpr std::size_t kSize = 32;

  constexpr Digest() = default;  // all zero: names nothing
  explicit constexpr Digest(const std::array<std::uint8_t, kSize>& bytes) : bytes_(bytes) {}

  // From exactly 32 bytes; kInvalidArgument otherwise.
  static Result<Digest> from_bytes(ByteView bytes);
  // From 64 lower-case hexadecimal digits, with or without "sha256:" before them.
  static Result<Digest> from_hex(std::string_view text);

  [[nodiscard]] std::string hex() const;
  [[nodiscard]] std::string prefixed() const;  // "sha256:<hex>"
  [[nodiscard]] ByteView bytes() const { return bytes_; }

  friend auto operator<=>(const Digest&, const Digest&) = default;

 private:
  std::array<std::uint8_t, kSize> bytes_{};
};

}  // namespace holdfast::base

template <>
struct std::hash<holdfast::base::Digest> {
  std::size_t operator()(const holdfast::base::Digest& digest) const noexcept {
    return holdfast::base::load_le<std::uint64_t>(digest.bytes());
  }
};
