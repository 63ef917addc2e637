#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "access/decision.h"
#include "audit/pending_rows.h"
#include "audit/row_history.h"
#include "audit/tlog_proof.h"
#include "base/strong.h"
#include "base/time.h"
#include "crypto/sign.h"
#include "formats/source.h"
#include "inspect/report.h"
#include "inspect/rule_set.h"
#include "registry/parts.h"
#include "worker/jail.h"

namespace holdfast::registry {

enum class VersionState {
  kQuarantined,  // looked into and kept, but nothing may run it for others
  kApproved,     // its gates passed; it may be released
};
std::string_view to_string(VersionState state);  // "quarantined", "approved"

struct Version {
  base::WorkspaceId workspace;
  std::string model;
  std::int64_t version = 0;
  base::Digest digest;
  std::uint64_t size_bytes = 0;
  std::string format;  // as inspection tells it: "onnx"
  VersionState state = VersionState::kQuarantined;
  std::optional<std::int64_t> run;  // that trained it here
  base::Timestamp created_at;
  std::string created_by;
  std::vector<access::PrincipalId> makers;  // they may not approve or waive it

  // What decisions about it are made on.
  [[nodiscard]] access::Resource resource() const;
  [[nodiscard]] nlohmann::json json() const;
};

struct NewVersion {
  std::string model;
  std::string file_name;  // as its sender calls it; only for messages
  std::optional<std::int64_t> run = std::nullopt;
  // Why a file that is no model is kept all the same, for the record; empty: it is refused. A finding or an
  // unseen part refuses whatever stands here.
  std::string as_is = {};
  // What is done in the transaction that keeps the version; where it fails, the version is not kept.
  std::function<base::Result<>(store::Transaction& change, const Version& version)> also = {};
};

struct AdmissionRules {
  inspect::Severity refuse_from = inspect::Severity::kHigh;
  std::uint64_t inspect_memory_bytes = 512UL << 20;
  std::chrono::seconds inspect_time{300};
  worker::JailStrength weakest_jail = worker::JailStrength::kFull;
  // What to judge by now, asked at each admission; null: the program's own rules, however old. An error
  // admits nothing.
  struct JudgedBy {
    std::shared_ptr<const inspect::RuleSet> set;
    std::string overdue;  // why nothing may pass by it; becomes a finding
  };
  std::function<base::Result<JudgedBy>()> judged_by = {};
};

// A model that was refused, with what was found: nothing of it is kept but the record.
struct Refusal {
  inspect::Report report;
  std::string reason;
};

// Models and their versions. A version's bytes are sealed at rest and named by their digest. Thread-safe.
class Models {
 public:
  Models(const Parts& parts, const AdmissionRules& rules) : parts_(parts), rules_(rules) {}

  // Looks into the file in a jailed worker, and keeps it in quarantine only if there is no finding at or
  // above the severity, nothing was left unseen, and it is a model (model_file.h). `authorised` is for
  // registerModel on the model. kAlreadyExists where a version has these bytes. What is refused is recorded,
  // durably.
  base::Result<std::variant<Version, Refusal>> admit(const access::Authorised& authorised,
                                                     const NewVersion& version,
                                                     const formats::FileSource& file);

  // `authorised` is for approve on the version; called by Gates alone, in its transaction, which commits with
  // what this gives.
  base::Result<audit::PendingRows> approve(store::Transaction& change, const access::Authorised& authorised,
                                           const Version& version, const nlohmann::json& details);

  [[nodiscard]] base::Result<Version> find(const base::WorkspaceId& workspace, std::string_view model,
                                           std::int64_t version) const;
  // Newest first; of all models where `model` is empty.
  [[nodiscard]] base::Result<std::vector<Version>> list(const base::WorkspaceId& workspace,
                                                        std::string_view model, std::size_t limit) const;
  // The OpenSSF Model Signing bundle that approval made, for any tool that reads it; kNotFound before.
  [[nodiscard]] base::Result<std::string> signature(const Version& version) const;
  // That the log holds the record of that approval; the record goes with it.
  [[nodiscard]] base::Result<audit::TlogProof> signature_proof(const Version& version) const;
  // Whose signature it is.
  [[nodiscard]] base::Result<crypto::PublicKey> public_key(const base::WorkspaceId& workspace) const;
  // The bytes of an approved version, in memory alone, once the signature over them has held.
  [[nodiscard]] base::Result<base::Bytes> open_signed(const Version& version) const;
  // The bytes, in memory alone: those that were registered.
  [[nodiscard]] base::Result<base::Bytes> open(const Version& version) const;

 private:
  base::Result<Refusal> refuse(const access::Authorised& authorised, const NewVersion& version,
                               const base::Digest& digest, inspect::Report report, std::string reason);
  Parts parts_;
  AdmissionRules rules_;
};

// The claims of its rows, for row_claims() (row_record.h).
base::Result<> claim_versions(const store::Snapshot& view, std::vector<audit::RowClaim>& claims);

}  // namespace holdfast::registry
