#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "supply/model_file.h"

// What goes between describer and worker: the request of inspect_wire.h with its verb, and one frame of JSON
// back, a description or why there is none.

namespace holdfast::intake {

std::string encode(const base::Result<supply::ModelDescription>& description);
// Strict, since a hostile file may speak through the worker: kDataCorrupt for what is no description within
// supply's bounds. Else the description, or the error that the worker met, of whose codes kDataCorrupt,
// kUnsupported and kLimitExceeded are believed.
base::Result<supply::ModelDescription> decode_description(base::ByteView frame);

}  // namespace holdfast::intake
