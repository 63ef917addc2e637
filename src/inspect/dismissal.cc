#include "inspect/dismissal.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/encoding.h"
#include "base/json.h"
#include "crypto/sha256.h"
#include "inspect/report.h"

namespace holdfast::inspect {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;

constexpr std::size_t kMaxDismissals = 100'000;
constexpr std::size_t kMaxTextBytes = 10'000;
constexpr std::size_t kFingerprintBytes = 16;

struct Member {
  std::string_view name;
  std::string Dismissal::* text;
};
constexpr Member kTexts[] = {{"fingerprint", &Dismissal::fingerprint},
                             {"rule", &Dismissal::rule_id},
                             {"path", &Dismissal::path},
                             {"message", &Dismissal::message},
                             {"reason", &Dismissal::reason},
                             {"reviewer", &Dismissal::reviewer}};
constexpr std::string_view kExpires = "expires";

Result<std::string> text_of(const nlohmann::json& entry, std::string_view name) {
  const auto found = entry.find(name);
  if (found == entry.end() || !found->is_string() || found->get_ref<const std::string&>().empty()) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("{} must be a text that is not empty", name));
  }
  const auto& text = found->get_ref<const std::string&>();
  if (text.size() > kMaxTextBytes) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("{} has {} bytes; {} are allowed", name, text.size(), kMaxTextBytes));
  }
  return text;
}

bool is_fingerprint(std::string_view text) {
  return text.size() == 2 * kFingerprintBytes && text.find_first_not_of("0123456789abcdef") == text.npos;
}

Result<Dismissal> dismissal_of(const nlohmann::json& entry) {
  if (!entry.is_object()) return fail(ErrorCode::kInvalidArgument, "it must be an object");
  Dismissal dismissal;
  for (const auto& member : kTexts) {
    HF_TRY(dismissal.*member.text, text_of(entry, member.name));
  }
  if (!is_fingerprint(dismissal.fingerprint)) {
    return fail(ErrorCode::kInvalidArgument, "fingerprint must be 32 lower-case hexadecimal digits");
  }
  HF_TRY(const auto expires, text_of(entry, kExpires));
  auto moment = base::Timestamp::parse(expires);
  if (!moment) {
    return fail(base::Error(moment.error()).within("expires must be a moment such as 2027-01-31T00:00:00Z"));
  }
  dismissal.expires = *moment;
  if (entry.size() != std::size(kTexts) + 1) {
    return fail(ErrorCode::kInvalidArgument,
                "it has members beside fingerprint, rule, path, message, reason, reviewer and expires");
  }
  return dismissal;
}

}  // namespace

std::string fingerprint(const Finding& finding) {
  crypto::Sha256 hash;
  for (const std::string* part : {&finding.rule_id, &finding.path, &finding.message}) {
    // The length first, so that no two findings give the same bytes.
    hash.update(base::as_bytes(fmt::format("{}:", part->size())));
    hash.update(base::as_bytes(*part));
  }
  return base::hex_encode(hash.finish().bytes().first(kFingerprintBytes));
}

Result<std::vector<Dismissal>> parse_dismissals(std::string_view json) {
  HF_TRY(const auto whole, base::parse_json(json));
  const auto found = whole.is_object() ? whole.find("dismissals") : whole.end();
  if (found == whole.end() || !found->is_array() || whole.size() != 1) {
    return fail(ErrorCode::kInvalidArgument, "dismissals must be the one member, and an array");
  }
  if (found->size() > kMaxDismissals) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("there are {} dismissals; {} are allowed", found->size(), kMaxDismissals));
  }
  std::vector<Dismissal> dismissals;
  for (std::size_t i = 0; i < found->size(); ++i) {
    auto dismissal = dismissal_of((*found)[i]);
    if (!dismissal) return fail(base::Error(dismissal.error()).within(fmt::format("dismissals[{}]", i)));
    dismissals.push_back(*std::move(dismissal));
  }
  return dismissals;
}

std::string to_json(std::span<const Dismissal> dismissals) {
  auto entries = nlohmann::ordered_json::array();
  for (const auto& dismissal : dismissals) {
    nlohmann::ordered_json entry;
    for (const auto& member : kTexts) entry[std::string(member.name)] = dismissal.*member.text;
    entry[std::string(kExpires)] = dismissal.expires.text();
    entries.push_back(std::move(entry));
  }
  const nlohmann::ordered_json whole{{"dismissals", std::move(entries)}};
  return whole.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::vector<Dismissal> dismiss_all(const Report& report, std::string_view reason, std::string_view reviewer,
                                   base::Timestamp expires) {
  std::vector<Dismissal> dismissals;
  for (const auto& file : report.files) {
    for (const auto& finding : file.findings) {
      dismissals.push_back({.fingerprint = fingerprint(finding),
                            .rule_id = finding.rule_id,
                            .path = finding.path,
                            .message = finding.message,
                            .reason = std::string(reason),
                            .reviewer = std::string(reviewer),
                            .expires = expires});
    }
  }
  return dismissals;
}

void apply(std::span<const Dismissal> dismissals, base::Timestamp now, Report& report) {
  std::map<std::string_view, const Dismissal*> by_fingerprint;
  for (const auto& dismissal : dismissals) {
    const auto [entry, fresh] = by_fingerprint.emplace(dismissal.fingerprint, &dismissal);
    if (!fresh && dismissal.expires > entry->second->expires) entry->second = &dismissal;
  }
  for (auto& file : report.files) {
    std::vector<Finding> kept;
    for (auto& finding : file.findings) {
      const auto found = by_fingerprint.find(fingerprint(finding));
      if (found == by_fingerprint.end()) {
        kept.push_back(std::move(finding));
      } else if (found->second->expires > now) {
        file.dismissed.push_back({std::move(finding), *found->second});
      } else {
        finding.message += fmt::format(" (set aside by {} until {}, which is over)", found->second->reviewer,
                                       found->second->expires.text());
        kept.push_back(std::move(finding));
      }
    }
    file.findings = std::move(kept);
  }
}

}  // namespace holdfast::inspect
