#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/route.h"

namespace holdfast::server {

// The OpenAPI 3.1 document of the routes: a JSON text. Schemas are parsed, asserted.
std::string openapi(const std::vector<Route>& routes, std::string_view version);

}  // namespace holdfast::server
