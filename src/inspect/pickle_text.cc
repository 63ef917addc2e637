#include "inspect/pickle_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace holdfast::inspect {
namespace {

constexpr std::size_t kMaxPrinted = 120;

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }
bool is_octal(char c) { return c >= '0' && c <= '7'; }

// The `count` digits at `at`; nothing where there are fewer.
std::optional<unsigned> parse_digits(std::string_view text, std::size_t at, std::size_t count, int base) {
  unsigned value = 0;
  if (text.size() - at < count) return std::nullopt;
  const char* end = text.data() + at + count;
  const auto [parsed_to, error] = std::from_chars(text.data() + at, end, value, base);
  if (error != std::errc{} || parsed_to != end) return std::nullopt;
  return value;
}

// The character that a backslash and `c` stand for, where no digits follow; nothing for others.
std::optional<char> simple_escape(char c) {
  constexpr std::string_view kFrom = "\\'\"abfnrtv";
  constexpr std::string_view kTo = "\\'\"\a\b\f\n\r\t\v";
  const std::size_t at = kFrom.find(c);
  if (at == std::string_view::npos) return std::nullopt;
  return kTo[at];
}

}  // namespace

std::optional<std::string> decode_escapes(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!is_ascii(text[i])) return std::nullopt;
    if (text[i] != '\\') {
      out.push_back(text[i]);
      continue;
    }
    if (++i == text.size()) return std::nullopt;
    if (const auto simple = simple_escape(text[i])) {
      out.push_back(*simple);
    } else if (text[i] == 'x' || is_octal(text[i])) {
      const bool hex = text[i] == 'x';
      std::size_t count = 2;
      if (hex) {
        ++i;
      } else {
        count = 1;
        while (count < 3 && i + count < text.size() && is_octal(text[i + count])) ++count;
      }
      const auto value = parse_digits(text, i, count, hex ? 16 : 8);
      if (!value || *value >= 0x80) return std::nullopt;
      out.push_back(static_cast<char>(*value));
      i += count - 1;
    } else {
      out.push_back('\\');
      out.push_back(text[i]);
    }
  }
  return out;
}

std::optional<std::string> decode_raw_unicode(std::string_view line) {
  std::string out;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (!is_ascii(line[i])) return std::nullopt;
    const bool escape = line[i] == '\\' && i + 1 < line.size() && (line[i + 1] == 'u' || line[i + 1] == 'U');
    if (!escape) {
      out.push_back(line[i]);
      // A backslash that another one follows begins no escape, nor does that one (PEP 263's
      // raw-unicode-escape).
      if (line[i] == '\\' && i + 1 < line.size() && line[i + 1] == '\\') out.push_back(line[++i]);
      continue;
    }
    const std::size_t count = line[i + 1] == 'u' ? 4 : 8;
    const auto value = parse_digits(line, i + 2, count, 16);
    if (!value || *value >= 0x80) return std::nullopt;
    out.push_back(static_cast<char>(*value));
    i += 1 + count;
  }
  return out;
}

bool is_number_text(std::string_view line) {
  const auto belongs = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '+' || c == '-' || c == '.' || (c >= '\t' && c <= '\r') || c == ' ';
  };
  return !line.empty() && std::all_of(line.begin(), line.end(), belongs);
}

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kMaxPrinted)) {
    if (c >= ' ' && c <= '~') {
      out.push_back(c);
    } else {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  if (text.size() > kMaxPrinted) out += "...";
  return out;
}

}  // namespace holdfast::inspect
