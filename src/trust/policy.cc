#include "trust/policy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/assert.h"
#include "base/file.h"
#include "crypto/pem.h"
#include "crypto/sha256.h"
#include "trust/policy_table.h"
#include "trust/statement.h"

namespace holdfast::trust {

using base::ErrorCode;
using base::fail;
using base::Result;

namespace {

constexpr std::int64_t kMostDays = 36500;

struct Kind {
  std::string_view name;
  std::string_view predicate_type;
};
constexpr std::array kKinds{Kind{"provenance", kProvenance}, Kind{"verification", kVerificationSummary},
                            Kind{"evaluation", kEvaluation}, Kind{"test-result", kTestResult},
                            Kind{"release", kRelease}};

Result<> read_key(PolicyTable& table, const PolicyFiles& files, SignerEntry& signer) {
  HF_TRY(const auto id, table.text("key"));
  HF_TRY(const auto file, table.text("key_file"));
  if (id) {
    auto digest = base::Digest::from_hex(*id);
    if (!digest) {
      return table.wrong("key", "the key's digest is needed, \"sha256:\" and 64 hexadecimal digits");
    }
    signer.key_id = *digest;
  }
  if (!file) return {};
  HF_TRY(const auto pem, files(*file));
  auto key = crypto::PublicKey::from_pem(base::as_text(pem));
  if (!key) return table.wrong("key_file", fmt::format("{}: {}", *file, key.error().message));
  if (signer.key_id && *signer.key_id != key->id()) {
    return table.wrong("key_file",
                       fmt::format("the key in {} has the digest {}, not the one that \"key\" says", *file,
                                   key->id().prefixed()));
  }
  signer.key_id = key->id();
  signer.key = *std::move(key);
  return {};
}

Result<> read_identity(PolicyTable& table, const PolicyFiles& files, SignerEntry& signer) {
  HF_TRY(signer.uris, table.texts("uri"));
  HF_TRY(signer.emails, table.texts("email"));
  HF_TRY(signer.dns_names, table.texts("dns"));
  const bool named = !signer.uris.empty() || !signer.emails.empty() || !signer.dns_names.empty();
  HF_TRY(const auto roots, table.text("roots_file"));
  if (!roots) {
    return named ? table.wrong("roots_file", "a name in a certificate counts under a root alone; say which")
                 : Result<>();
  }
  HF_TRY(const auto pem, files(*roots));
  auto certificates = crypto::parse_certificates(base::as_text(pem));
  if (!certificates) {
    return table.wrong("roots_file", fmt::format("{}: {}", *roots, certificates.error().message));
  }
  signer.roots = *std::move(certificates);
  if (named) return {};
  return table.wrong(
      "roots_file",
      "whoever has a certificate under these roots would be trusted; say whom by uri, email or "
      "dns");
}

Result<SignerEntry> read_signer(std::string_view name, PolicyTable table, const PolicyFiles& files) {
  SignerEntry signer{.name = std::string(name), .place = table.place()};
  HF_CHECK(read_key(table, files, signer));
  HF_CHECK(read_identity(table, files, signer));
  HF_TRY(signer.expires, table.moment("expires"));
  HF_CHECK(table.end());
  if (signer.key_id.has_value() == signer.by_certificate()) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{}: a signer has either a key (key, key_file) or a certificate (roots_file with "
                            "uri, email or dns)",
                            signer.place));
  }
  return signer;
}

Result<std::vector<SignerEntry>> read_signers(const toml::table& file, std::string_view file_name,
                                              const PolicyFiles& files) {
  std::vector<SignerEntry> signers;
  const auto* node = file.get("signer");
  const auto* table = node == nullptr ? nullptr : node->as_table();
  if (table == nullptr || table->empty() || table->size() > kMaxPolicyEntries) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{}: write [signer.NAME], once for each signer and at most {} times", file_name,
                            kMaxPolicyEntries));
  }
  for (const auto& [name, value] : *table) {
    auto place = fmt::format("{}:{}: [signer.{}]", file_name, value.source().begin.line, name.str());
    if (!value.is_table()) return fail(ErrorCode::kInvalidArgument, place + " is no table");
    HF_TRY(auto signer, read_signer(name.str(), PolicyTable(*value.as_table(), std::move(place)), files));
    signers.push_back(std::move(signer));
  }
  return signers;
}

Result<std::vector<std::string>> read_signer_names(PolicyTable& table,
                                                   const std::vector<SignerEntry>& signers) {
  HF_TRY(auto names, table.texts("signers"));
  for (const auto& name : names) {
    if (std::ranges::find(signers, name, &SignerEntry::name) == signers.end()) {
      return table.wrong("signers", fmt::format("there is no [signer.{}]", name));
    }
  }
  return names;
}

// What only statements of one kind have may be asked of that kind alone: elsewhere it would never hold.
Result<> check_kind(const PolicyTable& table, const RequiredStatement& wanted) {
  const auto only = [&](std::string_view type, std::string_view kind,
                        std::initializer_list<std::string_view> keys) -> Result<> {
    if (wanted.predicate_type == type) return {};
    for (const auto key : keys) {
      if (table.has(key)) {
        return table.wrong(key, fmt::format("a statement of the kind \"{}\" alone has it", kind));
      }
    }
    return {};
  };
  HF_CHECK(only(kProvenance, "provenance", {"builders", "build_types"}));
  return only(kVerificationSummary, "verification", {"verifiers", "levels", "policies", "max_age_days"});
}

Result<std::string> predicate_type_of(const PolicyTable& table, const std::string& kind) {
  const auto known = std::ranges::find(kKinds, kind, &Kind::name);
  if (known != kKinds.end()) return std::string(known->predicate_type);
  if (kind.find(':') != std::string::npos) return kind;
  std::vector<std::string_view> names;
  for (const auto& one : kKinds) names.push_back(one.name);
  return table.wrong("statement",
                     fmt::format("write {} or the URI of a predicate type", fmt::join(names, ", ")));
}

Result<RequiredStatement> read_required(PolicyTable table, const std::vector<SignerEntry>& signers,
                                        const AllowEntry& entry) {
  RequiredStatement wanted{.place = table.place()};
  HF_TRY(const auto kind, table.text("statement"));
  if (!kind) return table.wrong("statement", "say which statement must be there");
  wanted.kind = *kind;
  HF_TRY(wanted.predicate_type, predicate_type_of(table, wanted.kind));
  HF_TRY(wanted.signers, read_signer_names(table, signers));
  if (wanted.signers.empty()) wanted.signers = entry.signers;
  HF_TRY(wanted.builders, table.texts("builders"));
  HF_TRY(wanted.build_types, table.texts("build_types"));
  HF_TRY(wanted.verifiers, table.texts("verifiers"));
  HF_TRY(wanted.levels, table.texts("levels"));
  HF_TRY(const auto policies, table.texts("policies"));
  for (const auto& text : policies) {
    const auto digest = base::Digest::from_hex(text);
    if (!digest) return table.wrong("policies", "digests are needed, \"sha256:\" and 64 hexadecimal digits");
    wanted.policies.push_back(*digest);
  }
  HF_TRY(wanted.max_age_days, table.whole("max_age_days", 1, kMostDays));
  HF_CHECK(table.end());
  HF_CHECK(check_kind(table, wanted));
  return wanted;
}

Result<std::vector<crypto::NoteVerifier>> read_log_keys(PolicyTable& table) {
  HF_TRY(const auto texts, table.texts("log_keys"));
  std::vector<crypto::NoteVerifier> keys;
  for (const auto& text : texts) {
    auto key = crypto::NoteVerifier::parse(text);
    if (!key) return table.wrong("log_keys", key.error().message);
    keys.push_back(*std::move(key));
  }
  return keys;
}

Result<AllowEntry> read_allow(PolicyTable table, std::string_view file_name,
                              const std::vector<SignerEntry>& signers) {
  AllowEntry entry{.place = table.place()};
  HF_TRY(const auto name, table.text("name"));
  if (!name) return table.wrong("name", "a name is needed, for messages");
  entry.name = *name;
  HF_TRY(entry.artefacts, table.texts("artefacts"));
  if (entry.artefacts.empty())
    return table.wrong("artefacts", "say which names it is for, such as \"credit-*\"");
  HF_TRY(entry.signers, read_signer_names(table, signers));
  if (entry.signers.empty()) return table.wrong("signers", "say who may sign, by the names of [signer.NAME]");
  HF_TRY(const auto floor, table.text("at_least"));
  if (floor) {
    auto version = ArtefactVersion::parse(*floor);
    if (!version) return table.wrong("at_least", version.error().message);
    entry.at_least = *std::move(version);
  }
  HF_TRY(entry.expires, table.moment("expires"));
  HF_TRY(entry.log_keys, read_log_keys(table));
  HF_TRY(auto required, table.tables("require", "allow.require", file_name));
  for (const auto& one : required) {
    HF_TRY(auto wanted, read_required(one, signers, entry));
    entry.required.push_back(std::move(wanted));
  }
  HF_CHECK(table.end());
  return entry;
}

Result<TrustPolicy> read_policy(const toml::table& file, std::string_view file_name,
                                const PolicyFiles& files) {
  for (const auto& [key, node] : file) {
    if (key.str() != "signer" && key.str() != "allow") {
      return fail(ErrorCode::kInvalidArgument, fmt::format("{}:{}: there is no table or key \"{}\"",
                                                           file_name, node.source().begin.line, key.str()));
    }
  }
  TrustPolicy policy{.file = std::string(file_name), .digest = {}, .signers = {}, .allowed = {}};
  HF_TRY(policy.signers, read_signers(file, file_name, files));
  PolicyTable whole(file, std::string(file_name));
  HF_TRY(const auto entries, whole.tables("allow", "allow", file_name));
  std::set<std::string> names;
  for (const auto& one : entries) {
    HF_TRY(auto entry, read_allow(one, file_name, policy.signers));
    if (!names.insert(entry.name).second) return one.wrong("name", "another entry has it already");
    policy.allowed.push_back(std::move(entry));
  }
  if (!policy.allowed.empty()) return policy;
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("{}: it has no [[allow]], and would refuse everything", file_name));
}

}  // namespace

bool matches(std::string_view pattern, std::string_view text) {
  // Greedy from the left: only the last "*" seen has to be tried again, so the time is their product at most.
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

bool matches_any(std::span<const std::string> patterns, std::string_view text) {
  return std::ranges::any_of(patterns, [&](const std::string& pattern) { return matches(pattern, text); });
}

void TrustPolicy::offer_keys(std::span<const crypto::PublicKey> keys) {
  for (auto& signer : signers) {
    if (!signer.key_id || signer.key) continue;
    const auto found =
        std::ranges::find_if(keys, [&](const crypto::PublicKey& key) { return key.id() == *signer.key_id; });
    if (found != keys.end()) signer.key = *found;
  }
}

const SignerEntry& TrustPolicy::signer(std::string_view name) const {
  const auto found = std::ranges::find(signers, name, &SignerEntry::name);
  HF_ASSERT(found != signers.end());
  return *found;
}

Result<TrustPolicy> parse_trust_policy(std::string_view toml, std::string_view file_name,
                                       const PolicyFiles& files) {
  if (toml.size() > kMaxPolicyBytes) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("{}: a policy has at most {} bytes", file_name, kMaxPolicyBytes));
  }
  toml::table file;
  try {
    file = toml::parse(toml, file_name);
  } catch (const toml::parse_error& error) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{}:{}: {}", file_name, error.source().begin.line, error.description()));
  }
  HF_TRY(auto policy, read_policy(file, file_name, files));
  policy.digest = crypto::sha256(base::as_bytes(toml));
  return policy;
}

Result<TrustPolicy> read_trust_policy(const std::filesystem::path& file) {
  HF_TRY(const auto bytes, base::read_file(file, kMaxPolicyBytes));
  const auto folder = file.parent_path();
  return parse_trust_policy(base::as_text(bytes), file.string(),
                            [&folder](const std::filesystem::path& name) {
                              return base::read_file(folder / name, crypto::kMaxPemBytes);
                            });
}

}  // namespace holdfast::trust
