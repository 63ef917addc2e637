#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

// The words of Cedar policies and schemas. Not thread-safe; the text outlives the lexer.

namespace holdfast::policy {

struct Token {
  enum class Kind : std::uint8_t {
    kIdentifier,  // reserved words among them
    kNumber,      // digits alone
    kString,      // text: what is between the quotes, escapes untouched
    kSlot,        // ?principal
    kSymbol,
    kEnd,
    kInvalid,
  };
  Kind kind = Kind::kEnd;
  std::string_view text;
  std::size_t offset = 0;  // in bytes
};

// What stands between the wildcards of a `like` pattern: "a*b" is {"a", "b"}.
using Pattern = std::vector<std::string>;

class Lexer {
 public:
  static constexpr std::size_t kMaxBytes = 8UL << 20;

  // At the first token. kLimitExceeded over kMaxBytes, kInvalidArgument for text that is not UTF-8.
  static base::Result<Lexer> open(std::string_view text);

  [[nodiscard]] const Token& token() const { return token_; }
  [[nodiscard]] bool at(std::string_view symbol_or_word) const;
  void advance();
  // Goes past it when it stands here; otherwise stays and gives false.
  bool take(std::string_view symbol_or_word);
  base::Result<> expect(std::string_view symbol_or_word, std::string_view where);

  // "3:14: expected <what>, found `x`", in lines and code points from 1.
  [[nodiscard]] tl::unexpected<base::Error> unexpected(std::string_view what) const;
  [[nodiscard]] tl::unexpected<base::Error> fail_at(std::size_t offset, std::string_view message) const;

  // The text of a kString token, its escapes resolved.
  [[nodiscard]] base::Result<std::string> text_of(const Token& token) const;
  [[nodiscard]] base::Result<Pattern> pattern_of(const Token& token) const;

 private:
  explicit Lexer(std::string_view text) : text_(text) {}
  void skip_blanks();
  void lex_string();
  base::Result<char32_t> escape(const Token& token, std::size_t& at) const;
  base::Result<char32_t> unicode_escape(const Token& token, std::size_t& at) const;

  std::string_view text_;
  std::size_t next_ = 0;
  Token token_;
  std::string_view why_invalid_;
};

}  // namespace holdfast::policy
