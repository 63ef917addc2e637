#include "base/digest.h"

#include <algorithm>

#include "base/encoding.h"

namespace holdfast::base {

Result<Digest> Digest::from_bytes(ByteView bytes) {
  if (bytes.size() != kSize) return fail(ErrorCode::kInvalidArgument, "a SHA-256 digest has 32 bytes");
  Digest digest;
  std::copy(bytes.begin(), bytes.end(), digest.bytes_.begin());
  return digest;
}

Result<Digest> Digest::from_hex(std::string_view text) {
  constexpr std::string_view kPrefix = "sha256:";
  if (text.starts_with(kPrefix)) text.remove_prefix(kPrefix.size());
  const bool lower = std::none_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'F'; });
  if (text.size() != 2 * kSize || !lower) {
    return fail(ErrorCode::kInvalidArgument,
                "a SHA-256 digest is written as 64 lower-case hexadecimal digits");
  }
  HF_TRY(const Bytes bytes, hex_decode(text));
  return from_bytes(bytes);
}

std::string Digest::hex() const { return hex_encode(bytes_); }
std::string Digest::prefixed() const { return "sha256:" + hex(); }

}  // namespace holdfast::base
