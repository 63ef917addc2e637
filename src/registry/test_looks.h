#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "access/decision.h"
#include "audit/row_history.h"
#include "base/digest.h"
#include "base/result.h"
#include "base/strong.h"
#include "base/time.h"
#include "registry/parts.h"
#include "store/database.h"

// The ledger of looks at the test parts of datasets. A test part that was looked at often, with the model or
// its thresholds changed in between, no longer tells how a model does on what nobody has seen.

namespace holdfast::registry {

struct TestLook {
  base::WorkspaceId workspace;
  base::Digest dataset;     // of the file, so that another name for it doesn't begin anew
  std::int64_t number = 0;  // from 1
  base::Digest artefact;    // that was measured
  base::Timestamp looked_at;
  std::string looked_by;
};

// Thread-safe.
class TestLooks {
 public:
  explicit TestLooks(const Parts& parts) : parts_(parts) {}

  // Counts a look, durably and in the log, before it happens; gives its number. `authorised` is for what
  // looks: an evaluation of the artefact.
  base::Result<std::uint64_t> count(const access::Authorised& authorised, const base::Digest& dataset,
                                    const base::Digest& artefact);
  [[nodiscard]] base::Result<std::uint64_t> until_now(const base::WorkspaceId& workspace,
                                                      const base::Digest& dataset) const;

 private:
  Parts parts_;
};

// How often the test part of a dataset was looked at, as `view` has it.
base::Result<std::uint64_t> count_test_looks(const store::Snapshot& view, const base::WorkspaceId& workspace,
                                             const base::Digest& dataset);

// The claims of its rows, for row_claims() (row_record.h).
base::Result<> claim_test_looks(const store::Snapshot& view, std::vector<audit::RowClaim>& claims);

}  // namespace holdfast::registry
