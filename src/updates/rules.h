#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "crypto/sign.h"
#include "formats/source.h"
#include "inspect/rule_set.h"
#include "updates/bundle.h"

// The rule set in force: the program's own, or a newer one that was installed as a signed bundle.

namespace holdfast::updates {

inline constexpr std::string_view kRulesKind = "rules";
inline constexpr std::string_view kChangesFile = "rules.json";
inline constexpr std::size_t kMaxRuleBundleBytes = 64UL << 20;

// Below a state folder.
std::filesystem::path rules_path(const std::filesystem::path& state);  // rules/rules.bundle

// The keys of PEM files. A file that is not there is passed over: none are pinned there yet.
base::Result<std::vector<crypto::PublicKey>> read_keys(std::span<const std::string> files);

// Signed, whole, and with nothing that this program does not understand (check_rule_list,
// parse_rule_changes). Expired ones too.
base::Result<inspect::RuleSet> open_rules(const formats::Source& bundle,
                                          std::span<const crypto::PublicKey> trusted);

// The installed one unless the program's own is newer; the program's own where none is installed. An
// installed one that is damaged or signed by none of them is kUnavailable, since to judge by less than was
// installed would be a step back unseen.
base::Result<std::shared_ptr<const inspect::RuleSet>> rules_in_force(const std::filesystem::path& state,
                                                                     std::span<const std::string> key_files);

// The set in force, and what is wrong with its age: `expired` forbids to let anything pass by it, `stale` is
// said.
struct RulesToUse {
  std::shared_ptr<const inspect::RuleSet> set;
  std::string expired;
  std::string stale;
};
struct RulesAge {
  std::int64_t max_age_days = 180;
  bool require_fresh = false;  // one that is too old counts as expired
};
base::Result<RulesToUse> rules_to_use(const std::filesystem::path& state,
                                      std::span<const std::string> key_files, const RulesAge& age,
                                      base::Timestamp now);

// Puts a bundle in force, durably and whole or not at all. kPermissionDenied for a lower version than the one
// in force, and for one that has expired; errors as open_rules.
base::Result<inspect::RuleSet> install_rules(const std::filesystem::path& bundle,
                                             const std::filesystem::path& state,
                                             std::span<const crypto::PublicKey> trusted, base::Timestamp now);

// Writes the program's own as a folder of files, which is made, for a person to change; the same files make a
// bundle. Files that are not those of a rule set are an error, as is one that says nothing.
base::Result<> export_rules(const std::filesystem::path& folder);
base::Result<> sign_rules(const std::filesystem::path& folder, const std::filesystem::path& bundle,
                          const Edition& edition, const crypto::PrivateKey& key);

// Why a set should have been renewed by now: it expired, or was issued more than max_age_days ago. Empty
// where it is fresh.
std::string overdue(const inspect::RuleSet& set, std::int64_t max_age_days, base::Timestamp now);

}  // namespace holdfast::updates
