#pragma once

#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "access/decision.h"
#include "audit/log.h"
#include "audit/pending_rows.h"
#include "audit/row_history.h"
#include "base/result.h"
#include "store/database.h"

// Rows that must not change behind the log's back are named, with their digest, in the record that made them
// (audit/row_history.h), and carry its receipt.

namespace holdfast::registry {

// Writes the record of an action that `authorised` allowed, durable on return, before the row is made or
// changed in a transaction that commits with what it gives. `details` gains the members "about", with the
// row, and "decided_in", the index of the decision.
base::Result<audit::PendingRows> record_row(audit::Log& log, const access::Authorised& authorised,
                                            std::string_view what, const audit::RowName& row,
                                            const nlohmann::json& details);

// Every row of this module that carries a record, in any workspace.
base::Result<std::vector<audit::RowClaim>> row_claims(const store::Snapshot& view);

}  // namespace holdfast::registry
