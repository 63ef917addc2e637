#pragma once

#include <vector>

#include "server/installation.h"
#include "server/route.h"

namespace holdfast::server {

// The log of signatures: those made elsewhere, and the approvals' own.
void add_signature_routes(Installation& installation, std::vector<Route>& routes,
                          const ResourceOf& on_version);

}  // namespace holdfast::server
