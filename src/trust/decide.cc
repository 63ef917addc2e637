#include "trust/decide.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "crypto/sha256.h"
#include "inspect/signing_bundle.h"
#include "supply/purl.h"
#include "trust/requirements.h"
#include "trust/signers.h"

namespace holdfast::trust {

using base::Error;
using base::ErrorCode;
using base::fail;
using base::Result;

namespace {

constexpr std::size_t kMaxTold = 20;  // entries in a message

// A bundle whose signature some of the policy's signers made.
struct Authentic {
  inspect::Manifest manifest;
  SignedName signed_as;
  std::vector<SignedBy> signers;
};

std::string signer_of(const inspect::SigningBundle& bundle) {
  if (bundle.certificates.empty()) return fmt::format("the key whose hint is {}", bundle.key_hint);
  return fmt::format("the certificate of \"{}\"", bundle.certificates.front().subject());
}

Result<Authentic> authenticate(const TrustPolicy& policy, const inspect::SigningBundle& bundle) {
  Authentic authentic;
  std::vector<std::string> reasons;
  for (const auto& entry : policy.signers) {
    auto signer = signed_by(entry, bundle.envelope, bundle.certificates);
    if (signer) {
      authentic.signers.push_back(*std::move(signer));
      continue;
    }
    if (reasons.size() < kMaxTold) reasons.push_back(signer.error().message);
  }
  if (authentic.signers.empty()) {
    return fail(ErrorCode::kUnauthenticated, fmt::format("no signer of {} signed it, but {}: {}", policy.file,
                                                         signer_of(bundle), fmt::join(reasons, "; ")));
  }
  HF_TRY(authentic.manifest, inspect::parse_manifest(authentic.signers.front().payload));
  authentic.signed_as = signed_name(authentic.manifest);
  return authentic;
}

Result<const SignedBy*> find_signer(const AllowEntry& entry, const Authentic& authentic,
                                    base::Timestamp now) {
  std::optional<Error> expired;
  for (const auto& signer : authentic.signers) {
    if (std::ranges::find(entry.signers, signer.entry->name) == entry.signers.end()) continue;
    const auto current = check_current(*signer.entry, now);
    if (current) return &signer;
    expired = current.error();
  }
  if (expired) return fail(*std::move(expired));
  return fail(ErrorCode::kPermissionDenied,
              fmt::format("it is signed by {}, and {} alone may sign it",
                          authentic.signers.front().entry->name, fmt::join(entry.signers, " or ")));
}

Result<audit::ProvedRecord> find_logged(const AllowEntry& entry, const Claims& claims) {
  if (!claims.proof) {
    return fail(
        ErrorCode::kPermissionDenied,
        "its signature must be in a log; give the proof by --proof (holdfast sign --log-proof, holdfast "
        "signature --proof-out)");
  }
  Result<audit::ProvedRecord> last = fail(ErrorCode::kUnauthenticated, "no log key is named");
  for (const auto& key : entry.log_keys) {
    last = audit::verify_record_proof(*claims.proof, key);
    if (!last) continue;
    HF_CHECK(check_logged(*last, claims.bundle_json));
    return last;
  }
  return fail(Error(last.error()).within("the proof of the log"));
}

// All but the artefact's content, which takes long.
Result<Acceptance> consider(const TrustPolicy& policy, const AllowEntry& entry, const Authentic& authentic,
                            const Claims& claims) {
  if (entry.expires && claims.now >= *entry.expires) {
    return fail(ErrorCode::kPermissionDenied,
                fmt::format("the entry held until {} alone; renew it", entry.expires->text()));
  }
  HF_TRY(const SignedBy* const signer, find_signer(entry, authentic, claims.now));
  if (entry.at_least) HF_CHECK(check_floor(authentic.signed_as, *entry.at_least));
  Acceptance acceptance{.signed_as = authentic.signed_as,
                        .signer = signer->entry->name,
                        .entry = entry.name,
                        .key = signer->key.id(),
                        .certificate = std::nullopt,
                        .root = authentic.manifest.root(),
                        .statements = {},
                        .logged = std::nullopt};
  if (!entry.log_keys.empty()) {
    HF_TRY(acceptance.logged, find_logged(entry, claims));
  }
  for (const auto& wanted : entry.required) {
    HF_TRY(auto used, find_required(policy, wanted, authentic.manifest, claims));
    acceptance.statements.push_back(std::move(used));
  }
  return acceptance;
}

// That the files are what was signed.
inspect::Verification verify_content(const TrustPolicy& policy, const std::string& signer,
                                     const std::filesystem::path& artefact, const Claims& claims) {
  const inspect::VerifyingOptions options{.bundle = claims.bundle, .progress = claims.progress};
  const auto& entry = policy.signer(signer);
  if (entry.by_certificate()) {
    return inspect::verify_artefact(artefact, claims.bundle_json,
                                    inspect::SignerRoots{.certificates = entry.roots, .at = std::nullopt},
                                    options);
  }
  return inspect::verify_artefact(artefact, claims.bundle_json, *entry.key, options);
}

std::string called(const SignedName& signed_as) {
  const auto name = inspect::shown_name(signed_as.name);
  return signed_as.version ? fmt::format("{} {}", name, signed_as.version->text()) : name;
}

Error describe(const TrustPolicy& policy, const SignedName& signed_as, const std::vector<Refused>& entries) {
  if (entries.empty()) {
    return {.code = ErrorCode::kPermissionDenied,
            .message = fmt::format("{} has no [[allow]] for the name {}, which the signature gives it",
                                   policy.file, called(signed_as))};
  }
  std::vector<std::string> lines;
  for (const auto& one : entries) {
    if (lines.size() == kMaxTold) break;
    lines.push_back(fmt::format("{} \"{}\": {}", one.place, one.entry, one.reason));
  }
  return {.code = ErrorCode::kPermissionDenied,
          .message = fmt::format("no entry allows {}: {}", called(signed_as), fmt::join(lines, "; "))};
}

tl::unexpected<TrustRefusal> refuse(Error error) {
  return tl::unexpected(
      TrustRefusal{.error = std::move(error), .signed_as = std::nullopt, .entries = {}, .differences = {}});
}

}  // namespace

SignedName signed_name(const inspect::Manifest& manifest) {
  SignedName name{.name = manifest.artefact, .version = std::nullopt, .uri = manifest.uri};
  const auto purl = supply::parse_purl(manifest.uri);
  if (!purl || purl->version.empty()) return name;
  if (auto version = ArtefactVersion::parse(purl->version)) name.version = *std::move(version);
  return name;
}

Result<> check_floor(const SignedName& signed_as, const ArtefactVersion& floor) {
  if (!signed_as.version) {
    return fail(ErrorCode::kPermissionDenied,
                fmt::format("the signature tells no version that could be compared with {}; sign with --as "
                            "NAME@VERSION",
                            floor.text()));
  }
  if (*signed_as.version >= floor) return {};
  return fail(
      ErrorCode::kPermissionDenied,
      fmt::format("it was signed as version {}, and {} is the least that is accepted: this is an older "
                  "one that somebody put back",
                  signed_as.version->text(), floor.text()));
}

Result<> check_logged(const audit::ProvedRecord& proved, std::string_view bundle_json) {
  const auto& record = proved.record;
  if (record.action != kLogSignature && record.action != kApproveModel) {
    return fail(ErrorCode::kDataCorrupt,
                fmt::format("the record that the proof shows is of {}, and no signature's",
                            inspect::shown_name(record.action)));
  }
  const auto digest = crypto::sha256(base::as_bytes(bundle_json)).prefixed();
  const auto details = base::parse_json(record.details.empty() ? "{}" : record.details);
  const bool same = details && details->is_object() && details->contains(kBundleMember) &&
                    (*details)[kBundleMember] == digest;
  if (same) return {};
  return fail(ErrorCode::kDataCorrupt,
              fmt::format("the log has another signature in record {}: the bundle's digest is {}",
                          proved.index, digest));
}

tl::expected<Acceptance, TrustRefusal> decide(const TrustPolicy& policy,
                                              const std::filesystem::path& artefact, const Claims& claims) {
  auto bundle = inspect::parse_bundle(claims.bundle_json);
  if (!bundle) return refuse(std::move(bundle).error());
  auto authentic = authenticate(policy, *bundle);
  if (!authentic) return refuse(std::move(authentic).error());
  std::vector<Refused> refused;
  for (const auto& entry : policy.allowed) {
    if (!matches_any(entry.artefacts, authentic->signed_as.name)) continue;
    auto acceptance = consider(policy, entry, *authentic, claims);
    if (!acceptance) {
      refused.push_back({entry.name, entry.place, acceptance.error().message});
      continue;
    }
    auto content = verify_content(policy, acceptance->signer, artefact, claims);
    if (!content) {
      return tl::unexpected(TrustRefusal{.error = std::move(content.error().error),
                                         .signed_as = authentic->signed_as,
                                         .entries = std::move(refused),
                                         .differences = std::move(content.error().differences)});
    }
    acceptance->certificate = content->certificate();
    return *std::move(acceptance);
  }
  auto error = describe(policy, authentic->signed_as, refused);
  return tl::unexpected(TrustRefusal{.error = std::move(error),
                                     .signed_as = authentic->signed_as,
                                     .entries = std::move(refused),
                                     .differences = {}});
}

}  // namespace holdfast::trust
