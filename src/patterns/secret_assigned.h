#pragma once

#include <optional>
#include <string>
#include <string_view>

// Values that are assigned to a name, in the ways of source code and configuration:
//   db_password = "..."   "password": "..."   password: str = '...'   os.environ["X_TOKEN"] = "..."
//   X_TOKEN=...

namespace holdfast::patterns {

struct AssignedValue {
  std::string_view name;  // whole, as far as it is in the window
  std::size_t begin = 0;  // in the window
  std::size_t end = 0;
  bool quoted = false;
  // Without quotation marks, as configuration writes it on a line of its own: NAME=value, name: value.
  bool in_configuration = false;
};

// The value that is assigned to the name which the keyword at [at, at + size) is part of. Without quotation
// marks it ends where the line or the word does.
std::optional<AssignedValue> assigned_value(std::string_view window, std::size_t at, std::size_t size);

// Whether a person would take the value for a credential rather than for a name, a path, a reference to one
// or an example: by its characters, their entropy and the name.
bool is_likely_password(const AssignedValue& value, std::string_view window);

// What is written where a password belongs and protects nothing.
bool is_common_word(std::string_view text);

}  // namespace holdfast::patterns
