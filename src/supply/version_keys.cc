#include "supply/version_keys.h"

#include <algorithm>

// The semantic order, and those of the two kinds of system packages.

namespace holdfast::supply {

std::string_view take_digits(std::string_view& text) {
  std::size_t count = 0;
  while (count < text.size() && is_digit(text[count])) ++count;
  const auto digits = text.substr(0, count);
  text.remove_prefix(count);
  return digits;
}

void append_number(std::string& key, std::string_view digits) {
  while (!digits.empty() && digits.front() == '0') digits.remove_prefix(1);
  key.push_back(static_cast<char>(static_cast<unsigned char>(digits.size())));
  key += digits;
}

void append_text(std::string& key, std::string_view text) {
  key += text;
  key.push_back('\0');
}

namespace {

// semver.org, section 11: numeric identifiers are below the others, fewer are below more, none is above any.
bool append_prerelease(std::string& key, std::string_view prerelease) {
  while (true) {
    const auto dot = prerelease.find('.');
    const auto part = prerelease.substr(0, dot);
    if (part.empty()) return false;
    if (!std::all_of(part.begin(), part.end(),
                     [](char c) { return is_digit(c) || is_letter(c) || c == '-'; })) {
      return false;
    }
    if (std::all_of(part.begin(), part.end(), is_digit)) {
      key.push_back('\1');
      append_number(key, part);
    } else {
      key.push_back('\2');
      append_text(key, part);
    }
    if (dot == std::string_view::npos) break;
    prerelease.remove_prefix(dot + 1);
  }
  key.push_back('\0');
  return true;
}

// deb-version(7): "~" before the end of a part, that before letters, those before the rest.
char dpkg_weight(char c) {
  if (c == '~') return '\1';
  return is_letter(c) ? c : static_cast<char>(static_cast<unsigned char>(c) | 0x80U);
}

void append_dpkg_part(std::string& key, std::string_view part) {
  do {
    while (!part.empty() && !is_digit(part.front())) {
      key.push_back(dpkg_weight(part.front()));
      part.remove_prefix(1);
    }
    key.push_back('\2');
    append_number(key, take_digits(part));
  } while (!part.empty());
  key.push_back('\2');
}

// rpmvercmp: "~" before the end, that before "^", that before letters, those before numbers.
void append_rpm_part(std::string& key, std::string_view part) {
  while (!part.empty()) {
    const char c = part.front();
    if (is_digit(c)) {
      key.push_back('\5');
      append_number(key, take_digits(part));
      continue;
    }
    if (is_letter(c)) {
      std::size_t count = 0;
      while (count < part.size() && is_letter(part[count])) ++count;
      key.push_back('\4');
      append_text(key, part.substr(0, count));
      part.remove_prefix(count);
      continue;
    }
    if (c == '~') key.push_back('\1');
    if (c == '^') key.push_back('\3');
    part.remove_prefix(1);
  }
  key.push_back('\2');
}

bool printable(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

// "epoch:" at the start; 0 where there is none. False where what stands before the colon is no number.
bool take_epoch(std::string_view& text, std::string& key) {
  const auto colon = text.find(':');
  auto epoch = colon == std::string_view::npos ? std::string_view() : text.substr(0, colon);
  if (!std::all_of(epoch.begin(), epoch.end(), is_digit)) return false;
  append_number(key, epoch);
  if (colon != std::string_view::npos) text.remove_prefix(colon + 1);
  return true;
}

}  // namespace

std::optional<std::string> semver_key(std::string_view text) {
  if (text.starts_with('v') || text.starts_with('V')) text.remove_prefix(1);
  text = text.substr(0, text.find('+'));  // section 10: build metadata has no part in the order
  std::string key;
  for (int parts = 0; parts < 3; ++parts) {
    const bool more = parts == 0 || text.starts_with('.');
    if (parts > 0 && more) text.remove_prefix(1);
    const auto digits = more ? take_digits(text) : std::string_view("0");
    if (digits.empty()) return std::nullopt;
    append_number(key, digits);
  }
  if (text.empty()) {
    key.push_back('\x7f');
    return key;
  }
  if (text.front() != '-') return std::nullopt;
  text.remove_prefix(1);
  if (!append_prerelease(key, text)) return std::nullopt;
  return key;
}

std::optional<std::string> dpkg_key(std::string_view text) {
  std::string key;
  if (!printable(text) || !take_epoch(text, key)) return std::nullopt;
  const auto dash = text.rfind('-');
  append_dpkg_part(key, text.substr(0, dash));
  append_dpkg_part(key, dash == std::string_view::npos ? std::string_view() : text.substr(dash + 1));
  return key;
}

std::optional<std::string> rpm_key(std::string_view text) {
  std::string key;
  if (!printable(text) || !take_epoch(text, key)) return std::nullopt;
  const auto dash = text.rfind('-');
  append_rpm_part(key, text.substr(0, dash));
  if (dash != std::string_view::npos) {
    key.push_back('\1');
    append_rpm_part(key, text.substr(dash + 1));
  }
  return key;
}

}  // namespace holdfast::supply
