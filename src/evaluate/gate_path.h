#pragma once

#include <string>
#include <vector>

#include "evaluate/figure.h"

namespace holdfast::evaluate {

// Where the evidence has a figure (gate.h): at most nine names.
std::vector<std::string> path_in_evidence(const Figure& figure);

}  // namespace holdfast::evaluate
