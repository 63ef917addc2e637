#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

// Configuration: one TOML file, every key with a default, any key overridden by the environment. Which keys
// there are is a table that the program passes in; a key in the file that is not in the table is an error, so
// that a misspelt one can't pass for its default.

namespace holdfast::base {

using ConfigValue = std::variant<bool, std::int64_t, std::string, std::vector<std::string>>;

struct ConfigKey {
  std::string_view name;  // "section.key", lower case with underscores
  ConfigValue default_value;
  std::string_view help;             // one line, with the unit
  std::int64_t minimum = INT64_MIN;  // for integers
  std::int64_t maximum = INT64_MAX;

  // "server.listen" -> "HOLDFAST_SERVER_LISTEN"
  [[nodiscard]] std::string environment_name() const;
};

class Config {
 public:
  using Environment = std::function<std::optional<std::string>(const std::string& name)>;

  // What is in force after `toml` (empty: no file) and then the environment. `file_name` is for messages and
  // origins. In the environment a list is written with commas and a boolean as true or false.
  // kInvalidArgument names the key, the line and what it takes.
  static Result<Config> load(std::span<const ConfigKey> keys, std::string_view toml,
                             std::string_view file_name, const Environment& environment);

  // Refuses the variable that can only be a misspelt one of ours: one that begins as those of a section do
  // ("HOLDFAST_SERVER_") and is no key's, or differs in at most kMisspelt letters from a known one.
  // `others` are the program's variables that are no settings. Any other name is left alone: Kubernetes sets
  // HOLDFAST_PORT and more of the kind beside a service called holdfast. kInvalidArgument names it.
  static Result<> check_variables(std::span<const ConfigKey> keys, std::span<const std::string_view> others,
                                  std::span<const std::string> names);
  static constexpr std::size_t kMisspelt = 2;

  // The name must be in the table, with this type.
  [[nodiscard]] bool boolean(std::string_view name) const { return get<bool>(name); }
  [[nodiscard]] std::int64_t integer(std::string_view name) const { return get<std::int64_t>(name); }
  [[nodiscard]] const std::string& text(std::string_view name) const { return get<std::string>(name); }
  [[nodiscard]] const std::vector<std::string>& list(std::string_view name) const {
    return get<std::vector<std::string>>(name);
  }

  struct Setting {
    ConfigValue value;
    std::string origin;  // "default", "holdfast.toml:12" or "HOLDFAST_SERVER_LISTEN"
    std::string_view help;
  };
  // Everything in force, by name.
  [[nodiscard]] const std::map<std::string, Setting, std::less<>>& settings() const { return settings_; }

 private:
  template <typename T>
  [[nodiscard]] const T& get(std::string_view name) const;
  std::map<std::string, Setting, std::less<>> settings_;
};

// A value as it would stand in the file: true, 12, "text", ["a", "b"].
std::string to_toml(const ConfigValue& value);

}  // namespace holdfast::base
