#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "inspect/rule_lists.h"

// The lists of a rule set on their way to the worker: one frame, before the first file. Not JSON, so that
// hundreds of kilobytes of text are copied and not parsed.

namespace holdfast::intake {

base::Bytes encode(const inspect::RuleLists& lists);
bool is_rule_frame(base::ByteView frame);
// kDataCorrupt for what encode() never wrote.
base::Result<inspect::RuleLists> decode_rules(base::ByteView frame);

}  // namespace holdfast::intake
