#pragma once

#include <optional>

#include <nlohmann/json.hpp>

#include "alerts/alerts.h"
#include "audit/log.h"
#include "audit/pending_rows.h"

namespace holdfast::server {

// The record of one change to alerts or webhooks, which name the rows while they are made. Without commit()
// the log says that nothing was changed. Used by one thread.
class RowsRecord {
 public:
  // `record` but for its details, an object that gains the rows as its member "about". The log outlives it.
  RowsRecord(audit::Log& log, audit::Record record, nlohmann::json details)
      : log_(&log), record_(std::move(record)), details_(std::move(details)) {}

  // For the verb that makes the change; not beyond this object.
  alerts::RecordRows writer() {
    return [this](const nlohmann::json& rows) { return write(rows); };
  }
  base::Result<> commit(store::Transaction& change);

 private:
  base::Result<audit::Receipt> write(const nlohmann::json& rows);
  audit::Log* log_;
  audit::Record record_;
  nlohmann::json details_;
  std::optional<audit::PendingRows> pending_;  // where there are rows
};

}  // namespace holdfast::server
