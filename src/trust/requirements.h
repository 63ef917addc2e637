#pragma once

#include <span>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "inspect/signing_manifest.h"
#include "trust/decide.h"
#include "trust/policy.h"
#include "trust/statement.h"

namespace holdfast::trust {

// The first statement that is what the entry requires, about what the manifest lists. kPermissionDenied with
// what came nearest to it, and what would help.
base::Result<UsedStatement> find_required(const TrustPolicy& policy, const RequiredStatement& wanted,
                                          const inspect::Manifest& manifest, const Claims& claims);

}  // namespace holdfast::trust
