#pragma once

#include <string>
#include <string_view>

#include "inspect/finding.h"
#include "inspect/gaps.h"

// Programs of torch.export (torch/_export/serde/schema.py): a graph as JSON, whose nodes name what they call
// and whose sizes are expressions that the loader runs as Python.

namespace holdfast::inspect {

// Judges every operation, expression, guard and described input by what torch.export writes; what is more is
// found. Gives what could not be looked at. Pure.
Gaps inspect_exported_program(std::string_view json, const std::string& path, Findings& findings);

}  // namespace holdfast::inspect
