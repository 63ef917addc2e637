#include "inspect/yaml_values.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

// YAML 1.1 (yaml.org/spec/1.1) as PyYAML reads it: chapters 5.6 (escapes), 6.8.2 (tag directives), 8 and 9
// (scalars).

namespace holdfast::inspect {
namespace {

constexpr std::string_view kBlanks = " \t";
constexpr std::string_view kSpace = " \t\r\n";

bool is_name_part(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

std::size_t skip(std::string_view text, std::size_t at, std::string_view what) {
  return std::min(text.find_first_not_of(what, at), text.size());
}

std::size_t skip_word(std::string_view text, std::size_t at) {
  return std::min(text.find_first_of(kSpace, at), text.size());
}

std::size_t line_end(std::string_view text, std::size_t at) {
  return std::min(text.find('\n', at), text.size());
}

std::optional<char> ascii(std::string_view digits, std::size_t count) {
  std::uint32_t code = 0;
  if (digits.size() < count) return std::nullopt;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + count, code, 16);
  if (error != std::errc{} || end != digits.data() + count || code == 0 || code >= 0x80) return std::nullopt;
  return static_cast<char>(code);
}

bool in_comment(std::string_view text, std::size_t at) {
  const std::size_t start = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;
  const std::string_view before = text.substr(start, at - start);
  for (std::size_t mark = before.find('#'); mark != std::string_view::npos;
       mark = before.find('#', mark + 1)) {
    if (mark == 0 || kBlanks.find(before[mark - 1]) != std::string_view::npos) return true;
  }
  return false;
}

// What stands before a key on its line: "? ", "&anchor ", a tag.
std::string_view word_before(std::string_view text, std::size_t at) {
  while (at > 0 && (text[at - 1] == '"' || text[at - 1] == '\'')) --at;
  std::size_t end = at;
  while (end > 0 && kBlanks.find(text[end - 1]) != std::string_view::npos) --end;
  if (end == at) return {};
  std::size_t start = end;
  while (start > 0 && kSpace.find(text[start - 1]) == std::string_view::npos) --start;
  return text.substr(start, end - start);
}

// The scalar that begins at `at` or on the lines that follow; empty text where there is none.
YamlValue scalar(std::string_view text, std::size_t at) {
  bool own_line = true;
  for (;;) {
    at = skip(text, at, kBlanks);
    const char c = at < text.size() ? text[at] : '\0';
    if (c == '!' || c == '&') {
      at = skip_word(text, at);
    } else if (c == '|' || c == '>' || c == '#') {
      at = line_end(text, at);
    } else if (c == '\r' || c == '\n') {
      at = skip(text, at, kSpace);
      own_line = false;
    } else {
      break;
    }
  }
  const std::string_view line = text.substr(at, line_end(text, at) - at);
  const bool another = !own_line && (line.starts_with("- ") || line.find(": ") != std::string_view::npos ||
                                     line.ends_with(':') || line.ends_with(":\r"));
  if (line.empty() || another || line.front() == ',' || line.front() == '}') return {};
  const std::size_t begin = skip(line, 0, " \"'");
  std::size_t end = begin;
  while (end < line.size() && is_name_part(line[end])) ++end;
  if (end > begin) return {.text = std::string(line.substr(begin, end - begin))};
  return {.text = std::string(line.substr(begin, line.find_first_of(" \t\r,", begin) - begin)),
          .followed = false};
}

}  // namespace

std::string resolve_yaml_escapes(std::string_view yaml) {
  std::string text;
  text.reserve(yaml.size());
  bool tag = false;
  for (std::size_t i = 0; i < yaml.size(); ++i) {
    const char c = yaml[i];
    if (c == '!' || (c == '%' && (i == 0 || yaml[i - 1] == '\n'))) tag = true;
    if (c == '\n' || (tag && c == ' ' && text.ends_with('>'))) tag = false;
    const char kind = i + 1 < yaml.size() ? yaml[i + 1] : '\0';
    if (c == '\\' && kind == '\n') {  // the line goes on
      i = skip(yaml, i + 2, kBlanks) - 1;
      continue;
    }
    const std::size_t digits = c == '\\' ? (kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 0) : 0;
    const std::size_t from = c == '%' ? i + 1 : i + 2;
    const std::size_t count = tag && c == '%' ? 2 : digits;
    const auto plain = count > 0 && from < yaml.size() ? ascii(yaml.substr(from), count) : std::nullopt;
    text.push_back(plain.value_or(c));
    if (plain) i = from + count - 1;
  }
  return text;
}

std::vector<YamlValue> yaml_values_of(std::string_view yaml, std::string_view key) {
  std::vector<YamlValue> values;
  std::size_t line = 1;
  std::size_t counted = 0;
  for (std::size_t at = yaml.find(key); at != std::string_view::npos && values.size() < kMaxYamlValues;
       at = yaml.find(key, at + key.size())) {
    if (at > 0 && is_name_part(yaml[at - 1])) continue;
    line += static_cast<std::size_t>(std::count(yaml.begin() + static_cast<std::ptrdiff_t>(counted),
                                                yaml.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
    counted = at;
    if (in_comment(yaml, at)) continue;
    const std::string_view before = word_before(yaml, at);
    if (before.starts_with('&')) {
      values.push_back({.line = line, .text = std::string(before), .followed = false});
      continue;
    }
    std::size_t i = skip(yaml, at + key.size(), "\"' \t");
    if (before == "?") i = skip(yaml, i, kSpace);
    if (i >= yaml.size() || yaml[i] != ':') continue;
    YamlValue value = scalar(yaml, i + 1);
    if (value.text.empty()) continue;
    value.line = line;
    values.push_back(std::move(value));
  }
  return values;
}

bool renames_python_tags(std::string_view line) {
  constexpr std::string_view kPython = "tag:yaml.org,2002:python/";
  if (!line.starts_with("%TAG")) return false;
  std::size_t at = skip(line, skip_word(line, 0), kBlanks);
  at = skip(line, skip_word(line, at), kBlanks);
  const std::string_view prefix = line.substr(at, skip_word(line, at) - at);
  return !prefix.empty() && (kPython.starts_with(prefix) || prefix.starts_with(kPython));
}

}  // namespace holdfast::inspect
