#include "base/encoding.h"

#include <array>

#include "base/assert.h"

namespace holdfast::base {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kStandardAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr int kNotADigit = -1;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return kNotADigit;
}

using ReverseAlphabet = std::array<signed char, 256>;

constexpr ReverseAlphabet reverse(std::string_view alphabet) {
  ReverseAlphabet table{};
  for (auto& entry : table) entry = kNotADigit;
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<signed char>(i);
  }
  return table;
}

constexpr ReverseAlphabet kStandardValues = reverse(kStandardAlphabet);
constexpr ReverseAlphabet kUrlValues = reverse(kUrlAlphabet);

}  // namespace

std::string hex_encode(ByteView bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const auto byte : bytes) {
    text.push_back(kHexDigits[byte >> 4]);
    text.push_back(kHexDigits[byte & 15]);
  }
  return text;
}

Result<Bytes> hex_decode(std::string_view text) {
  if (text.size() % 2 != 0) {
    return fail(ErrorCode::kInvalidArgument, "hexadecimal text has an odd number of digits");
  }
  Bytes bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_value(text[i]);
    const int low = hex_value(text[i + 1]);
    if (high == kNotADigit || low == kNotADigit) {
      return fail(ErrorCode::kInvalidArgument, "hexadecimal text has a character that is no digit");
    }
    bytes.push_back(static_cast<std::uint8_t>(high * 16 + low));
  }
  return bytes;
}

std::string base64_encode(ByteView bytes, Base64 variant) {
  const auto alphabet = variant == Base64::kUrl ? kUrlAlphabet : kStandardAlphabet;
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t taken = bytes.size() - i < 3 ? bytes.size() - i : 3;
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (k < taken ? bytes[i + k] : 0U);
    for (std::size_t k = 0; k <= taken; ++k) text.push_back(alphabet[group >> (18 - 6 * k) & 63U]);
    if (variant == Base64::kStandard) text.append(3 - taken, '=');
  }
  return text;
}

Result<Bytes> base64_decode(std::string_view text, Base64 variant) {
  const auto wrong = [](std::string why) { return fail(ErrorCode::kInvalidArgument, "base64 text " + why); };
  if (variant == Base64::kStandard) {
    if (text.size() % 4 != 0) return wrong("is not padded to a multiple of four characters");
    for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  }
  if (text.size() % 4 == 1) return wrong("has an impossible length");
  const auto& values = variant == Base64::kUrl ? kUrlValues : kStandardValues;
  Bytes bytes;
  bytes.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t pending = 0;
  unsigned pending_bits = 0;
  for (const char c : text) {
    const int value = values[static_cast<unsigned char>(c)];
    if (value == kNotADigit) return wrong("has a character outside its alphabet");
    pending = pending << 6 | static_cast<std::uint32_t>(value);
    pending_bits += 6;
    if (pending_bits >= 8) {
      pending_bits -= 8;
      bytes.push_back(static_cast<std::uint8_t>(pending >> pending_bits));
      pending &= (1U << pending_bits) - 1;
    }
  }
  if (pending != 0) return wrong("has bits set beyond its last byte");
  return bytes;
}

}  // namespace holdfast::base
