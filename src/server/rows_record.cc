#include "server/rows_record.h"

#include "base/json.h"

namespace holdfast::server {

using base::Result;

Result<audit::Receipt> RowsRecord::write(const nlohmann::json& rows) {
  if (!rows.empty()) details_["about"]["rows"] = rows;
  HF_TRY(record_.details, base::canonical_json(details_));
  HF_TRY(const auto receipt, log_->append(record_));
  if (!rows.empty()) {
    pending_.emplace([log = log_](const audit::Record& settled) { return log->note(settled); },
                     record_.workspace, receipt);
  }
  return receipt;
}

Result<> RowsRecord::commit(store::Transaction& change) {
  return pending_ ? pending_->commit(change) : change.commit();
}

}  // namespace holdfast::server
