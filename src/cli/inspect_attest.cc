#include "cli/inspect_attest.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/json.h"
#include "cli/key_files.h"
#include "crypto/sha256.h"
#include "trust/predicates.h"

namespace holdfast::cli {
namespace {

namespace fs = std::filesystem;

// What decided: the rules as they stand, the severity that refuses, and what was set aside.
base::Result<base::Digest> policy_of(const InspectAttestOptions& options, const inspect::Report& report) {
  nlohmann::json rules = nlohmann::json::object();
  for (const auto& known : inspect::all_rules()) {
    if (const auto rule = report.rule(known.id)) rules[std::string(rule->id)] = to_string(rule->severity);
  }
  nlohmann::json policy{{"fail_on", to_string(options.fail_on)},
                        {"rules", std::move(rules)},
                        {"rules_signer", report.rules.signer},
                        {"rules_version", report.rules.version}};
  if (!options.dismissals.empty()) {
    HF_TRY(const auto digest, crypto::sha256_file(options.dismissals));
    policy["dismissals"] = digest.prefixed();
  }
  HF_TRY(const std::string text, base::canonical_json(policy));
  return crypto::sha256(base::as_bytes(text));
}

// "HOLDFAST_CLEAN_FROM_MEDIUM" where nothing was found at that severity or above, from the highest down.
std::vector<std::string> levels_of(const inspect::Report& report) {
  using inspect::Severity;
  std::vector<std::string> levels{"HOLDFAST_INSPECTED"};
  for (const auto severity :
       {Severity::kCritical, Severity::kHigh, Severity::kMedium, Severity::kLow, Severity::kInfo}) {
    if (report.count_at_least(severity) > 0) break;
    std::string level = fmt::format("HOLDFAST_CLEAN_FROM_{}", to_string(severity));
    std::ranges::transform(level, level.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    levels.push_back(std::move(level));
  }
  return levels;
}

// The file's name relative to the path that was asked for; a file that was asked for by itself has its own.
std::string subject_name(const std::vector<fs::path>& paths, const fs::path& file) {
  for (const auto& path : paths) {
    const auto name = file.lexically_relative(path).generic_string();
    if (!name.empty() && name != "." && !name.starts_with("..")) return name;
  }
  return file.filename().generic_string();
}

base::Result<std::vector<trust::Subject>> subjects_of(const InspectAttestOptions& options,
                                                      const inspect::Report& report,
                                                      const InspectedFiles& files) {
  std::vector<trust::Subject> subjects;
  for (const auto& file : report.files) {
    const auto before = files.digests().find(file.path);
    if (before == files.digests().end()) continue;
    HF_TRY(const auto now, crypto::sha256_file(file.path));
    if (now != before->second) {
      return base::fail(base::ErrorCode::kConflict,
                        fmt::format("{} was written to while it was inspected; inspect it again", file.path));
    }
    subjects.push_back({subject_name(options.paths, file.path), now});
  }
  return subjects;
}

}  // namespace

void InspectedFiles::look(const std::string& path) {
  if (const auto digest = crypto::sha256_file(path)) digests_.emplace(path, *digest);
}

base::Result<> attest_inspection(const InspectAttestOptions& options, const inspect::Report& report,
                                 const InspectedFiles& files) {
  HF_TRY(const auto key, read_private_key(options.key));
  std::vector<crypto::Certificate> certificates;
  if (!options.certificates.empty()) {
    HF_TRY(certificates, read_certificates(options.certificates));
  }
  HF_TRY(const auto policy, policy_of(options, report));
  trust::AttestedStatement statement{
      .subjects = {}, .predicate_type = std::string(trust::kVerificationSummary), .predicate_json = {}};
  HF_TRY(statement.subjects, subjects_of(options, report, files));
  const auto whole = options.paths.front().lexically_normal();
  statement.predicate_json = trust::verification_summary_json(
      {.verifier = "urn:holdfast:inspect",
       .verifier_version = options.program_version,
       .at = base::system_clock().now(),
       .resource_uri =
           trust::generic_purl((whole.has_filename() ? whole : whole.parent_path()).filename().string()),
       .policy_uri = fmt::format("urn:holdfast:rules:{}", report.rules.version),
       .policy = policy,
       .passed = judge(report, options.fail_on) == inspect::Outcome::kClean,
       .levels = levels_of(report),
       .input_attestations = {}});
  HF_TRY(const std::string text, trust::attest(statement, key, certificates));
  return base::write_file_atomically(options.out, base::as_bytes(text));
}

}  // namespace holdfast::cli
