#include "trust/requirements.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <unordered_set>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "trust/signers.h"

namespace holdfast::trust {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using base::Timestamp;
using nlohmann::json;

// Clocks of two machines agree so far.
constexpr std::chrono::minutes kClockSkew{5};

// How near a statement came to what is required: the reason told is that of the nearest.
enum class Nearness { kNothing, kSigner, kKind, kSubject, kConditions };

struct Miss {
  Nearness nearness;
  std::string reason;
};

std::string text_at(const json& value, const char* pointer) {
  const json::json_pointer at(pointer);
  if (!value.contains(at) || !value.at(at).is_string()) return {};
  return value.at(at).get<std::string>();
}

Result<> refuse(std::string reason) { return fail(ErrorCode::kPermissionDenied, std::move(reason)); }

Result<> check_provenance(const RequiredStatement& wanted, const json& predicate) {
  const auto builder = text_at(predicate, "/runDetails/builder/id");
  if (!wanted.builders.empty() && !matches_any(wanted.builders, builder)) {
    return refuse(fmt::format("it was built by \"{}\", and {} is allowed", builder,
                              fmt::join(wanted.builders, " or ")));
  }
  const auto type = text_at(predicate, "/buildDefinition/buildType");
  if (!wanted.build_types.empty() && !matches_any(wanted.build_types, type)) {
    return refuse(fmt::format("it was built as \"{}\", and {} is allowed", type,
                              fmt::join(wanted.build_types, " or ")));
  }
  return {};
}

Result<> check_age(const RequiredStatement& wanted, const json& predicate, Timestamp now) {
  if (!wanted.max_age_days) return {};
  const auto at = Timestamp::parse(text_at(predicate, "/timeVerified"));
  if (!at) return refuse("it does not tell when it was verified (timeVerified)");
  if (*at - now > kClockSkew)
    return refuse(fmt::format("it was verified at {}, which is still to come", at->text()));
  if (now - *at <= std::chrono::days(static_cast<int>(*wanted.max_age_days))) return {};
  return refuse(fmt::format("it was verified at {}, over {} days ago; verify the artefact again", at->text(),
                            *wanted.max_age_days));
}

Result<> check_verification(const RequiredStatement& wanted, const json& predicate, Timestamp now) {
  const auto result = text_at(predicate, "/verificationResult");
  if (result != "PASSED") return refuse(fmt::format("its result is {}, not PASSED", result));
  const auto verifier = text_at(predicate, "/verifier/id");
  if (!wanted.verifiers.empty() && !matches_any(wanted.verifiers, verifier)) {
    return refuse(fmt::format("it was verified by \"{}\", and {} is allowed", verifier,
                              fmt::join(wanted.verifiers, " or ")));
  }
  const json levels = predicate.value("verifiedLevels", json::array());
  for (const auto& level : wanted.levels) {
    if (!levels.is_array() || std::find(levels.begin(), levels.end(), level) == levels.end()) {
      return refuse(fmt::format("it was not verified at the level {}", level));
    }
  }
  const auto policy = text_at(predicate, "/policy/digest/sha256");
  const bool known = std::ranges::any_of(wanted.policies,
                                         [&](const base::Digest& digest) { return digest.hex() == policy; });
  if (!wanted.policies.empty() && !known) {
    return refuse(
        fmt::format("it was verified by the policy sha256:{}, which is not among those required", policy));
  }
  return check_age(wanted, predicate, now);
}

Result<> check_conditions(const RequiredStatement& wanted, const AttestedStatement& statement,
                          Timestamp now) {
  HF_TRY(const json predicate, base::parse_json(statement.predicate_json));
  if (statement.predicate_type == kProvenance) return check_provenance(wanted, predicate);
  if (statement.predicate_type == kVerificationSummary) return check_verification(wanted, predicate, now);
  if (statement.predicate_type == kTestResult) {
    const auto result = text_at(predicate, "/result");
    if (result != "PASSED" && result != "WARNED") return refuse(fmt::format("its result is {}", result));
  }
  return {};
}

// About the artefact as a whole, by its root digest, or about each of its files: of a file that is signed as
// it is, the root digest is of its digest, and the file's own is what others know it by.
bool is_about(const AttestedStatement& statement, const inspect::Manifest& manifest) {
  std::unordered_set<base::Digest> subjects;
  for (const auto& subject : statement.subjects) subjects.insert(subject.digest);
  if (subjects.contains(manifest.root())) return true;
  if (manifest.shard_size > 0 || manifest.hash != inspect::ManifestHash::kSha256) return false;
  return std::ranges::all_of(manifest.resources, [&](const inspect::ManifestResource& resource) {
    const auto digest = base::Digest::from_bytes(resource.digest);
    return digest && subjects.contains(*digest);
  });
}

Result<SignedBy> find_signer(const TrustPolicy& policy, const RequiredStatement& wanted,
                             const SealedStatement& sealed, Timestamp now) {
  Result<SignedBy> last = fail(ErrorCode::kUnauthenticated, "nobody signed it");
  for (const auto& name : wanted.signers) {
    const auto& entry = policy.signer(name);
    last = signed_by(entry, sealed.envelope, sealed.certificates);
    if (!last) continue;
    if (auto current = check_current(entry, now); !current) {
      last = fail(std::move(current).error());
      continue;
    }
    return last;
  }
  return last;
}

tl::expected<UsedStatement, Miss> consider(const TrustPolicy& policy, const RequiredStatement& wanted,
                                           const SealedStatement& sealed, const inspect::Manifest& manifest,
                                           Timestamp now) {
  const auto miss = [&](Nearness nearness, std::string_view reason) {
    return tl::unexpected(Miss{nearness, fmt::format("{}: {}", sealed.origin, reason)});
  };
  const auto signer = find_signer(policy, wanted, sealed, now);
  if (!signer) return miss(Nearness::kSigner, signer.error().message);
  const auto statement = parse_statement(signer->payload);
  if (!statement) return miss(Nearness::kSigner, statement.error().message);
  if (statement->predicate_type != wanted.predicate_type) {
    return miss(Nearness::kKind, fmt::format("it is a {}", statement->predicate_type));
  }
  if (!is_about(*statement, manifest)) {
    return miss(Nearness::kSubject, "it is about another artefact, or not about all of its files");
  }
  if (const auto holds = check_conditions(wanted, *statement, now); !holds) {
    return miss(Nearness::kConditions, holds.error().message);
  }
  return UsedStatement{.kind = wanted.kind, .origin = sealed.origin, .signer = signer->entry->name};
}

}  // namespace

Result<UsedStatement> find_required(const TrustPolicy& policy, const RequiredStatement& wanted,
                                    const inspect::Manifest& manifest, const Claims& claims) {
  Miss nearest{Nearness::kNothing, "no statement was given; give the files by --evidence"};
  for (const auto& sealed : claims.statements) {
    auto used = consider(policy, wanted, sealed, manifest, claims.now);
    if (used) return *std::move(used);
    if (used.error().nearness > nearest.nearness) nearest = std::move(used).error();
  }
  return fail(ErrorCode::kPermissionDenied,
              fmt::format("it needs a statement of the kind \"{}\" signed by {} ({}): {}", wanted.kind,
                          fmt::join(wanted.signers, " or "), wanted.place, nearest.reason));
}

}  // namespace holdfast::trust
