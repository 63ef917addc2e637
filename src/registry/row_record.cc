#include "registry/row_record.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "registry/datasets.h"
#include "registry/gates.h"
#include "registry/models.h"
#include "registry/requirements.h"
#include "registry/test_looks.h"

namespace holdfast::registry {

using base::Result;
using nlohmann::json;

Result<audit::PendingRows> record_row(audit::Log& log, const access::Authorised& authorised,
                                      std::string_view what, const audit::RowName& row, const json& details) {
  json full = details;
  full["about"]["rows"] = audit::named_rows({row});
  if (authorised.receipt()) full["decided_in"] = authorised.receipt()->index;
  HF_TRY(std::string text, base::canonical_json(full));
  const auto& workspace = authorised.caller().workspace();
  HF_TRY(const auto receipt, log.append({.workspace = workspace,
                                         .actor = authorised.caller().text(),
                                         .action = std::string(what),
                                         .resource = authorised.resource().text(),
                                         .decision = "done",
                                         .details = std::move(text)}));
  return audit::PendingRows([&log](const audit::Record& settled) { return log.note(settled); }, workspace,
                            receipt);
}

Result<std::vector<audit::RowClaim>> row_claims(const store::Snapshot& view) {
  std::vector<audit::RowClaim> claims;
  HF_CHECK(claim_datasets(view, claims));
  HF_CHECK(claim_versions(view, claims));
  HF_CHECK(claim_requirements(view, claims));
  HF_CHECK(claim_test_looks(view, claims));
  HF_CHECK(claim_waivers(view, claims));
  return claims;
}

}  // namespace holdfast::registry
