#pragma once

#include <string>
#include <string_view>

namespace holdfast::base {

// A path as a URI (RFC 3986, section 2: all but unreserved characters and "/" is percent-encoded). An
// absolute path is a URI of its own, a relative one a reference (SARIF 2.1.0, section 3.10.1).
std::string uri_of_path(std::string_view path);

}  // namespace holdfast::base
