#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "policy/entity.h"
#include "policy/evaluator.h"
#include "policy/policy.h"
#include "policy/schema.h"

// Validation against a schema, as Cedar's strict mode does it (docs.cedarpolicy.com, "Validation").

namespace holdfast::policy {

struct ValidationIssue {
  std::string policy;  // its id
  std::string message;
};

// A policy without errors never fails to evaluate for a request and entities that validate, but for an
// overflow and for an entity that is not there. A warning is a policy that can never be satisfied.
struct ValidationReport {
  std::vector<ValidationIssue> errors;
  std::vector<ValidationIssue> warnings;
};

// Policies and templates.
ValidationReport validate_policies(const PolicySet& policies, const Schema& schema);

// Every entity is of a known type with the attributes, tags and ancestors that it may have; every action of
// the schema is there with its ancestors. kInvalidArgument names the entity and the attribute.
base::Result<> validate_entities(const Entities& entities, const Schema& schema);

// The action is known and applies to such a principal and resource, and the context is as it declares.
base::Result<> validate_request(const Request& request, const Schema& schema);

}  // namespace holdfast::policy
