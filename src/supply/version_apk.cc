#include <algorithm>
#include <array>

#include "supply/version_keys.h"

// Alpine's order (apk-tools 2.14, src/version.c; wiki.alpinelinux.org, "APKBUILD Reference", pkgver).

namespace holdfast::supply {
namespace {

// What may follow, from the oldest to the newest.
constexpr char kBeforeRelease = '\x10';  // plus the place of the suffix
constexpr char kEnd = '\x20';
constexpr char kRevision = '\x30';
constexpr char kSuffixNumber = '\x38';
constexpr char kAfterRelease = '\x40';
constexpr char kLetter = '\x50';
constexpr char kComponent = '\x60';

constexpr std::array<std::string_view, 4> kBefore{"alpha", "beta", "pre", "rc"};
constexpr std::array<std::string_view, 5> kAfter{"cvs", "svn", "git", "hg", "p"};

template <typename Names>
std::optional<char> place(const Names& names, std::string_view name, char first) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<char>(first + (found - names.begin()));
}

// A component after a dot with zeros in front is compared as a fraction is: the more of them, the less.
bool append_component(std::string& key, std::string_view& text) {
  const auto digits = take_digits(text);
  if (digits.empty()) return false;
  const auto zeros = std::min(digits.find_first_not_of('0'), digits.size());
  key.push_back(kComponent);
  key.push_back(static_cast<char>(0x7F - std::min<std::size_t>(zeros, 0x7E)));
  append_number(key, digits.substr(zeros));
  return true;
}

bool append_suffix(std::string& key, std::string_view& text) {
  std::size_t count = 0;
  while (count < text.size() && text[count] >= 'a' && text[count] <= 'z') ++count;
  const auto name = text.substr(0, count);
  text.remove_prefix(count);
  auto mark = place(kBefore, name, kBeforeRelease);
  if (!mark) mark = place(kAfter, name, kAfterRelease);
  if (!mark) return false;
  key.push_back(*mark);
  if (const auto digits = take_digits(text); !digits.empty()) {
    key.push_back(kSuffixNumber);
    append_number(key, digits);
  }
  return true;
}

}  // namespace

std::optional<std::string> apk_key(std::string_view text) {
  std::string key;
  const auto first = take_digits(text);
  if (first.empty()) return std::nullopt;
  append_number(key, first);
  while (text.starts_with('.')) {
    text.remove_prefix(1);
    if (!append_component(key, text)) return std::nullopt;
  }
  if (!text.empty() && text.front() >= 'a' && text.front() <= 'z') {
    key.push_back(kLetter);
    key.push_back(text.front());
    text.remove_prefix(1);
  }
  while (text.starts_with('_')) {
    text.remove_prefix(1);
    if (!append_suffix(key, text)) return std::nullopt;
  }
  if (text.starts_with("-r")) {
    text.remove_prefix(2);
    const auto digits = take_digits(text);
    if (digits.empty()) return std::nullopt;
    key.push_back(kRevision);
    append_number(key, digits);
  }
  if (!text.empty()) return std::nullopt;
  key.push_back(kEnd);
  return key;
}

}  // namespace holdfast::supply
