#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "access/decision.h"
#include "audit/log.h"
#include "base/digest.h"
#include "base/result.h"

// Rows that must not change behind the log's back carry the receipt of the record that made them, whose
// details hold the digest of what the row says.

namespace holdfast::registry {

// SHA-256 of the row's members as canonical JSON, with the table's name.
base::Result<base::Digest> row_digest(std::string_view table, const nlohmann::json& row);

// Writes the record of an action that `authorised` allowed, durable on return, before the change is made.
// `details` gains the members "row", the row's digest, and "decided_in", the index of the decision.
base::Result<audit::Receipt> record_row(audit::Log& log, const access::Authorised& authorised,
                                        std::string_view what, const base::Digest& row,
                                        const nlohmann::json& details);

// A row as it is now, for the check at start and of `audit verify`.
struct RowClaim {
  std::string table;
  std::string key;  // for a person: "credit 3"
  audit::Receipt receipt;
  base::Digest row;
};

// The first claim that the log does not bear out: kDataCorrupt, naming table and key.
base::Result<> check_claims(const audit::Log& log, const std::vector<RowClaim>& claims);

}  // namespace holdfast::registry
