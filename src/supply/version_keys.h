#pragma once

#include <optional>
#include <string>
#include <string_view>

// One function an order: the key of a version (version.h), or nothing where the text is no version. The texts
// have at most Version::kMaxBytes bytes, so that a number's length fits one byte.

namespace holdfast::supply {

std::optional<std::string> pep440_key(std::string_view text);
std::optional<std::string> semver_key(std::string_view text);
std::optional<std::string> dpkg_key(std::string_view text);
std::optional<std::string> rpm_key(std::string_view text);
std::optional<std::string> apk_key(std::string_view text);
std::optional<std::string> maven_key(std::string_view text);

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
inline char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// The digits at the start, which may be none.
std::string_view take_digits(std::string_view& text);
// A number of any size: its length without leading zeros, then its digits.
void append_number(std::string& key, std::string_view digits);
// Letters and what else a part is made of, ended by a byte below all of them.
void append_text(std::string& key, std::string_view text);

}  // namespace holdfast::supply
