#pragma once

#include <string_view>

#include "base/result.h"
#include "policy/policy.h"

// Cedar policy text (docs.cedarpolicy.com, "Grammar"). Recursion is bounded by kMaxNesting, size by
// Lexer::kMaxBytes.

namespace holdfast::policy {

inline constexpr int kMaxNesting = 200;  // of parentheses, brackets, braces, arguments and if

enum class PolicyIds {
  kPosition,    // "policy0", "policy1", ... in the order of the text, as Cedar's own tools number them
  kAnnotation,  // the text of @id; the position where there is none
};

// Every policy and template in the text. kInvalidArgument says where and what was expected: "3:14: expected
// ...".
base::Result<PolicySet> parse_policies(std::string_view text, PolicyIds ids = PolicyIds::kPosition);

// A policy set in Cedar's JSON form ("JSON policy format"): {"staticPolicies", "templates", "templateLinks"},
// each policy under its id.
base::Result<PolicySet> parse_policies_json(std::string_view text);

}  // namespace holdfast::policy
