#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/decision.h"
#include "assess/task.h"
#include "audit/row_history.h"
#include "base/strong.h"
#include "base/time.h"
#include "policy/policy.h"
#include "registry/datasets.h"
#include "registry/parts.h"

namespace holdfast::registry {

// What a model must show before it is approved: the dataset it is measured on, the task, and the gate.
// Written before the first look at the test part; a later version says how many looks came before it.
struct Requirements {
  base::WorkspaceId workspace;
  std::string model;
  std::int64_t version = 0;
  std::string dataset;
  std::int64_t dataset_version = 0;
  std::string task_toml;
  std::string policies_cedar;
  std::uint64_t looks_before = 0;
  base::Timestamp written_at;
  std::string written_by;

  [[nodiscard]] nlohmann::json json() const;
};

struct NewRequirements {
  std::string model;
  std::string dataset;
  std::string task_toml;
  std::string policies_cedar;
};

// Thread-safe.
class RequirementsRoom {
 public:
  explicit RequirementsRoom(const Parts& parts) : parts_(parts) {}

  // `authorised` is for writePolicy on the model. kInvalidArgument, with file and line, where task or
  // policies can't be used, or the dataset lacks a column that the task speaks of.
  base::Result<Requirements> write(const access::Authorised& authorised, const NewRequirements& wanted);
  // The newest. kNotFound, with the command that writes them.
  [[nodiscard]] base::Result<Requirements> find(const base::WorkspaceId& workspace,
                                                std::string_view model) const;

 private:
  Parts parts_;
};

// The policies of a gate. kInvalidArgument, with the line, where they do not parse, and where there is no
// permit or a forbid lacks its @id.
base::Result<policy::PolicySet> parse_gate(std::string_view cedar);

// The claims of its rows, for row_claims() (row_record.h).
base::Result<> claim_requirements(const store::Snapshot& view, std::vector<audit::RowClaim>& claims);

}  // namespace holdfast::registry
