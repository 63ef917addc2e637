#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

// What stands behind a key of YAML, wherever YAML lets it stand. Not a parser of YAML: it looks for known
// keys and would rather say that it can't follow one than miss it. Pure; thread-safe.

namespace holdfast::inspect {

struct YamlValue {
  std::size_t line = 0;
  std::string text;      // as far as it is a name; else what stands there
  bool followed = true;  // false for an alias, an interpolation, or a key that an alias may stand for
};

inline constexpr std::size_t kMaxYamlValues = 1000;

// With the escapes of double-quoted text and of tags resolved, as far as they give ASCII.
std::string resolve_yaml_escapes(std::string_view yaml);

// The values of each key `key` in text that resolve_yaml_escapes gave; at most kMaxYamlValues.
std::vector<YamlValue> yaml_values_of(std::string_view yaml, std::string_view key);

// Whether a directive gives Python's tags (tag:yaml.org,2002:python/) a handle of another name.
bool renames_python_tags(std::string_view line);

}  // namespace holdfast::inspect
