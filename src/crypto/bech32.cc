#include "crypto/bech32.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace holdfast::crypto {

using base::Bytes;
using base::ByteView;
using base::ErrorCode;
using base::fail;
using base::Result;

namespace {

constexpr std::string_view kAlphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr std::size_t kChecksumChars = 6;

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
char to_lower(char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; }

// The BCH code of BIP 173, "Checksum".
class Checksum {
 public:
  explicit Checksum(std::string_view prefix) {
    for (const char c : prefix) add(static_cast<std::uint8_t>(to_lower(c)) >> 5);
    add(0);
    for (const char c : prefix) add(static_cast<std::uint8_t>(to_lower(c)) & 31U);
  }

  void add(std::uint32_t value) {
    constexpr std::array<std::uint32_t, 5> kGenerator{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                                      0x2a1462b3};
    const std::uint32_t top = state_ >> 25;
    state_ = (state_ & 0x1ffffff) << 5 ^ value;
    for (std::size_t i = 0; i < kGenerator.size(); ++i) {
      if ((top >> i & 1U) != 0) state_ ^= kGenerator[i];
    }
  }

  [[nodiscard]] std::uint32_t state() const { return state_; }

 private:
  std::uint32_t state_ = 1;
};

tl::unexpected<base::Error> wrong(std::string_view why) {
  return fail(ErrorCode::kInvalidArgument, std::string("the key ") + std::string(why));
}

// Eight-bit bytes from five-bit values, all of kAlphabet; an error where what is left over is not padding.
Result<base::Secret> regroup(std::string_view values) {
  Bytes bytes;
  bytes.reserve(values.size() * 5 / 8);
  std::uint32_t pending = 0;
  unsigned pending_bits = 0;
  for (const char c : values) {
    pending = pending << 5 | static_cast<std::uint32_t>(kAlphabet.find(to_lower(c)));
    pending_bits += 5;
    if (pending_bits >= 8) {
      pending_bits -= 8;
      bytes.push_back(static_cast<std::uint8_t>(pending >> pending_bits));
      pending &= (1U << pending_bits) - 1;
    }
  }
  base::Secret data(std::move(bytes));
  if (pending_bits >= 5 || pending != 0) return wrong("is not of whole bytes");
  return data;
}

}  // namespace

std::string bech32_encode(std::string_view prefix, ByteView data) {
  std::string text;
  // Reserved, so that no copy of a private key is left behind by growth.
  text.reserve(prefix.size() + 1 + (data.size() * 8 + 4) / 5 + kChecksumChars);
  text.append(prefix).push_back('1');
  Checksum checksum(prefix);
  const auto put = [&](std::uint32_t value) {
    checksum.add(value);
    text.push_back(kAlphabet[value]);
  };
  std::uint32_t pending = 0;
  unsigned pending_bits = 0;
  for (const auto byte : data) {
    pending = pending << 8 | byte;
    pending_bits += 8;
    for (; pending_bits >= 5; pending &= (1U << pending_bits) - 1) {
      pending_bits -= 5;
      put(pending >> pending_bits);
    }
  }
  if (pending_bits > 0) put(pending << (5 - pending_bits));
  for (std::size_t i = 0; i < kChecksumChars; ++i) checksum.add(0);
  const std::uint32_t code = checksum.state() ^ 1;
  for (std::size_t i = 0; i < kChecksumChars; ++i) text.push_back(kAlphabet[code >> (25 - 5 * i) & 31U]);
  return text;
}

Result<Bech32> bech32_decode(std::string_view text) {
  if (text.size() > kMaxBech32Chars) {
    return fail(ErrorCode::kLimitExceeded, "the key is longer than any that is known");
  }
  if (std::ranges::any_of(text, is_lower) && std::ranges::any_of(text, is_upper)) {
    return wrong("mixes lower and upper case");
  }
  const auto separator = text.rfind('1');
  if (separator == std::string_view::npos || separator == 0 || text.size() - separator - 1 < kChecksumChars) {
    return wrong("is not of the form <prefix>1<data>");
  }
  const auto prefix = text.substr(0, separator);
  if (!std::ranges::all_of(prefix, [](char c) { return c > ' ' && c <= '~'; })) {
    return wrong("has a character that no key has");
  }
  const auto values = text.substr(separator + 1);
  Checksum checksum(prefix);
  for (const char c : values) {
    const auto value = kAlphabet.find(to_lower(c));
    if (value == std::string_view::npos) return wrong("has a character that no key has");
    checksum.add(static_cast<std::uint32_t>(value));
  }
  if (checksum.state() != 1) return wrong("has a wrong checksum: it was mistyped or cut off");
  HF_TRY(base::Secret data, regroup(values.substr(0, values.size() - kChecksumChars)));
  return Bech32{.prefix = std::string(prefix), .data = std::move(data)};
}

}  // namespace holdfast::crypto
