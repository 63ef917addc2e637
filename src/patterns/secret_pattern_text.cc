#include "patterns/secret_pattern_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "patterns/keywords.h"

namespace holdfast::patterns {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;

constexpr std::array<std::string_view, 4> kKinds{"token", "private-key", "address", "password"};
constexpr std::array<std::string_view, 8> kShapes{"prefix", "behind", "assigned", "sas",
                                                  "jwt",    "pem",    "url",      "password"};
constexpr std::array<std::string_view, 11> kAlphabets{"letters", "base62", "base32",   "upper-digits",
                                                      "hex",     "base64", "url-safe", "dashed",
                                                      "word",    "dotted", "path"};
constexpr std::array<std::string_view, 5> kChecks{"none", "crc32", "crc32-confirms", "openai", "sendgrid"};

constexpr std::size_t kFields = 10;
// A state of the automaton for each byte of a keyword at most, and its root.
constexpr std::size_t kMaxAllKeywordBytes = KeywordSet::kMaxStates - 1;

template <typename Enum, std::size_t kCount>
bool read_word(const std::array<std::string_view, kCount>& names, std::string_view text, Enum& to) {
  const auto found = std::ranges::find(names, text);
  if (found == names.end()) return false;
  to = static_cast<Enum>(found - names.begin());
  return true;
}

bool read_number(std::string_view text, std::size_t& to) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), to);
  return error == std::errc() && end == text.data() + text.size() && to <= SecretScanner::kAfter;
}

std::optional<std::array<std::string_view, kFields>> split(std::string_view line) {
  std::array<std::string_view, kFields> fields;
  for (std::size_t i = 0; i < kFields; ++i) {
    const auto bar = line.find('|');
    if ((bar == std::string_view::npos) != (i + 1 == kFields)) return std::nullopt;
    fields[i] = line.substr(0, bar);
    line.remove_prefix(std::min(fields[i].size() + 1, line.size()));
  }
  return fields;
}

// What is wrong; empty where nothing is.
std::string_view read_pattern(std::string_view line, SecretPattern& to) {
  const auto fields = split(line);
  if (!fields) return "it has not ten fields with \"|\" between";
  const auto& [id, title, kind, keyword, shape, alphabet, min, max, check, source] = *fields;
  if (id.empty() || title.empty()) return "it has no id or no title";
  if (keyword.empty() || keyword.size() > kMaxKeywordBytes) return "its keyword is empty or too long";
  if (!read_word(kKinds, kind, to.kind)) return "its kind is none";
  if (!read_word(kShapes, shape, to.shape)) return "its shape is none";
  if (!read_word(kAlphabets, alphabet, to.alphabet)) return "its alphabet is none";
  if (!read_word(kChecks, check, to.check)) return "its check is none";
  if (!read_number(min, to.min) || !read_number(max, to.max) || to.min > to.max) {
    return "its numbers of characters are none, or in the wrong order";
  }
  to.id = id;
  to.title = title;
  to.keyword = keyword;
  to.source = source;
  return {};
}

// Null while the program's own are in force. Never given back: matches hold views into it.
SecretPatterns& replaced() {
  static SecretPatterns patterns;
  return patterns;
}

}  // namespace

Result<SecretPatterns> parse_secret_patterns(std::string_view text) {
  SecretPatterns patterns;
  patterns.text_ = std::make_unique<const std::string>(text);
  std::string_view left = *patterns.text_;
  std::size_t keyword_bytes = 0;
  for (std::size_t number = 1; !left.empty(); ++number) {
    const std::string_view line = left.substr(0, left.find('\n'));
    left.remove_prefix(std::min(line.size() + 1, left.size()));
    if (line.empty() || line.front() == '#') continue;
    SecretPattern pattern{};
    if (const auto fault = read_pattern(line, pattern); !fault.empty()) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("line {} of the patterns of secrets: {}", number, fault));
    }
    keyword_bytes += pattern.keyword.size();
    if (patterns.items_.size() == kMaxSecretPatterns || keyword_bytes > kMaxAllKeywordBytes) {
      return fail(ErrorCode::kLimitExceeded,
                  fmt::format("there are more than {} patterns of secrets", kMaxSecretPatterns));
    }
    patterns.items_.push_back(pattern);
  }
  if (patterns.items_.empty()) return fail(ErrorCode::kInvalidArgument, "there is no pattern of secrets");
  return patterns;
}

std::string to_text(std::span<const SecretPattern> patterns) {
  std::string text;
  for (const auto& one : patterns) {
    text += fmt::format("{}|{}|{}|{}|{}|{}|{}|{}|{}|{}\n", one.id, one.title,
                        kKinds[static_cast<std::size_t>(one.kind)], one.keyword,
                        kShapes[static_cast<std::size_t>(one.shape)],
                        kAlphabets[static_cast<std::size_t>(one.alphabet)], one.min, one.max,
                        kChecks[static_cast<std::size_t>(one.check)], one.source);
  }
  return text;
}

void use_secret_patterns(SecretPatterns patterns) { replaced() = std::move(patterns); }

std::span<const SecretPattern> secret_patterns() {
  const auto mine = replaced().items();
  return mine.empty() ? builtin_secret_patterns() : mine;
}

}  // namespace holdfast::patterns
