#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace holdfast::supply {

// One statement of an OpenVEX document (github.com/openvex/spec, 0.2.0) that says of an advisory that it does
// not concern a product: status "not_affected", or "fixed".
struct VexStatement {
  std::string advisory;               // id or alias
  std::vector<std::string> products;  // package URLs; one without a version means every version
  std::string status;
  std::string justification;  // "component_not_present", ... or the impact statement; never empty
  base::Timestamp said_at;    // of the statement, else of the document
};

inline constexpr std::size_t kMaxVexBytes = 16UL << 20;

// The statements that set something aside; others are left out. kDataCorrupt where it is no OpenVEX, where
// "not_affected" lacks the reason that the specification asks for, or where no time is told.
base::Result<std::vector<VexStatement>> read_openvex(std::string_view text);

}  // namespace holdfast::supply
