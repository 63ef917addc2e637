#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Python source as its tokens (The Python Language Reference, 2 "Lexical analysis"), as far as looking for
// calls needs them: logical lines, joined lines, every kind of string, expressions within f-strings, and
// which of it runs when the file is merely imported.

namespace holdfast::inspect {

enum class PythonTokenKind : std::uint8_t {
  kName,
  kString,
  kNumber,
  kSign,     // one character each: "**" is two
  kNewLine,  // the end of a logical line
};

struct PythonToken {
  PythonTokenKind kind = PythonTokenKind::kNewLine;
  bool deferred = false;   // in a function's body or under `if __name__ == ...`: not run by an import
  bool raw = false;        // of a string: escapes stand for themselves
  bool formatted = false;  // of a string: an f-string with fields in it
  std::uint32_t offset = 0;
  std::uint32_t line = 1;
  // The index of the bracket that closes or opens this one; 0 where there is none.
  std::uint32_t partner = 0;
  std::string_view text;  // as Python reads it; of a string, what is between the quotation marks

  [[nodiscard]] bool is_sign(char c) const {
    return kind == PythonTokenKind::kSign && text.size() == 1 && text[0] == c;
  }
  [[nodiscard]] bool is_name(std::string_view name) const {
    return kind == PythonTokenKind::kName && text == name;
  }
};

// Something about the text that hides code from a reader, or that no Python can read.
struct PythonOddity {
  bool hides = false;
  std::uint32_t offset = 0;
  std::uint32_t line = 1;
  std::string what;  // a sentence without full stop
};

struct PythonTokens {
  // Ends in a kNewLine. The expressions of f-strings follow as lines of their own.
  std::vector<PythonToken> tokens;
  std::vector<PythonOddity> oddities;
  bool whole = true;              // false past kMaxPythonTokens
  std::deque<std::string> owned;  // what some tokens' text points to
};

inline constexpr std::size_t kMaxPythonTokens = 1'000'000;
inline constexpr std::size_t kMaxPythonBytes = 8UL << 20;
inline constexpr std::size_t kMaxPythonOddities = 20;
// f-strings within the fields of f-strings are followed this deep.
inline constexpr int kMaxPythonFieldDepth = 4;

// `text`, of which the first kMaxPythonBytes are read, must outlive the tokens.
PythonTokens tokenize_python(std::string_view text);

// What a string token stands for, its escapes read; at most `limit` bytes of it.
std::string python_string_value(const PythonToken& token, std::size_t limit);

}  // namespace holdfast::inspect
