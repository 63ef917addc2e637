#include <algorithm>
#include <array>
#include <vector>

#include "supply/version_keys.h"

// maven.apache.org/pom.html#version-order-specification

namespace holdfast::supply {
namespace {

// Where the end stands among the tokens: what comes before it makes a version older than the one without.
constexpr char kEnd = '\6';
constexpr char kServicePack = '\7';
constexpr char kUnknownWord = '\x08';
constexpr char kNumberAfterHyphen = '\x09';
constexpr char kNumberAfterDot = '\x0a';

struct Token {
  bool after_hyphen = false;  // or after a change between digits and letters
  bool number = false;
  std::string text;
};

bool is_null(const Token& token) {
  if (token.number) return token.text.find_first_not_of('0') == std::string::npos;
  return token.text.empty() || token.text == "ga" || token.text == "final" || token.text == "release";
}

void append_word(std::string& key, const std::string& word) {
  constexpr std::array<std::string_view, 5> kOlder{"alpha", "beta", "milestone", "rc", "snapshot"};
  const auto* older = std::find(kOlder.begin(), kOlder.end(), word);
  if (older != kOlder.end()) {
    key.push_back(static_cast<char>(1 + (older - kOlder.begin())));
  } else if (word == "sp") {
    key.push_back(kServicePack);
  } else if (word.empty() || word == "ga" || word == "final" || word == "release") {
    key.push_back(kEnd);
  } else {
    key.push_back(kUnknownWord);
    append_text(key, word);
  }
}

void trim_nulls(std::vector<Token>& tokens) {
  while (!tokens.empty() && is_null(tokens.back())) tokens.pop_back();
}

// "a1" is "alpha-1", and so for b and m; "cr" is "rc".
void expand(std::string& word, bool digit_follows) {
  if (digit_follows && word == "a") word = "alpha";
  if (digit_follows && word == "b") word = "beta";
  if (digit_follows && word == "m") word = "milestone";
  if (word == "cr") word = "rc";
}

std::vector<Token> tokens_of(std::string_view text) {
  std::vector<Token> tokens;
  bool hyphen = false;
  while (true) {
    Token token{.after_hyphen = hyphen, .number = true, .text = {}};
    if (!text.empty() && is_digit(text.front())) {
      token.text = take_digits(text);
    } else {
      while (!text.empty() && !is_digit(text.front()) && text.front() != '.' && text.front() != '-' &&
             text.front() != '_') {
        token.text.push_back(lower(text.front()));
        text.remove_prefix(1);
      }
      token.number = token.text.empty();
      if (!token.number) expand(token.text, !text.empty() && is_digit(text.front()));
      if (token.number) token.text = "0";
    }
    if (token.after_hyphen || !token.number) trim_nulls(tokens);
    tokens.push_back(std::move(token));
    if (text.empty()) break;
    hyphen = text.front() != '.';
    if (text.front() == '.' || text.front() == '-' || text.front() == '_') text.remove_prefix(1);
  }
  trim_nulls(tokens);
  return tokens;
}

}  // namespace

std::optional<std::string> maven_key(std::string_view text) {
  if (text.empty() || !std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; })) {
    return std::nullopt;
  }
  std::string key;
  for (const auto& token : tokens_of(text)) {
    if (!token.number) {
      append_word(key, token.text);
      continue;
    }
    key.push_back(token.after_hyphen ? kNumberAfterHyphen : kNumberAfterDot);
    append_number(key, token.text);
  }
  key.push_back(kEnd);
  return key;
}

}  // namespace holdfast::supply
