#pragma once

#include "access/recorder.h"
#include "audit/log.h"

namespace holdfast::access {

// Writes into the tamper-evident log, which outlives it.
class LogRecorder final : public Recorder {
 public:
  explicit LogRecorder(audit::Log& log) : log_(&log) {}
  base::Result<Receipt> record(const Entry& entry) override;
  base::Result<Receipt> note(const Entry& entry) override;

 private:
  audit::Log* log_;
};

}  // namespace holdfast::access
