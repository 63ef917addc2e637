#include "policy/lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace holdfast::policy {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;

constexpr std::size_t kMaxShown = 40;  // bytes of a token in a message

bool is_word_start(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The length of the UTF-8 sequence at `at` (RFC 3629 section 4), or 0.
std::size_t sequence_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U;
  };
  const auto tail = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead < 0xE0) return tail(1) ? 2 : 0;
  if (lead >= 0xE0 && lead < 0xF0) {
    if ((lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) > 0x9F)) return 0;
    return tail(1) && tail(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead < 0xF5) {
    if ((lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) > 0x8F)) return 0;
    return tail(1) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

// The length of the white space at the front (Unicode's White_Space), or 0.
std::size_t blank_length(std::string_view text) {
  static constexpr std::array<std::string_view, 19> kWide{
      "\u0085", "\u00A0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006",
      "\u2007", "\u2008", "\u2009", "\u200A", "\u2028", "\u2029", "\u202F", "\u205F", "\u3000"};
  if (text.empty()) return 0;
  if (text[0] == ' ' || (text[0] >= '\t' && text[0] <= '\r')) return 1;
  if (static_cast<unsigned char>(text[0]) < 0x80) return 0;
  const auto at =
      std::find_if(kWide.begin(), kWide.end(), [&](auto blank) { return text.starts_with(blank); });
  return at == kWide.end() ? 0 : at->size();
}

void append_utf8(std::string& out, char32_t point) {
  const auto put = [&out](char32_t byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xC0 | point >> 6);
    put(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    put(0xE0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3F));
    put(0x80 | (point & 0x3F));
  } else {
    put(0xF0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3F));
    put(0x80 | (point >> 6 & 0x3F));
    put(0x80 | (point & 0x3F));
  }
}

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

Result<Lexer> Lexer::open(std::string_view text) {
  if (text.size() > kMaxBytes) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("a text of {} bytes is over the limit of {}; split it", text.size(), kMaxBytes));
  }
  Lexer lexer(text);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = sequence_length(text, at);
    if (length == 0) return lexer.fail_at(at, "this is not UTF-8; save the file as UTF-8");
    at += length;
  }
  lexer.advance();
  return lexer;
}

bool Lexer::at(std::string_view symbol_or_word) const {
  return (token_.kind == Token::Kind::kSymbol || token_.kind == Token::Kind::kIdentifier) &&
         token_.text == symbol_or_word;
}

bool Lexer::take(std::string_view symbol_or_word) {
  if (!at(symbol_or_word)) return false;
  advance();
  return true;
}

Result<> Lexer::expect(std::string_view symbol_or_word, std::string_view where) {
  if (!take(symbol_or_word)) return unexpected(fmt::format("`{}` {}", symbol_or_word, where));
  return {};
}

void Lexer::skip_blanks() {
  for (;;) {
    const std::string_view rest = text_.substr(next_);
    if (const std::size_t blank = blank_length(rest); blank > 0) {
      next_ += blank;
    } else if (rest.starts_with("//")) {
      const std::size_t end = rest.find_first_of("\r\n");
      next_ = end == std::string_view::npos ? text_.size() : next_ + end;
    } else {
      return;
    }
  }
}

void Lexer::advance() {
  static constexpr std::array<std::string_view, 7> kPairs{"::", "==", "!=", "<=", ">=", "||", "&&"};
  skip_blanks();
  const std::string_view rest = text_.substr(next_);
  const auto token = [&](Token::Kind kind, std::size_t length) {
    token_ = Token{kind, rest.substr(0, length), next_};
    next_ += length;
  };
  const auto run = [&](std::size_t from) {
    std::size_t end = from;
    while (end < rest.size() && (is_word_start(rest[end]) || is_digit(rest[end]))) ++end;
    return end;
  };
  if (rest.empty()) return token(Token::Kind::kEnd, 0);
  if (is_word_start(rest[0])) return token(Token::Kind::kIdentifier, run(0));
  if (is_digit(rest[0])) {
    return token(
        Token::Kind::kNumber,
        static_cast<std::size_t>(std::find_if_not(rest.begin(), rest.end(), is_digit) - rest.begin()));
  }
  if (rest[0] == '"') return lex_string();
  if (rest[0] == '?' && rest.size() > 1 && is_word_start(rest[1])) return token(Token::Kind::kSlot, run(1));
  for (const auto pair : kPairs) {
    if (rest.starts_with(pair)) return token(Token::Kind::kSymbol, 2);
  }
  if (std::string_view("@.,;:(){}[]<>+-*/%!=?").find(rest[0]) != std::string_view::npos) {
    return token(Token::Kind::kSymbol, 1);
  }
  why_invalid_ = "this character has no meaning in Cedar";
  token(Token::Kind::kInvalid, sequence_length(text_, next_));
}

void Lexer::lex_string() {
  const std::size_t start = next_ + 1;
  for (std::size_t at = start; at < text_.size(); ++at) {
    if (text_[at] == '"') {
      token_ = Token{Token::Kind::kString, text_.substr(start, at - start), next_};
      next_ = at + 1;
      return;
    }
    if (text_[at] == '\\' && ++at < text_.size() && text_[at] == '\n') break;
  }
  why_invalid_ = "this text has no closing quote";
  token_ = Token{Token::Kind::kInvalid, text_.substr(next_, 1), next_};
  next_ = text_.size();
}

tl::unexpected<base::Error> Lexer::fail_at(std::size_t offset, std::string_view message) const {
  const std::string_view before = text_.substr(0, offset);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t newline = before.rfind('\n');
  const std::string_view in_line = newline == std::string_view::npos ? before : before.substr(newline + 1);
  const auto column = 1 + std::count_if(in_line.begin(), in_line.end(), [](char c) {
                        return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
                      });
  return fail(ErrorCode::kInvalidArgument, fmt::format("{}:{}: {}", line, column, message));
}

tl::unexpected<base::Error> Lexer::unexpected(std::string_view what) const {
  switch (token_.kind) {
    case Token::Kind::kInvalid:
      return fail_at(token_.offset, why_invalid_);
    case Token::Kind::kEnd:
      return fail_at(token_.offset, fmt::format("expected {}, found the end of the text", what));
    case Token::Kind::kString:
      return fail_at(token_.offset, fmt::format("expected {}, found a text in quotes", what));
    default:
      return fail_at(token_.offset,
                     fmt::format("expected {}, found `{}`", what, token_.text.substr(0, kMaxShown)));
  }
}

// Goes past one character of a string; `at` counts from the opening quote's next byte. Escapes are those of
// Rust's string literals (docs.cedarpolicy.com, "Grammar", STR).
Result<char32_t> Lexer::escape(const Token& token, std::size_t& at) const {
  const std::string_view text = token.text;
  const std::size_t start = token.offset + 1 + at;
  switch (text[++at]) {  // the lexer saw to it that a backslash is never last
    case 'n':
      ++at;
      return U'\n';
    case 'r':
      ++at;
      return U'\r';
    case 't':
      ++at;
      return U'\t';
    case '0':
      ++at;
      return U'\0';
    case '\\':
      ++at;
      return U'\\';
    case '\'':
      ++at;
      return U'\'';
    case '"':
      ++at;
      return U'"';
    case 'x': {
      const int high = at + 1 < text.size() ? hex_digit(text[at + 1]) : -1;
      const int low = at + 2 < text.size() ? hex_digit(text[at + 2]) : -1;
      if (high < 0 || high > 7 || low < 0) return fail_at(start, "\\x takes two hexadecimal digits up to 7F");
      at += 3;
      return static_cast<char32_t>(high * 16 + low);
    }
    case 'u':
      return unicode_escape(token, at);
    default:
      return fail_at(
          start,
          "this escape is not known; known are \\n \\r \\t \\0 \\\\ \\' \\\" \\x7F \\u{1F600}, and "
          "\\* in a pattern");
  }
}

Result<char32_t> Lexer::unicode_escape(const Token& token, std::size_t& at) const {
  const std::string_view text = token.text;
  const std::size_t start = token.offset + at;
  const auto wrong = [&] {
    return fail_at(start,
                   "\\u takes one to six hexadecimal digits of a Unicode scalar value in braces: \\u{1F600}");
  };
  if (++at >= text.size() || text[at++] != '{') return wrong();
  char32_t point = 0;
  int digits = 0;
  for (; at < text.size() && text[at] != '}'; ++at) {
    if (text[at] == '_' && digits > 0) continue;
    const int digit = hex_digit(text[at]);
    if (digit < 0 || ++digits > 6) return wrong();
    point = point * 16 + static_cast<char32_t>(digit);
  }
  if (at == text.size() || digits == 0 || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000))
    return wrong();
  ++at;
  return point;
}

Result<std::string> Lexer::text_of(const Token& token) const {
  std::string out;
  for (std::size_t at = 0; at < token.text.size();) {
    if (token.text[at] == '\r') {
      return fail_at(token.offset + 1 + at, "a carriage return in a text is written \\r");
    }
    if (token.text[at] != '\\') {
      out += token.text[at++];
      continue;
    }
    HF_TRY(const char32_t point, escape(token, at));
    append_utf8(out, point);
  }
  return out;
}

Result<Pattern> Lexer::pattern_of(const Token& token) const {
  Pattern parts(1);
  for (std::size_t at = 0; at < token.text.size();) {
    const char c = token.text[at];
    if (c == '\r') return fail_at(token.offset + 1 + at, "a carriage return in a text is written \\r");
    if (token.text.substr(at).starts_with("\\*")) {
      parts.back() += '*';
      at += 2;
    } else if (c == '\\') {
      HF_TRY(const char32_t point, escape(token, at));
      if (point == U'*') {
        parts.emplace_back();  // \u{2a} is a wildcard too, as in Cedar's own parser
      } else {
        append_utf8(parts.back(), point);
      }
    } else {
      if (c == '*') {
        parts.emplace_back();
      } else {
        parts.back() += c;
      }
      ++at;
    }
  }
  return parts;
}

}  // namespace holdfast::policy
