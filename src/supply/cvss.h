#pragma once

#include <string_view>

#include "base/result.h"

namespace holdfast::supply {

// How bad an advisory is: CVSS's qualitative scale (v3.1 section 5, v4.0 section 6).
enum class Severity { kUnknown, kNone, kLow, kMedium, kHigh, kCritical };

std::string_view to_string(Severity severity);  // "unknown" .. "critical"
// "LOW", "moderate" (GitHub's word for medium) and so on, in any case; kUnknown for anything else.
Severity severity_of_word(std::string_view word);

// The base score in tenths, 0 to 100, of a vector of CVSS 3.0, 3.1 or 4.0, computed from its base metrics
// alone: threat and environment are the reader's to know. first.org/cvss/v3-1/specification-document section
// 7.1 and appendix A; first.org/cvss/v4-0/specification-document section 8. kInvalidArgument for a vector
// that is not whole, kUnsupported for another version.
base::Result<int> cvss_base_tenths(std::string_view vector);

Severity severity_of_tenths(int tenths);

}  // namespace holdfast::supply
