#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// Chat templates are Jinja programs, which a loader renders with its own objects at hand. Reads a template's
// tokens (Jinja's lexer.py), without running any, for what no template needs that only lays out messages.

namespace holdfast::inspect {

struct JinjaConstruct {
  std::uint64_t offset = 0;  // byte in the template
  std::string what;          // continues "the template ...": "reaches for the attribute \"__class__\""
};

// At most this many are named of one template.
inline constexpr std::size_t kMaxJinjaConstructs = 32;

// What could reach Python's objects, other templates or files: attributes and texts with leading underscores,
// the attr filter, internals of frames and functions, names put together at run time, lipsum and its like,
// include and import; and what Jinja could not read. Empty for an honest template. Pure.
std::vector<JinjaConstruct> jinja_constructs(std::string_view text);

}  // namespace holdfast::inspect
