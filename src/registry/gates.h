#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/decision.h"
#include "base/time.h"
#include "evaluate/gate.h"
#include "registry/evidence.h"
#include "registry/models.h"
#include "registry/parts.h"
#include "registry/requirements.h"

namespace holdfast::registry {

// What one requirement is forgiven one artefact, by whom, why, and until when.
struct Waiver {
  std::int64_t id = 0;
  base::Digest artefact;
  std::string requirement;
  std::string reason;
  std::string granted_by;
  base::Timestamp granted_at;
  base::Timestamp expires_at;

  [[nodiscard]] bool in_force(base::Timestamp now) const { return expires_at > now; }
};

struct GateDecision {
  bool passed = false;
  evaluate::GateReport report;           // as the figures have it, whatever is waived
  std::vector<Waiver> waivers;           // those without which it had not passed
  std::optional<base::Digest> evidence;  // of the evaluation; none where the model was not evaluated
  std::uint64_t looks = 0;               // at the test part so far
  std::int64_t requirements_version = 0;

  [[nodiscard]] nlohmann::json json() const;
};

// Decides over evidence whether a version may be approved, and approves it. Thread-safe.
class Gates {
 public:
  Gates(const Parts& parts, Models& models) : parts_(parts), models_(&models) {}

  // What the gates say of the version now; changes nothing. `principal` is whose approval it would be.
  [[nodiscard]] base::Result<GateDecision> decide(const access::Caller& principal,
                                                  const Version& version) const;

  // Decides; where the gates pass, approves and signs the version, and adds the decision to its evidence.
  // `authorised` is for approve on the version. Where they do not, the refusal is recorded and the decision
  // says why.
  base::Result<GateDecision> approve(const access::Authorised& authorised, const Version& version);

  // `authorised` is for waive on the version: never by one of its makers. At most kMaxWaiver long;
  // kInvalidArgument for a requirement that the gate does not have, no reason, or a time that is over;
  // kConflict for one that was not measured: what is missing can't be forgiven.
  base::Result<Waiver> waive(const access::Authorised& authorised, const Version& version,
                             std::string_view requirement, std::string_view reason,
                             base::Timestamp expires_at);
  static constexpr std::chrono::hours kMaxWaiver{24 * 90};

  // Of each requirement the one that lasts longest, whether it is in force or over.
  [[nodiscard]] base::Result<std::vector<Waiver>> waivers(const base::WorkspaceId& workspace,
                                                          const base::Digest& artefact) const;

  // Whether an approved version may still be released, as far as it was approved by waivers:
  // kPermissionDenied, with the requirement, where one is over and what it forgave still refuses.
  [[nodiscard]] base::Result<> check_waivers(const access::Caller& principal, const Version& version) const;

 private:
  Parts parts_;
  Models* models_;
};

// The claims of the waivers' rows, for row_claims() (row_record.h).
base::Result<> claim_waivers(const store::Snapshot& view, std::vector<audit::RowClaim>& claims);

}  // namespace holdfast::registry
