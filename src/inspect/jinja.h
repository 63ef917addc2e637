#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "inspect/finding.h"

// Chat templates are Jinja programs, which a loader renders with its own objects at hand. Reads a template's
// tokens (Jinja's lexer.py), without running any, for what no template needs that only lays out messages.

namespace holdfast::inspect {

struct JinjaConstruct {
  Severity severity = Severity::kHigh;
  std::uint64_t offset = 0;  // byte in the template
  std::size_t line = 1;      // in the template, from 1
  std::string what;          // a sentence about the template: "it reads the private attribute \"_x\""
};

// At most this many are named of one template.
inline constexpr std::size_t kMaxJinjaConstructs = 100;

// What could reach Python's objects, other templates or files: private attributes, names put together at run
// time, internals of frames and functions, gateways such as lipsum, include and import; in the order of the
// text. Empty for an honest template. Pure.
std::vector<JinjaConstruct> jinja_constructs(std::string_view text);

}  // namespace holdfast::inspect
