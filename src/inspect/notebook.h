#pragma once

#include <span>
#include <string>
#include <string_view>

#include "inspect/finding.h"
#include "inspect/gaps.h"

// Jupyter notebooks (nbformat 3 and 4): what their cells run, and what opening them shows or runs.

namespace holdfast::inspect {

bool is_notebook(std::string_view json);

// The text of a notebook. Gives what could not be looked at.
Gaps inspect_notebook(std::string_view json, const std::string& path, Findings& findings);

std::span<const Rule> notebook_rules();

}  // namespace holdfast::inspect
