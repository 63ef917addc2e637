#pragma once

#include <string>
#include <vector>

namespace holdfast::inspect {

// Why a part of a file was not looked at, a sentence each; empty when all was. Whoever asks adds the path.
using Gaps = std::vector<std::string>;

}  // namespace holdfast::inspect
