#include "inspect/finding.h"

#include <fmt/format.h>

#include <array>

#include "base/assert.h"

namespace holdfast::inspect {
namespace {

constexpr std::array<std::string_view, 5> kSeverityNames{"info", "low", "medium", "high", "critical"};

// Cuts at a character's boundary, so that the text stays UTF-8.
void shorten(std::string& text, std::size_t limit) {
  if (text.size() <= limit) return;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0U) == 0x80U) --limit;
  text.resize(limit);
  text += "...";
}

}  // namespace

std::string_view to_string(Severity severity) { return kSeverityNames[static_cast<std::size_t>(severity)]; }

base::Result<Severity> parse_severity(std::string_view text) {
  for (std::size_t i = 0; i < kSeverityNames.size(); ++i) {
    if (kSeverityNames[i] == text) return static_cast<Severity>(i);
  }
  return base::fail(base::ErrorCode::kInvalidArgument,
                    fmt::format("\"{}\" is no severity; it is one of info, low, medium, high, critical",
                                text.substr(0, 40)));
}

void Findings::add(Finding finding) {
  if (items_.size() >= kMax) {
    ++dropped_;
    return;
  }
  shorten(finding.message, Finding::kMaxMessageBytes);
  items_.push_back(std::move(finding));
}

void Findings::add(std::string_view rule_id, std::string path, std::optional<std::uint64_t> offset,
                   std::string message) {
  const Rule* rule = find_rule(rule_id);
  HF_ASSERT(rule != nullptr);
  add({.rule_id = std::string(rule_id),
       .severity = rule->severity,
       .path = std::move(path),
       .offset = offset,
       .message = std::move(message)});
}

}  // namespace holdfast::inspect
