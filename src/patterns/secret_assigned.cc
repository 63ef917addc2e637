#include "patterns/secret_assigned.h"

#include <algorithm>
#include <array>

#include "patterns/secret_match.h"

namespace holdfast::patterns {
namespace {

constexpr std::size_t kMaxName = 64;
constexpr std::size_t kMaxValue = 512;

constexpr std::array<std::string_view, 27> kCommonWords{
    "password", "passwd", "pass",   "pwd",   "secret", "postgres", "root",       "admin",    "guest",
    "user",     "test",   "token",  "mysql", "redis",  "minio",    "minioadmin", "changeit", "passw",
    "1234",     "12345",  "123456", "none",  "null",   "string",   "value",      "hidden",   "key"};

// Names that go on like this hold something about a credential, not one.
constexpr std::array<std::string_view, 22> kOtherNames{
    "hash", "file", "path",  "name", "field", "url", "uri", "type",   "length", "policy",  "regex",
    "hint", "help", "label", "env",  "id",    "ref", "arn", "prompt", "column", "version", "text"};

bool is_name(char c) { return is_in(Alphabet::kUrlSafe, c); }
bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_quote(char c) { return c == '"' || c == '\'' || c == '`'; }

// Moves over the text behind a name.
struct Cursor {
  std::string_view text;
  std::size_t at = 0;

  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at + ahead < text.size() ? text[at + ahead] : '\0';
  }
  bool take(char c) {
    if (peek() != c || at >= text.size()) return false;
    ++at;
    return true;
  }
  void blanks() {
    while (is_blank(peek())) ++at;
  }
  // A quotation mark, as it is or escaped within another string; 0 for none.
  char quote() {
    const std::size_t start = at;
    take('\\');
    if (is_quote(peek())) return text[at++];
    at = start;
    return '\0';
  }
};

// "= ", ": ", ":=", "=>", "==", ", ", and ": str = "; false where the name is not assigned to.
bool take_sign(Cursor& cursor) {
  cursor.blanks();
  if (cursor.take(',')) {
    cursor.blanks();
    return true;
  }
  const bool colon = cursor.take(':');
  if (!cursor.take('=') && !colon) return false;
  if (!cursor.take('>')) cursor.take('=');
  cursor.blanks();
  if (!colon) return true;
  // A type between the colon and the sign.
  Cursor annotation = cursor;
  while (is_name(annotation.peek()) || annotation.peek() == '.' || annotation.peek() == '[' ||
         annotation.peek() == ']' || annotation.peek() == '|') {
    ++annotation.at;
  }
  annotation.blanks();
  if (annotation.at > cursor.at && annotation.take('=') && annotation.peek() != '=') {
    annotation.blanks();
    cursor = annotation;
  }
  return true;
}

// r"", b'', f"" and the like.
void take_string_prefix(Cursor& cursor) {
  constexpr std::string_view kLetters = "rRbBfFuU";
  std::size_t count = 0;
  while (count < 2 && kLetters.find(cursor.peek(count)) != std::string_view::npos &&
         cursor.peek(count) != '\0')
    ++count;
  if (count > 0 && is_quote(cursor.peek(count))) cursor.at += count;
}

bool is_line_start(std::string_view window, std::size_t at) {
  while (at > 0 && (is_blank(window[at - 1]) || window[at - 1] == '-')) --at;
  if (at == 0 || window[at - 1] == '\n') return true;
  return window.substr(0, at).ends_with("export") || window.substr(0, at).ends_with("ENV");
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

struct Characters {
  std::size_t digits = 0;
  std::size_t lower = 0;
  std::size_t upper = 0;
  std::size_t separators = 0;
  std::size_t others = 0;

  explicit Characters(std::string_view text) {
    for (const char c : text) {
      if (c >= '0' && c <= '9') {
        ++digits;
      } else if (c >= 'a' && c <= 'z') {
        ++lower;
      } else if (c >= 'A' && c <= 'Z') {
        ++upper;
      } else if (c == '_' || c == '-' || c == '.' || c == '/' || c == ':') {
        ++separators;
      } else {
        ++others;
      }
    }
  }
};

// "model-v2", "aws.secret.2", "/run/secrets/db1"
bool looks_like_name(std::string_view text) {
  const Characters in(text);
  if (in.digits == 0 && in.others == 0) return true;
  if (in.others > 0) return false;
  if (in.separators > 0 && in.digits <= 2) return true;
  const std::string small = lowered(text);
  const bool says_what_it_is =
      small.find("secret") != std::string::npos || small.find("passw") != std::string::npos ||
      small.find("token") != std::string::npos || small.find("key") != std::string::npos;
  return says_what_it_is && in.upper == 0;
}

bool is_about_another_thing(std::string_view name) {
  const std::string small = lowered(name);
  return std::any_of(kOtherNames.begin(), kOtherNames.end(), [&](std::string_view end) {
    return small.ends_with(end) && small.size() > end.size() &&
           (!is_in(Alphabet::kLetters, small[small.size() - end.size() - 1]) || end.size() > 3);
  });
}

}  // namespace

std::optional<AssignedValue> assigned_value(std::string_view window, std::size_t at, std::size_t size) {
  std::size_t begin = at;
  while (begin > 0 && at - begin < kMaxName && is_name(window[begin - 1])) --begin;
  Cursor cursor{window, at + size};
  while (is_name(cursor.peek()) && cursor.at - at < kMaxName) ++cursor.at;
  AssignedValue value{.name = window.substr(begin, cursor.at - begin)};
  const bool quoted_name = cursor.quote() != '\0';
  cursor.take(']');
  const std::size_t sign = cursor.at;
  if (!take_sign(cursor)) return std::nullopt;
  if (window[sign] == ',' && !quoted_name) return std::nullopt;
  take_string_prefix(cursor);
  const char quote = cursor.quote();
  value.quoted = quote != '\0';
  value.begin = cursor.at;
  const std::string_view rest = window.substr(cursor.at, kMaxValue);
  if (value.quoted) {
    const std::size_t end = rest.find_first_of(std::string{quote, '\n', '\\'});
    if (end == std::string_view::npos || rest[end] == '\n') return std::nullopt;
    value.end = value.begin + end;
    return value;
  }
  value.end = value.begin + std::min(rest.size(), rest.find_first_of(" \t\r\n"));
  const bool joined = window[sign] == '=' ? cursor.at == sign + 1 : window[sign] == ':';
  value.in_configuration = joined && !quoted_name && is_line_start(window, begin);
  return value.end > value.begin ? std::optional(value) : std::nullopt;
}

bool is_common_word(std::string_view text) {
  return std::find(kCommonWords.begin(), kCommonWords.end(), lowered(text)) != kCommonWords.end();
}

bool is_likely_password(const AssignedValue& value, std::string_view window) {
  const std::string_view text = window.substr(value.begin, value.end - value.begin);
  if (!value.quoted && !value.in_configuration) return false;
  const std::size_t least = value.quoted ? 8 : 12;
  if (text.size() < least || text.size() > 200) return false;
  if (is_about_another_thing(value.name) || is_common_word(text) || is_placeholder(text)) return false;
  // A reference, a call, a template, a list or a sentence.
  if (text.find_first_of(" \t{}()[]<>$,;|\\") != std::string_view::npos) return false;
  if (text.find("://") != std::string_view::npos || text.find("%s") != std::string_view::npos) return false;
  const std::string small = lowered(text);
  if (small.find("1234") != std::string::npos || small.find("test") != std::string::npos) return false;
  if (looks_like_name(text)) return false;
  const Characters in(text);
  if (in.digits == 0 && in.others == 0) return false;
  if (in.digits == text.size()) return false;
  return entropy_of(text) >= (text.size() < 16 ? 2.5 : 3.2);
}

}  // namespace holdfast::patterns
