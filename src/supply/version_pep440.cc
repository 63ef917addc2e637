#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "supply/version_keys.h"

// PEP 440, appendix B, and the key of its "Summary of permitted suffixes and relative ordering".

namespace holdfast::supply {
namespace {

struct Word {
  std::string_view spelt;
  char rank;
};

// The longer before what it starts with.
constexpr std::array<Word, 8> kPre{{{"alpha", '\1'},
                                    {"a", '\1'},
                                    {"beta", '\2'},
                                    {"b", '\2'},
                                    {"rc", '\3'},
                                    {"c", '\3'},
                                    {"preview", '\3'},
                                    {"pre", '\3'}}};
constexpr std::array<Word, 3> kPost{{{"post", '\1'}, {"rev", '\1'}, {"r", '\1'}}};
constexpr std::array<Word, 1> kDev{{{"dev", '\1'}}};

bool is_separator(char c) { return c == '.' || c == '-' || c == '_'; }

struct Suffix {
  char rank;
  std::string_view number;  // may be empty: 0
};

// [sep] word [sep] [number]
std::optional<Suffix> take_suffix(std::string_view& text, std::span<const Word> words) {
  auto rest = text;
  if (!rest.empty() && is_separator(rest.front())) rest.remove_prefix(1);
  for (const auto& [spelt, rank] : words) {
    if (!rest.starts_with(spelt)) continue;
    rest.remove_prefix(spelt.size());
    auto after = rest;
    if (!after.empty() && is_separator(after.front())) after.remove_prefix(1);
    const auto number = take_digits(after);
    // A separator without a number belongs to what follows.
    text = number.empty() ? rest : after;
    return Suffix{rank, number};
  }
  return std::nullopt;
}

// "-1" is a post release too.
std::optional<Suffix> take_post(std::string_view& text) {
  if (text.size() > 1 && text[0] == '-' && is_digit(text[1])) {
    text.remove_prefix(1);
    return Suffix{'\1', take_digits(text)};
  }
  return take_suffix(text, kPost);
}

bool append_local(std::string& key, std::string_view local) {
  while (true) {
    const auto end = std::find_if(local.begin(), local.end(), is_separator);
    const auto part = local.substr(0, static_cast<std::size_t>(end - local.begin()));
    if (part.empty()) return false;
    if (!std::all_of(part.begin(), part.end(), [](char c) { return is_digit(c) || is_letter(c); })) {
      return false;
    }
    if (std::all_of(part.begin(), part.end(), is_digit)) {
      key.push_back('\2');
      append_number(key, part);
    } else {
      key.push_back('\1');
      append_text(key, part);
    }
    if (end == local.end()) break;
    local.remove_prefix(part.size() + 1);
  }
  return true;
}

bool append_release(std::string& key, std::string_view& text) {
  std::string release;
  std::size_t significant = 0;  // trailing zeros have no part in the order
  while (true) {
    const auto digits = take_digits(text);
    if (digits.empty()) return false;
    release.push_back('\1');
    append_number(release, digits);
    if (release.back() != '\0') significant = release.size();
    if (text.size() < 2 || text[0] != '.' || !is_digit(text[1])) break;
    text.remove_prefix(1);
  }
  key += release.substr(0, significant);
  key.push_back('\0');
  return true;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n\r\f\v";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

}  // namespace

std::optional<std::string> pep440_key(std::string_view given) {
  std::string spelt(trimmed(given));
  std::transform(spelt.begin(), spelt.end(), spelt.begin(), lower);
  std::string_view text = spelt;
  if (text.starts_with('v')) text.remove_prefix(1);

  std::string key;
  auto after_epoch = text;
  const auto epoch = take_digits(after_epoch);
  const bool has_epoch = !epoch.empty() && after_epoch.starts_with('!');
  append_number(key, has_epoch ? epoch : std::string_view());
  if (has_epoch) text = after_epoch.substr(1);
  if (!append_release(key, text)) return std::nullopt;

  const auto pre = take_suffix(text, kPre);
  const auto post = take_post(text);
  const auto dev = take_suffix(text, kDev);
  if (pre) {
    key.push_back(pre->rank);
    append_number(key, pre->number);
  } else {
    key.push_back(!post && dev ? '\0' : '\x7f');
  }
  key.push_back(post ? '\1' : '\0');
  if (post) append_number(key, post->number);
  key.push_back(dev ? '\0' : '\x7f');
  if (dev) append_number(key, dev->number);

  if (text.starts_with('+')) {
    if (!append_local(key, text.substr(1))) return std::nullopt;
  } else if (!text.empty()) {
    return std::nullopt;
  }
  key.push_back('\0');
  return key;
}

}  // namespace holdfast::supply
