#pragma once

#include <zlib.h>

#include <string>
#include <string_view>

// Secrets for tests, put together while they run: of the right form, and nobody's.

namespace holdfast::patterns::testing {

inline constexpr std::string_view kBase62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

// `count` characters without a pattern to the eye, the same for the same seed.
inline std::string characters(std::size_t count, std::string_view alphabet = kBase62,
                              std::uint64_t seed = 7) {
  std::string text;
  std::uint64_t state = seed * 0x9E3779B97F4A7C15ULL + 1;
  while (text.size() < count) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    text += alphabet[static_cast<std::size_t>(state >> 33) % alphabet.size()];
  }
  return text;
}

// As GitHub and npm end their tokens.
inline std::string with_checksum(std::string_view prefix, const std::string& body) {
  auto value = crc32_z(0, reinterpret_cast<const Bytef*>(body.data()), body.size());
  std::string digits(6, '0');
  for (std::size_t i = digits.size(); i-- > 0; value /= 62) digits[i] = kBase62[value % 62];
  return std::string(prefix) + body + digits;
}

inline std::string github_token(std::uint64_t seed = 7) {
  return with_checksum("ghp_", characters(30, kBase62, seed));
}

}  // namespace holdfast::patterns::testing
