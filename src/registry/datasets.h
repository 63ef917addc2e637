#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/decision.h"
#include "audit/row_history.h"
#include "base/strong.h"
#include "base/time.h"
#include "data/profile.h"
#include "data/survey.h"
#include "formats/source.h"
#include "registry/parts.h"

namespace holdfast::registry {

struct NewDataset {
  std::string name;
  std::string purpose;  // what it may be used for: "credit scoring"
  base::Timestamp keep_until;
};

struct Dataset {
  base::WorkspaceId workspace;
  std::string name;
  std::int64_t version = 0;
  base::Digest digest;
  std::uint64_t size_bytes = 0;
  std::uint64_t rows = 0;
  data::Schema schema;
  std::array<data::PartSurvey, 3> parts;  // by data::Part
  std::string purpose;
  base::Timestamp keep_until;
  base::Timestamp created_at;
  std::string created_by;

  [[nodiscard]] data::Split split() const;
  [[nodiscard]] const data::PartSurvey& part(data::Part part) const {
    return parts[static_cast<std::size_t>(part)];
  }
  // For a person and the API: columns with their types and what is sensitive about them, no values.
  [[nodiscard]] nlohmann::json json() const;
};

// Datasets: sealed at rest, with schema, profile and parts fixed by their digest. Thread-safe.
class Datasets {
 public:
  explicit Datasets(const Parts& parts) : parts_(parts) {}

  // `authorised` is for registerDataset on the workspace. kAlreadyExists where the newest version has the
  // same bytes; the errors of intake::survey_dataset(), which reads it in a jail.
  base::Result<Dataset> add(const access::Authorised& authorised, const NewDataset& dataset,
                            const formats::FileSource& csv);

  // The newest version where none is named. kNotFound.
  [[nodiscard]] base::Result<Dataset> find(const base::WorkspaceId& workspace, std::string_view name,
                                           std::optional<std::int64_t> version = std::nullopt) const;
  // The newest version of each, by name, from the one after `after` on.
  [[nodiscard]] base::Result<std::vector<Dataset>> list(const base::WorkspaceId& workspace,
                                                        std::string_view after, std::size_t limit) const;
  // Of the training part: what drift is measured against.
  [[nodiscard]] base::Result<data::Profile> train_profile(const Dataset& dataset) const;
  // The bytes, in memory alone. kDataCorrupt where they are not those that were registered.
  [[nodiscard]] base::Result<base::Bytes> open(const Dataset& dataset) const;

 private:
  Parts parts_;
};

// The claims of its rows, for row_claims() (row_record.h).
base::Result<> claim_datasets(const store::Snapshot& view, std::vector<audit::RowClaim>& claims);

}  // namespace holdfast::registry
