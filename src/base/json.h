#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"

// JSON from outside, and JSON for hashing. Include <nlohmann/json.hpp> in the .cc that reads or builds
// values.

namespace holdfast::base {

struct JsonLimits {
  std::size_t max_bytes = 64UL << 20;
  int max_depth = 64;
};

// RFC 8259 text, with three refusals that the RFC leaves open: a member name that stands twice in one object,
// nesting beyond max_depth, and a number that is not finite as a double. Recursion is bounded by max_depth.
Result<nlohmann::json> parse_json(std::string_view text, const JsonLimits& limits = {});

// RFC 8785 for values whose numbers are integers: members in order of their names (as UTF-16), no white
// space. kUnsupported for a floating-point number, since we hash none; kInvalidArgument for text that is not
// UTF-8.
Result<std::string> canonical_json(const nlohmann::json& value);

}  // namespace holdfast::base
