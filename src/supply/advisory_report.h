#pragma once

#include <string>
#include <string_view>

#include "supply/advisory_match.h"

// What matching gave, for people, for programs, and as SARIF 2.1.0.

namespace holdfast::supply {

// Whether a match makes the check fail: it stands, it is at least as bad as `fail_on` (one of unknown
// severity or known to be exploited always is), and its deadline, if it has one, is over.
bool fails(const Match& match, Severity fail_on, base::Timestamp now);

std::string to_text(const MatchResult& result);
std::string to_json(const MatchResult& result);
std::string to_sarif(const MatchResult& result, std::string_view tool_version);

}  // namespace holdfast::supply
