#include "access/log_recorder.h"

namespace holdfast::access {
namespace {

audit::Record record_of(const Entry& entry) {
  return {.workspace = entry.workspace,
          .actor = entry.actor,
          .action = entry.action,
          .resource = entry.resource,
          .decision = entry.decision,
          .details = entry.details};
}

base::Result<Receipt> receipt_of(const base::Result<audit::Receipt>& written) {
  if (!written) return base::fail(written.error());
  return Receipt{.index = written->index, .leaf = written->leaf};
}

}  // namespace

base::Result<Receipt> LogRecorder::record(const Entry& entry) {
  return receipt_of(log_->append(record_of(entry)));
}

base::Result<Receipt> LogRecorder::note(const Entry& entry) {
  return receipt_of(log_->note(record_of(entry)));
}

}  // namespace holdfast::access
