#include "patterns/secret_match.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cmath>

#include <nlohmann/json.hpp>

#include "base/encoding.h"
#include "base/json.h"
#include "patterns/secret_assigned.h"

namespace holdfast::patterns {
namespace {

using Place = std::optional<SecretPlace>;

constexpr std::array<std::string_view, 28> kPlaceholders{
    "example",  "placeholder", "your",    "changeme", "change_me", "change-me", "dummy",
    "redacted", "insert",      "replace", "xxxx",     "****",      "....",      "todo",
    "sample",   "fake",        "notreal", "abcdefgh", "12345678",  "01234567",  "deadbeef",
    "<",        "${",          "{{",      "%(",       "0000000",   "aaaaaa",    "mock"};

bool is_base62(char c) { return is_in(Alphabet::kBase62, c); }

std::size_t run_length(Alphabet alphabet, std::string_view window, std::size_t from, std::size_t most) {
  std::size_t length = 0;
  while (length < most && from + length < window.size() && is_in(alphabet, window[from + length])) ++length;
  return length;
}

// The CRC-32 in 6 digits of base 62, most significant first.
std::string base62_crc32(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  auto value = crc32_z(0, base::as_bytes(text).data(), text.size());
  std::string digits(6, '0');
  for (std::size_t i = digits.size(); i-- > 0; value /= 62) digits[i] = kDigits[value % 62];
  return digits;
}

bool crc32_matches(std::string_view body) {
  return body.size() > 6 && base62_crc32(body.substr(0, body.size() - 6)) == body.substr(body.size() - 6);
}

// Nothing where the characters break the issuer's form.
std::optional<Validity> check(Check kind, std::string_view body) {
  switch (kind) {
    case Check::kNone:
      return Validity::kNoChecksum;
    case Check::kCrc32:
      return crc32_matches(body) ? Validity::kValid : Validity::kInvalid;
    case Check::kCrc32Confirms: {
      const bool valid = crc32_matches(body.substr(body.rfind('_') + 1));
      return valid ? Validity::kValid : Validity::kNoChecksum;
    }
    case Check::kOpenAi:
      // Text that its keys carry, "OpenAI" in base 64.
      if (body.substr(20, 8) != "T3BlbkFJ") return std::nullopt;
      return Validity::kNoChecksum;
    case Check::kSendGrid:
      if (body[22] != '.' || std::count(body.begin(), body.end(), '.') != 1) return std::nullopt;
      return Validity::kNoChecksum;
  }
  return std::nullopt;
}

// Less than what random characters have, even in an unlucky draw.
bool is_too_regular(std::string_view body) { return entropy_of(body) < (body.size() < 24 ? 2.5 : 2.9); }

Place run_of(const SecretPattern& pattern, std::string_view window, std::size_t begin, std::size_t body_at) {
  // A run that is longer than any secret of this form is none.
  const std::size_t length = run_length(pattern.alphabet, window, body_at, pattern.max + 1);
  if (length < pattern.min || length > pattern.max) return std::nullopt;
  const std::string_view body = window.substr(body_at, length);
  const auto validity = check(pattern.check, body);
  if (!validity) return std::nullopt;
  if (*validity != Validity::kValid && (is_placeholder(body) || is_too_regular(body))) return std::nullopt;
  const std::size_t end = body_at + length;
  return SecretPlace{
      .begin = begin,
      .end = end,
      .masked = fmt::format("{}... ({} characters)", window.substr(begin, body_at - begin), end - begin),
      .validity = *validity};
}

// The keyword's own letters, and no word that goes on before it.
bool begins_word(const SecretPattern& pattern, std::string_view window, std::size_t at) {
  if (window.substr(at, pattern.keyword.size()) != pattern.keyword) return false;
  return at == 0 || (!is_base62(window[at - 1]) && window[at - 1] != '_' && window[at - 1] != '-') ||
         (at > 1 && window[at - 2] == '\\');  // behind "\n" in a string's source
}

Place match_prefix(const SecretPattern& pattern, std::string_view window, std::size_t at) {
  if (!begins_word(pattern, window, at)) return std::nullopt;
  return run_of(pattern, window, at, at + pattern.keyword.size());
}

Place match_behind(const SecretPattern& pattern, std::string_view window, std::size_t at) {
  return run_of(pattern, window, at + pattern.keyword.size(), at + pattern.keyword.size());
}

Place match_assigned(const SecretPattern& pattern, std::string_view window, std::size_t at) {
  const auto value = assigned_value(window, at, pattern.keyword.size());
  if (!value) return std::nullopt;
  return run_of(pattern, window, value->begin, value->begin);
}

// ...?sv=...&sig=<44 characters of base 64, percent-encoded>
Place match_sas(std::string_view window, std::size_t at) {
  if (at == 0 ||
      (window[at - 1] != '&' && window[at - 1] != '?' && window[at - 1] != ';' && window[at - 1] != '6')) {
    return std::nullopt;
  }
  const std::size_t begin = at + 4;
  std::size_t end = begin;
  std::size_t decoded = 0;
  while (end < window.size() && decoded <= 44) {
    const std::size_t step = window[end] == '%' ? 3 : 1;
    if (step == 1 && !is_in(Alphabet::kBase64, window[end])) break;
    end = std::min(window.size(), end + step);
    ++decoded;
  }
  const std::string_view value = window.substr(begin, end - begin);
  if (decoded != 44 || !(value.ends_with('=') || value.ends_with("%3D") || value.ends_with("%3d")))
    return std::nullopt;
  constexpr std::size_t kUrlBytes = 200;
  const std::size_t from = at > kUrlBytes ? at - kUrlBytes : 0;
  const std::string_view url = window.substr(from, end - from + kUrlBytes);
  if (url.find("sv=20") == std::string_view::npos || is_placeholder(value) || is_too_regular(value))
    return std::nullopt;
  return SecretPlace{
      .begin = begin, .end = end, .masked = fmt::format("sig=... ({} characters)", value.size())};
}

bool is_json_object(std::string_view segment, std::string_view member) {
  const auto bytes = base::base64_decode(segment, base::Base64::kUrl);
  if (!bytes) return false;
  const auto value =
      base::parse_json(base::as_text(*bytes), {.max_bytes = SecretScanner::kAfter, .max_depth = 16});
  return value && value->is_object() && (member.empty() || value->contains(member));
}

Place match_jwt(const SecretPattern& pattern, std::string_view window, std::size_t at) {
  if (!begins_word(pattern, window, at)) return std::nullopt;
  std::array<std::string_view, 3> parts;
  std::size_t end = at;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::size_t length = run_length(Alphabet::kUrlSafe, window, end, window.size());
    parts[i] = window.substr(end, length);
    end += length;
    if (i + 1 == parts.size()) break;
    if (end >= window.size() || window[end] != '.') return std::nullopt;
    ++end;
  }
  constexpr std::size_t kMinSignature = 20;  // characters: shorter than any algorithm's of RFC 7518
  if (parts[2].size() < kMinSignature || is_placeholder(parts[2]) || is_too_regular(parts[2]))
    return std::nullopt;
  if (!is_json_object(parts[0], "alg") || !is_json_object(parts[1], {})) return std::nullopt;
  // "sub":"1234567890" of jwt.io's specimen, at the one alignment that it has there.
  if (parts[1].find("MTIzNDU2Nzg5MC") != std::string_view::npos) return std::nullopt;
  if (parts[1].find("IxMjM0NTY3ODkw") != std::string_view::npos) return std::nullopt;
  return SecretPlace{.begin = at,
                     .end = end,
                     .masked = fmt::format("eyJ... ({} characters)", end - at),
                     .validity = Validity::kValid};
}

Place match_pem(const SecretPattern& pattern, std::string_view window, std::size_t at) {
  constexpr std::size_t kMaxLabel = 40;
  constexpr std::size_t kMinLine = 40;  // characters of base 64 on a full line
  constexpr std::size_t kBody = 2000;   // bytes that are looked at for one
  if (window.substr(at, pattern.keyword.size()) != pattern.keyword) return std::nullopt;
  const std::size_t label_at = at + pattern.keyword.size();
  const std::size_t dashes =
      window.substr(0, std::min(window.size(), label_at + kMaxLabel)).find("-----", label_at);
  if (dashes == std::string_view::npos) return std::nullopt;
  const std::string_view label = window.substr(label_at, dashes - label_at);
  if (!label.ends_with("PRIVATE KEY") && !label.ends_with("PRIVATE KEY BLOCK")) return std::nullopt;
  std::string_view body = window.substr(dashes + 5, kBody);
  body = body.substr(0, body.find("-----"));
  std::size_t longest = 0;
  for (std::size_t i = 0; i < body.size(); ++i) {
    const std::size_t length = run_length(Alphabet::kBase64, body, i, body.size());
    if (length > longest && !is_too_regular(body.substr(i, length))) longest = length;
    i += length;
  }
  if (longest < kMinLine) return std::nullopt;
  const std::size_t end = dashes + 5;
  return SecretPlace{.begin = at, .end = end, .masked = std::string(window.substr(at, end - at))};
}

bool is_scheme(char c) { return is_base62(c) || c == '+' || c == '-' || c == '.'; }

// scheme://user:password@host
Place match_url(std::string_view window, std::size_t at) {
  constexpr std::size_t kMaxScheme = 24;
  constexpr std::size_t kMaxUserInfo = 300;
  std::size_t scheme = at;
  while (scheme > 0 && at - scheme < kMaxScheme && is_scheme(window[scheme - 1])) --scheme;
  if (at - scheme < 2) return std::nullopt;
  const std::string_view info = window.substr(at + 3, kMaxUserInfo);
  const std::size_t stop = info.find_first_of("@/?# \t\r\n\"'<>`\\{}$*|,;()");
  if (stop == std::string_view::npos || info[stop] != '@') return std::nullopt;
  const std::size_t colon = info.substr(0, stop).find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view user = info.substr(0, colon);
  const std::string_view password = info.substr(colon + 1, stop - colon - 1);
  const std::size_t host = at + 3 + stop + 1;
  if (host >= window.size() || !(is_base62(window[host]) || window[host] == '[')) return std::nullopt;
  if (password.size() < 4 || password == user || is_common_word(password) || is_placeholder(password)) {
    return std::nullopt;
  }
  const std::size_t begin = at + 3 + colon + 1;
  return SecretPlace{.begin = begin,
                     .end = begin + password.size(),
                     .masked = fmt::format("{}://...:...@... (password of {} characters)",
                                           window.substr(scheme, at - scheme), password.size())};
}

Place match_password(std::string_view window, std::size_t at, std::size_t keyword_size) {
  const auto value = assigned_value(window, at, keyword_size);
  if (!value || !is_likely_password(*value, window)) return std::nullopt;
  return SecretPlace{
      .begin = value->begin,
      .end = value->end,
      .masked = fmt::format("{} = ... ({} characters)", value->name, value->end - value->begin)};
}

}  // namespace

double entropy_of(std::string_view text) {
  std::array<std::uint32_t, 256> counts{};
  for (const char c : text) ++counts[static_cast<unsigned char>(c)];
  double bits = 0;
  for (const auto count : counts) {
    if (count == 0) continue;
    const double share = static_cast<double>(count) / static_cast<double>(text.size());
    bits -= share * std::log2(share);
  }
  return bits;
}

bool is_placeholder(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return std::any_of(kPlaceholders.begin(), kPlaceholders.end(),
                     [&](std::string_view mark) { return lower.find(mark) != std::string::npos; });
}

std::optional<SecretPlace> match_secret(const SecretPattern& pattern, std::string_view window,
                                        std::size_t at) {
  switch (pattern.shape) {
    case Shape::kPrefix:
      return match_prefix(pattern, window, at);
    case Shape::kBehind:
      return match_behind(pattern, window, at);
    case Shape::kAssigned:
      return match_assigned(pattern, window, at);
    case Shape::kSas:
      return match_sas(window, at);
    case Shape::kJwt:
      return match_jwt(pattern, window, at);
    case Shape::kPem:
      return match_pem(pattern, window, at);
    case Shape::kUrl:
      return match_url(window, at);
    case Shape::kPassword:
      return match_password(window, at, pattern.keyword.size());
  }
  return std::nullopt;
}

}  // namespace holdfast::patterns
