#pragma once

#include <string_view>

#include "base/result.h"

namespace holdfast::registry {

// 1 to 64 of a-z, 0-9, "-" and "_", the first a letter or digit: names of datasets, models and endpoints.
// kInvalidArgument names what it is.
base::Result<> check_name(std::string_view what, std::string_view name);

}  // namespace holdfast::registry
