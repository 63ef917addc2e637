#include "access/log_recorder.h"

namespace holdfast::access {

base::Result<Receipt> LogRecorder::record(const Entry& entry) { return log_->append(entry); }

base::Result<Receipt> LogRecorder::note(const Entry& entry) { return log_->note(entry); }

}  // namespace holdfast::access
