#include "trust/version.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace holdfast::trust {
namespace {

tl::unexpected<base::Error> no_version(std::string_view text) {
  constexpr std::size_t kShown = 60;
  std::string shown(text.substr(0, kShown));
  std::ranges::replace_if(shown, [](unsigned char c) { return c < 0x20 || c >= 0x7f; }, '?');
  return base::fail(base::ErrorCode::kInvalidArgument,
                    fmt::format("\"{}\" is no version that can be compared: write numbers with dots between, "
                                "such as 7, 1.4.0 or 1.4.0-rc.1",
                                shown));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_number(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_digit); }

// Without a zero in front, so that equal numbers have equal texts.
std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  if (!is_number(text) || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  return value;
}

bool is_identifier(std::string_view text) {
  const auto allowed = [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  };
  return !text.empty() && std::ranges::all_of(text, allowed) &&
         (!is_number(text) || number(text).has_value());
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto dot = text.find('.');
    parts.push_back(text.substr(0, dot));
    if (dot == std::string_view::npos) return parts;
    text.remove_prefix(dot + 1);
  }
}

// Semantic Versioning 2.0.0, section 11.4.
std::strong_ordering compare_identifiers(const std::string& a, const std::string& b) {
  const auto left = number(a);
  const auto right = number(b);
  if (left && right) return *left <=> *right;
  if (left.has_value() != right.has_value()) {
    return left ? std::strong_ordering::less : std::strong_ordering::greater;
  }
  return a <=> b;
}

}  // namespace

base::Result<ArtefactVersion> ArtefactVersion::parse(std::string_view text) {
  if (text.empty() || text.size() > kMaxBytes) return no_version(text);
  ArtefactVersion version;
  version.text_ = text;
  const auto dash = text.find('-');
  for (const auto part : split(text.substr(0, dash))) {
    const auto value = number(part);
    if (!value || version.numbers_.size() == kMaxNumbers) return no_version(text);
    version.numbers_.push_back(*value);
  }
  while (!version.numbers_.empty() && version.numbers_.back() == 0) version.numbers_.pop_back();
  if (dash == std::string_view::npos) return version;
  for (const auto part : split(text.substr(dash + 1))) {
    if (!is_identifier(part)) return no_version(text);
    version.prerelease_.emplace_back(part);
  }
  return version;
}

std::strong_ordering operator<=>(const ArtefactVersion& a, const ArtefactVersion& b) {
  if (const auto order = a.numbers_ <=> b.numbers_; order != 0) return order;
  if (a.prerelease_.empty() || b.prerelease_.empty()) {
    // Without a pre-release it is the later one.
    return a.prerelease_.empty() <=> b.prerelease_.empty();
  }
  const auto common = std::min(a.prerelease_.size(), b.prerelease_.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (const auto order = compare_identifiers(a.prerelease_[i], b.prerelease_[i]); order != 0) return order;
  }
  return a.prerelease_.size() <=> b.prerelease_.size();
}

}  // namespace holdfast::trust
