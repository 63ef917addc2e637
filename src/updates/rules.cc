#include "updates/rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "updates/folder.h"

namespace holdfast::updates {

namespace fs = std::filesystem;
using base::ErrorCode;
using base::fail;
using base::Result;

namespace {

constexpr std::size_t kMaxKeyFileBytes = 64UL << 10;

// What was signed, as a set; nothing in it is looked at.
Result<inspect::RuleSet> read_set(const Bundle& bundle) {
  inspect::RuleSet set{.name = {.version = bundle.edition().version,
                                .issued_at = bundle.edition().issued_at,
                                .signer = bundle.signer().hex()},
                       .expires_at = bundle.edition().expires_at,
                       .lists = {},
                       .rules = {}};
  for (const auto& file : bundle.files()) {
    if (file.name == kChangesFile) {
      HF_TRY(const auto text, bundle.read(file, inspect::kMaxRuleChangesBytes));
      HF_TRY(set.rules, inspect::parse_rule_changes(text));
      continue;
    }
    const auto list = inspect::parse_rule_list(file.name);
    if (!list) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("{} is no file of a rule set that this program knows", file.name));
    }
    HF_TRY(set.lists[*list], bundle.read(file, inspect::kMaxRuleListBytes));
  }
  return set;
}

Result<inspect::RuleSet> read_installed(const fs::path& path, std::span<const std::string> key_files) {
  HF_TRY(const auto trusted, read_keys(key_files));
  HF_TRY(const auto bytes, base::read_file(path, kMaxRuleBundleBytes));
  const formats::MemorySource source(bytes);
  if (trusted.empty()) {
    return fail(ErrorCode::kUnauthenticated, "no key is trusted for it: name its public key in rules.keys");
  }
  HF_TRY(const auto bundle, Bundle::open(source, kRulesKind, trusted));
  return read_set(bundle);
}

Edition edition_of(const inspect::RuleSet& set) {
  return {.kind = std::string(kRulesKind),
          .version = set.name.version,
          .issued_at = set.name.issued_at,
          .expires_at = set.expires_at.value_or(base::Timestamp())};
}

Result<> check_file(const std::string& name, std::string_view text) {
  if (name == kChangesFile) {
    HF_CHECK(inspect::parse_rule_changes(text));
    return {};
  }
  const auto list = inspect::parse_rule_list(name);
  if (!list) return fail(ErrorCode::kInvalidArgument, fmt::format("{} is no file of a rule set", name));
  return inspect::check_rule_list(*list, text);
}

}  // namespace

fs::path rules_path(const fs::path& state) { return state / "rules" / "rules.bundle"; }

Result<std::vector<crypto::PublicKey>> read_keys(std::span<const std::string> files) {
  std::vector<crypto::PublicKey> keys;
  for (const auto& file : files) {
    const auto bytes = base::read_file(file, kMaxKeyFileBytes);
    if (!bytes && bytes.error().code == ErrorCode::kNotFound) continue;
    if (!bytes) return fail(bytes.error());
    auto key = crypto::PublicKey::from_pem(base::as_text(*bytes));
    if (!key) return fail(std::move(key).error().within(file));
    keys.push_back(*std::move(key));
  }
  return keys;
}

Result<inspect::RuleSet> open_rules(const formats::Source& file, std::span<const crypto::PublicKey> trusted) {
  HF_TRY(const auto bundle, Bundle::open(file, kRulesKind, trusted));
  HF_TRY(auto set, read_set(bundle));
  for (const auto& [list, text] : set.lists) HF_CHECK(inspect::check_rule_list(list, text));
  return set;
}

Result<std::shared_ptr<const inspect::RuleSet>> rules_in_force(const fs::path& state,
                                                               std::span<const std::string> key_files) {
  // Never freed, so there is nothing to own.
  const std::shared_ptr<const inspect::RuleSet> own(&inspect::builtin_rules(), [](const auto*) {});
  const auto path = rules_path(state);
  auto installed = read_installed(path, key_files);
  if (!installed && installed.error().code == ErrorCode::kNotFound) return own;
  if (!installed) {
    return fail(
        ErrorCode::kUnavailable,
        fmt::format("the rule set {} can't be used, and nothing is inspected by an older one: {}; put one in "
                    "its place with `holdfast rules update`",
                    path.string(), installed.error().message));
  }
  if (installed->name.version < own->name.version) return own;
  return std::make_shared<const inspect::RuleSet>(*std::move(installed));
}

Result<RulesToUse> rules_to_use(const fs::path& state, std::span<const std::string> key_files,
                                const RulesAge& age, base::Timestamp now) {
  HF_TRY(auto set, rules_in_force(state, key_files));
  const bool expired = set->expires_at && *set->expires_at <= now;
  auto why = overdue(*set, age.max_age_days, now);
  RulesToUse use{.set = std::move(set), .expired = {}, .stale = {}};
  (expired || age.require_fresh ? use.expired : use.stale) = std::move(why);
  return use;
}

Result<inspect::RuleSet> install_rules(const fs::path& bundle, const fs::path& state,
                                       std::span<const crypto::PublicKey> trusted, base::Timestamp now) {
  HF_TRY(const auto bytes, base::read_file(bundle, kMaxRuleBundleBytes));
  auto next = open_rules(formats::MemorySource(bytes), trusted);
  if (!next) return fail(std::move(next).error().within(bundle.string()));
  const auto path = rules_path(state);
  if (const auto old = base::read_file(path, kMaxRuleBundleBytes)) {
    // One that is damaged, or that another key signed, says nothing of its version that could be believed.
    const formats::MemorySource source(*old);
    if (const auto current = Bundle::open(source, kRulesKind, trusted)) {
      HF_CHECK(check_succession(current->edition(), edition_of(*next), now));
    }
  } else if (old.error().code != ErrorCode::kNotFound) {
    return fail(old.error());
  }
  HF_CHECK(check_succession(edition_of(inspect::builtin_rules()), edition_of(*next), now));
  HF_CHECK(make_private_folder(path.parent_path()));
  HF_CHECK(base::write_file_atomically(path, bytes));
  return next;
}

Result<> export_rules(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return base::fail_errno(fmt::format("cannot make {}", folder.string()), error.value());
  HF_CHECK(
      base::write_file_atomically(folder / kChangesFile, base::as_bytes(inspect::builtin_rule_changes())));
  for (const auto list : inspect::kRuleLists) {
    HF_CHECK(base::write_file_atomically(folder / to_string(list),
                                         base::as_bytes(inspect::builtin_rule_list(list))));
  }
  return {};
}

Result<> sign_rules(const fs::path& folder, const fs::path& bundle, const Edition& edition,
                    const crypto::PrivateKey& key) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    names.push_back(entry->path().filename().string());
    if (names.size() > kMaxBundleFiles)
      return fail(ErrorCode::kLimitExceeded, "the folder holds too many files");
  }
  if (error) return base::fail_errno(fmt::format("cannot list {}", folder.string()), error.value());
  std::ranges::sort(names);
  std::vector<base::Bytes> contents(names.size());
  std::vector<formats::MemorySource> sources;
  sources.reserve(names.size());
  std::vector<BundleInput> files;
  for (std::size_t i = 0; i < names.size(); ++i) {
    HF_TRY(contents[i], base::read_file(folder / names[i], inspect::kMaxRuleListBytes));
    HF_CHECK(check_file(names[i], base::as_text(contents[i])));
    files.push_back({.name = names[i], .content = &sources.emplace_back(contents[i])});
  }
  return write_bundle(bundle, edition, files, key);
}

std::string overdue(const inspect::RuleSet& set, std::int64_t max_age_days, base::Timestamp now) {
  if (set.expires_at && *set.expires_at <= now) {
    return fmt::format("the rule set {} expired at {}: install a newer one", set.name.version,
                       set.expires_at->text());
  }
  const auto age = std::chrono::duration_cast<std::chrono::days>(now - set.name.issued_at);
  if (age <= std::chrono::days(max_age_days)) return {};
  return fmt::format(
      "the rule set {} was issued {} days ago, more than {}: install a newer one, or update the program",
      set.name.version, age.count(), max_age_days);
}

}  // namespace holdfast::updates
