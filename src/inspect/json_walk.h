#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

// Reads JSON from front to back without keeping it, for files of any shape whose strings matter.

namespace holdfast::inspect {

struct JsonStep {
  std::string key;        // empty in an array
  std::size_t index = 0;  // in an array
};

// From the outermost value to the one at hand.
using JsonPath = std::vector<JsonStep>;

// Called in the order of the text. A member that stands twice in an object is told twice.
class JsonVisitor {
 public:
  virtual ~JsonVisitor() = default;
  virtual void text(const JsonPath& path, std::string_view value) = 0;
  virtual void flag(const JsonPath& path, bool value) = 0;
  virtual void object_ends(const JsonPath& path) = 0;
};

inline constexpr std::size_t kMaxJsonDepth = 100;

// kDataCorrupt for what is no JSON, kLimitExceeded beyond kMaxJsonDepth; what stood before was visited.
base::Result<> walk_json(std::string_view text, JsonVisitor& visitor);

}  // namespace holdfast::inspect
