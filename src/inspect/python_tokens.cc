#include "inspect/python_tokens.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "formats/anomaly.h"

namespace holdfast::inspect {
namespace {

using Kind = PythonTokenKind;

// This many blanks within a line push what follows out of every window.
constexpr std::size_t kHidingBlanks = 150;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\f'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         (static_cast<unsigned char>(c) & 0x80U) != 0;
}
bool is_name_part(char c) { return is_name_start(c) || is_digit(c); }

// A character of UTF-8 at `at`, which is moved behind it; U+FFFD for what is none.
char32_t next_character(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[i])); };
  const char32_t first = byte(at++);
  if (first < 0x80) return first;
  const std::size_t more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : first >= 0xC0 ? 1 : 0;
  if (more == 0 || at + more > text.size()) return 0xFFFD;
  char32_t value = first & (0x3FU >> more);
  for (std::size_t i = 0; i < more; ++i) value = (value << 6U) | (byte(at++) & 0x3FU);
  return value;
}

// The letter that Python's NFKC normalization of names (2.3) makes of a full-width or mathematical one; 0 for
// any other character.
char plain_letter(char32_t c) {
  if (c >= 0xFF01 && c <= 0xFF5E) return static_cast<char>(c - 0xFF01 + '!');
  if (c >= 0x1D7CE && c <= 0x1D7FF) return static_cast<char>((c - 0x1D7CE) % 10 + '0');
  if (c < 0x1D400 || c > 0x1D6A3) return '\0';
  const char32_t letter = (c - 0x1D400) % 52;
  return static_cast<char>(letter < 26 ? letter + 'A' : letter - 26 + 'a');
}

// The name with such letters made plain; empty where it has none.
std::string plain_name(std::string_view name) {
  std::string plain;
  bool changed = false;
  for (std::size_t at = 0; at < name.size();) {
    const std::size_t start = at;
    const char letter = plain_letter(next_character(name, at));
    if (letter != '\0') {
      plain += letter;
      changed = true;
    } else {
      plain.append(name.substr(start, at - start));
    }
  }
  return changed ? plain : std::string();
}

class Tokenizer {
 public:
  explicit Tokenizer(std::string_view text) : text_(text) {
    if (text_.size() > kMaxPythonBytes) {
      text_ = text_.substr(0, kMaxPythonBytes);
      result_.whole = false;
    }
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
  }

  PythonTokens run() {
    check_encoding();
    begin_line();
    read_until(text_.size());
    end_line();
    // Their own fields are added to the end while this goes on.
    for (std::size_t i = 0; i < fields_.size(); ++i) read_field(fields_[i]);
    return std::move(result_);
  }

 private:
  struct Field {
    std::size_t begin;
    std::size_t end;
    std::uint32_t line;
    bool deferred;
    int depth;
  };

  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < end_ ? text_[at_ + ahead] : '\0';
  }

  void odd(bool hides, std::size_t offset, std::string what) {
    if (result_.oddities.size() >= kMaxPythonOddities) return;
    result_.oddities.push_back({.hides = hides,
                                .offset = static_cast<std::uint32_t>(offset),
                                .line = line_,
                                .what = std::move(what)});
  }

  // PEP 263: a comment on one of the first two lines may say by which codec Python reads the file.
  void check_encoding() {
    const std::size_t first = text_.find('\n');
    const std::size_t second = first == std::string_view::npos ? first : text_.find('\n', first + 1);
    const std::string_view head = text_.substr(0, second);
    const std::size_t comment = head.find('#');
    const std::size_t mark = head.find("coding", comment == std::string_view::npos ? head.size() : comment);
    if (mark == std::string_view::npos || mark + 7 >= head.size()) return;
    if (head[mark + 6] != ':' && head[mark + 6] != '=') return;
    std::size_t begin = mark + 7;
    while (begin < head.size() && is_blank(head[begin])) ++begin;
    std::size_t end = begin;
    while (end < head.size() && (is_name_part(head[end]) || head[end] == '-' || head[end] == '.')) ++end;
    std::string name(head.substr(begin, end - begin));
    for (char& c : name) c = c == '_' ? '-' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    constexpr std::array<std::string_view, 10> kHarmless{"utf-8",    "utf8",    "utf-8-sig",  "ascii",
                                                         "us-ascii", "latin-1", "iso-8859-1", "iso-8859-15",
                                                         "cp1252",   "latin1"};
    if (name.empty() || std::find(kHarmless.begin(), kHarmless.end(), name) != kHarmless.end()) return;
    odd(true, mark,
        fmt::format("it has Python read it by the codec {}, as other text than is seen",
                    formats::quote(name)));
  }

  void read_field(Field field) {
    at_ = field.begin;
    line_ = field.line;
    deferred_field_ = field.deferred;
    in_field_ = true;
    field_depth_ = field.depth;
    depth_ = 1;  // a field may go over lines
    open_.clear();
    read_until(field.end);
    end_line();
  }

  void read_until(std::size_t end) {
    end_ = end;
    while (at_ < end_) {
      if (result_.tokens.size() >= kMaxPythonTokens) {
        result_.whole = false;
        at_ = end_;
        return;
      }
      step();
    }
  }

  void step() {
    const char c = text_[at_];
    if (c == '\n') {
      ++at_;
      if (depth_ == 0) end_line();
      ++line_;
      if (depth_ == 0) begin_line();
    } else if (is_blank(c) || c == '\r') {
      blanks();
    } else if (c == '#') {
      comment();
    } else if (c == '\\' && (peek(1) == '\n' || (peek(1) == '\r' && peek(2) == '\n'))) {
      at_ += peek(1) == '\n' ? 2U : 3U;
      ++line_;
    } else if (string_prefix()) {
      return;
    } else if (is_name_start(c)) {
      name();
    } else if (is_digit(c) || (c == '.' && is_digit(peek(1)))) {
      number();
    } else {
      if (c == '\0') odd(false, at_, "it holds a NUL, at which Python refuses the file");
      sign(c);
    }
  }

  void blanks() {
    const std::size_t start = at_;
    while (at_ < end_ && (is_blank(text_[at_]) || text_[at_] == '\r')) ++at_;
    const bool at_line_start = start == 0 || text_[start - 1] == '\n';
    if (at_ - start >= kHidingBlanks && !at_line_start && at_ < end_ && text_[at_] != '\n' &&
        text_[at_] != '#' && text_[at_] != '\\') {
      odd(true, at_, fmt::format("{} blanks push code to the right, out of a reader's window", at_ - start));
    }
  }

  void comment() {
    const std::size_t start = at_;
    at_ = std::min(end_, text_.find('\n', at_));
    check_direction(text_.substr(start, at_ - start), start);
  }

  // Marks that have an editor show text in another order than Python reads it (CVE-2021-42574).
  void check_direction(std::string_view text, std::size_t offset) {
    for (std::size_t at = text.find('\xE2'); at != std::string_view::npos; at = text.find('\xE2', at + 1)) {
      std::size_t behind = at;
      const char32_t c = next_character(text, behind);
      if (!((c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069))) continue;
      odd(true, offset + at, "a mark of writing direction has editors show other code than runs");
      return;
    }
  }

  PythonToken& push(Kind kind, std::size_t offset, std::string_view text) {
    result_.tokens.push_back({.kind = kind,
                              .deferred = deferred(),
                              .offset = static_cast<std::uint32_t>(offset),
                              .line = line_,
                              .text = text});
    return result_.tokens.back();
  }

  void name() {
    const std::size_t start = at_;
    while (at_ < end_ && is_name_part(text_[at_])) ++at_;
    std::string_view name = text_.substr(start, at_ - start);
    if (const std::string plain = plain_name(name); !plain.empty()) {
      odd(true, start,
          fmt::format("it writes the name {} in letters that only look like it", formats::quote(plain)));
      name = result_.owned.emplace_back(plain);
    }
    note_scope(name);
    push(Kind::kName, start, name);
  }

  void number() {
    const std::size_t start = at_;
    while (at_ < end_ && (is_name_part(text_[at_]) || text_[at_] == '.')) ++at_;
    push(Kind::kNumber, start, text_.substr(start, at_ - start));
  }

  void sign(char c) {
    const auto index = static_cast<std::uint32_t>(result_.tokens.size());
    PythonToken& token = push(Kind::kSign, at_, text_.substr(at_, 1));
    ++at_;
    if (c == '(' || c == '[' || c == '{') {
      open_.push_back(index);
      ++depth_;
    } else if (c == ')' || c == ']' || c == '}') {
      if (open_.empty()) return;
      token.partner = open_.back();
      result_.tokens[open_.back()].partner = index;
      open_.pop_back();
      --depth_;
    }
  }

  // A string with its prefix, if one begins here.
  bool string_prefix() {
    constexpr std::string_view kPrefixes = "rRbBfFuUtT";
    std::size_t length = 0;
    while (length < 3 && peek(length) != '\0' && kPrefixes.find(peek(length)) != std::string_view::npos)
      ++length;
    const char quote = peek(length);
    if (quote != '"' && quote != '\'') return false;
    const std::string_view prefix = text_.substr(at_, length);
    const bool raw = prefix.find_first_of("rR") != std::string_view::npos;
    const bool format = prefix.find_first_of("fFtT") != std::string_view::npos;
    string(quote, length, raw, format);
    return true;
  }

  void string(char quote, std::size_t prefix, bool raw, bool format) {
    const std::size_t start = at_;
    const std::uint32_t line = line_;
    at_ += prefix;
    const bool triple = peek(1) == quote && peek(2) == quote;
    at_ += triple ? 3 : 1;
    const std::size_t begin = at_;
    bool closed = false;
    while (at_ < end_) {
      const char c = text_[at_];
      if (c == '\\' && at_ + 1 < end_) {
        if (text_[at_ + 1] == '\n') ++line_;
        at_ += 2;
      } else if (c == quote && (!triple || (peek(1) == quote && peek(2) == quote))) {
        closed = true;
        break;
      } else if (c == '\n' && !triple) {
        break;
      } else {
        if (c == '\n') ++line_;
        ++at_;
      }
    }
    const std::string_view body = text_.substr(begin, std::min(at_, end_) - begin);
    if (closed) at_ += triple ? 3 : 1;
    if (!closed) odd(false, start, "a string does not end, so that Python refuses the file");
    check_direction(body, begin);
    const std::uint32_t after = std::exchange(line_, line);
    PythonToken& token = push(Kind::kString, start, body);
    token.raw = raw;
    if (format) token.formatted = find_fields(body, begin, line);
    line_ = after;
  }

  // Notes the expressions in an f-string for later; false where there is none.
  bool find_fields(std::string_view body, std::size_t begin, std::uint32_t line) {
    bool any = false;
    for (std::size_t i = 0; i < body.size(); ++i) {
      if (body[i] == '\n') ++line;
      if (body[i] != '{') continue;
      if (i + 1 < body.size() && body[i + 1] == '{') {
        ++i;
        continue;
      }
      int depth = 1;
      std::size_t end = i + 1;
      for (; end < body.size() && depth > 0; ++end) {
        if (body[end] == '{') ++depth;
        if (body[end] == '}') --depth;
      }
      any = true;
      const int own = in_field_ ? field_depth_ + 1 : 0;
      if (own < kMaxPythonFieldDepth) {
        fields_.push_back({begin + i + 1, begin + end - (depth == 0 ? 1 : 0), line, deferred(), own});
      }
      i = end - 1;
    }
    return any;
  }

  void begin_line() {
    std::size_t at = at_;
    while (at < text_.size() && is_blank(text_[at])) ++at;
    if (at >= text_.size() || text_[at] == '\n' || text_[at] == '\r' || text_[at] == '#') return;
    indent_ = at - at_;
    while (!scopes_.empty() && indent_ <= scopes_.back()) scopes_.pop_back();
    line_begins_ = result_.tokens.size();
  }

  void end_line() {
    if (!result_.tokens.empty() && result_.tokens.back().kind != Kind::kNewLine)
      push(Kind::kNewLine, at_, {});
    line_scope_ = false;
  }

  // Whether what follows on this line, and the lines below it that are indented more, is not run by an
  // import.
  void note_scope(std::string_view name) {
    if (in_field_ || line_scope_ || depth_ > 0) return;
    const std::size_t position = result_.tokens.size() - std::min(line_begins_, result_.tokens.size());
    const bool after_async = position == 1 && result_.tokens.back().is_name("async");
    const bool function = name == "def" && (position == 0 || after_async);
    const bool main = name == "__name__" && position == 1 && result_.tokens.back().is_name("if");
    if (!function && !main) return;
    line_scope_ = true;
    scopes_.push_back(indent_);
  }

  [[nodiscard]] bool deferred() const { return in_field_ ? deferred_field_ : !scopes_.empty(); }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t end_ = 0;
  std::uint32_t line_ = 1;
  std::size_t depth_ = 0;  // of brackets
  std::vector<std::uint32_t> open_;
  std::size_t indent_ = 0;
  std::size_t line_begins_ = 0;      // index of a logical line's first token
  std::vector<std::size_t> scopes_;  // the indents of the functions that we are in
  bool line_scope_ = false;          // this line has opened a scope
  std::vector<Field> fields_;
  bool in_field_ = false;
  bool deferred_field_ = false;
  int field_depth_ = 0;
  PythonTokens result_;
};

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Reads up to `most` digits of `base` at `at`.
std::uint32_t read_digits(std::string_view text, std::size_t& at, std::size_t most, int base) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < most && at < text.size(); ++i, ++at) {
    const int digit = hex_value(text[at]);
    if (digit < 0 || digit >= base) break;
    value = value * static_cast<std::uint32_t>(base) + static_cast<std::uint32_t>(digit);
  }
  return value;
}

}  // namespace

PythonTokens tokenize_python(std::string_view text) { return Tokenizer(text).run(); }

std::string python_string_value(const PythonToken& token, std::size_t limit) {
  const std::string_view text = token.text;
  if (token.raw) return std::string(text.substr(0, limit));
  std::string value;
  for (std::size_t at = 0; at < text.size() && value.size() < limit;) {
    if (text[at] != '\\' || at + 1 >= text.size()) {
      value += text[at++];
      continue;
    }
    const char kind = text[at + 1];
    at += 2;
    std::uint32_t code = 0;
    if (kind == 'x' || kind == 'u' || kind == 'U') {
      code = read_digits(text, at, kind == 'x' ? 2 : kind == 'u' ? 4 : 8, 16);
    } else if (kind >= '0' && kind <= '7') {
      --at;
      code = read_digits(text, at, 3, 8);
    } else {
      if (kind != '\n') value += kind == 'n' ? '\n' : kind == 't' ? '\t' : kind;
      continue;
    }
    value += code < 0x80 ? static_cast<char>(code) : '?';
  }
  return value;
}

}  // namespace holdfast::inspect
