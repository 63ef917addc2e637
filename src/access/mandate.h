#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "access/decision.h"
#include "base/time.h"

namespace holdfast::access {

// What somebody was allowed to ask for, kept for work that is done later, perhaps by a server that was
// started again since. It is no right: whoever does the work makes a caller of it (Snapshot::caller_by) and
// has the action decided again, at the moment of acting. It outlives the token that it was asked for with,
// which is short-lived on purpose; what ends it is its expiry, and that its principal is disabled or may not
// any more. Whoever could write one could act as anybody, so it is kept sealed.
struct Mandate {
  base::WorkspaceId workspace;
  PrincipalId principal;
  std::string audience;  // of the token; empty: the local operator
  Action action = Action::kTrainModel;
  Resource resource;
  base::Timestamp expires;

  static Mandate of(const Authorised& authorised, base::Timestamp expires);
  // kDataCorrupt for anything that json() does not give.
  static base::Result<Mandate> parse(const nlohmann::json& value);
  [[nodiscard]] nlohmann::json json() const;
};

}  // namespace holdfast::access
