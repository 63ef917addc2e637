#include "base/config.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <charconv>

#include <nlohmann/json.hpp>

#include "base/assert.h"

namespace holdfast::base {
namespace {

std::string_view type_name(const ConfigValue& value) {
  constexpr std::string_view kNames[] = {"true or false", "a whole number", "a text", "a list of texts"};
  return kNames[value.index()];
}

Result<ConfigValue> in_range(const ConfigKey& key, ConfigValue value, std::string_view origin) {
  const auto* number = std::get_if<std::int64_t>(&value);
  if (number != nullptr && (*number < key.minimum || *number > key.maximum)) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("{}: {} is {}; it takes {} to {}", origin, key.name,
                                                         *number, key.minimum, key.maximum));
  }
  return value;
}

tl::unexpected<Error> wrong_type(const ConfigKey& key, std::string_view origin) {
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("{}: {} takes {}", origin, key.name, type_name(key.default_value)));
}

Result<ConfigValue> from_toml(const ConfigKey& key, const toml::node& node, std::string_view origin) {
  if (std::holds_alternative<bool>(key.default_value)) {
    if (const auto value = node.value_exact<bool>()) return *value;
  } else if (std::holds_alternative<std::int64_t>(key.default_value)) {
    if (const auto value = node.value_exact<std::int64_t>()) return in_range(key, *value, origin);
  } else if (std::holds_alternative<std::string>(key.default_value)) {
    if (const auto value = node.value_exact<std::string>()) return *value;
  } else if (const auto* array = node.as_array()) {
    std::vector<std::string> list;
    for (const auto& element : *array) {
      const auto text = element.value_exact<std::string>();
      if (!text) return wrong_type(key, origin);
      list.push_back(*text);
    }
    return list;
  }
  return wrong_type(key, origin);
}

Result<ConfigValue> from_environment(const ConfigKey& key, const std::string& text,
                                     const std::string& origin) {
  if (std::holds_alternative<std::string>(key.default_value)) return text;
  if (std::holds_alternative<bool>(key.default_value)) {
    if (text == "true") return true;
    if (text == "false") return false;
  } else if (std::holds_alternative<std::int64_t>(key.default_value)) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size()) return in_range(key, number, origin);
  } else {
    std::vector<std::string> list;
    for (std::size_t start = 0; start <= text.size() && !text.empty();) {
      const std::size_t comma = std::min(text.find(',', start), text.size());
      list.push_back(text.substr(start, comma - start));
      start = comma + 1;
    }
    return list;
  }
  return wrong_type(key, origin);
}

std::string origin_of(const toml::node& node, std::string_view file_name) {
  return fmt::format("{}:{}", file_name, node.source().begin.line);
}

const ConfigKey* find_key(std::span<const ConfigKey> keys, std::string_view name) {
  const auto found =
      std::find_if(keys.begin(), keys.end(), [&](const ConfigKey& key) { return key.name == name; });
  return found == keys.end() ? nullptr : &*found;
}

constexpr std::string_view kVariablePrefix = "HOLDFAST_";
constexpr std::size_t kMaxVariableBytes = 128;  // longer names are nobody's slip

// How many letters are put in, left out or changed between them (Levenshtein).
std::size_t letters_apart(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row[b.size()];
}

Result<> check_variable(std::span<const ConfigKey> keys, const std::vector<std::string>& known,
                        const std::string& name) {
  if (!name.starts_with(kVariablePrefix) || name.size() > kMaxVariableBytes) return {};
  std::string_view nearest;
  std::size_t apart = Config::kMisspelt + 1;
  for (const auto& one : known) {
    const std::size_t distance = letters_apart(name, one);
    if (distance == 0) return {};
    if (distance < apart) {
      apart = distance;
      nearest = one;
    }
  }
  if (!nearest.empty()) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("the environment has {}, which nothing reads; is {} meant?", name, nearest));
  }
  for (const auto& key : keys) {
    const auto section =
        ConfigKey{.name = key.name.substr(0, key.name.find('.') + 1), .default_value = {}, .help = {}};
    if (!name.starts_with(section.environment_name())) continue;
    return fail(
        ErrorCode::kInvalidArgument,
        fmt::format("the environment has {}, and there is no such setting; `holdfast config` without it "
                    "lists them",
                    name));
  }
  return {};
}

}  // namespace

std::string ConfigKey::environment_name() const {
  std::string text(kVariablePrefix);
  for (const char c : name) {
    text.push_back(c == '.' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c));
  }
  return text;
}

Result<Config> Config::load(std::span<const ConfigKey> keys, std::string_view toml,
                            std::string_view file_name, const Environment& environment) {
  Config config;
  for (const auto& key : keys)
    config.settings_[std::string(key.name)] = {key.default_value, "default", key.help};

  toml::table file;
  try {
    file = toml::parse(toml, file_name);
  } catch (const toml::parse_error& error) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{}:{}: {}", file_name, error.source().begin.line, error.description()));
  }
  for (const auto& [section_name, section] : file) {
    const auto* table = section.as_table();
    if (table == nullptr) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("{}: {} stands outside a [section]", origin_of(section, file_name),
                              section_name.str()));
    }
    for (const auto& [key_name, node] : *table) {
      const auto name = fmt::format("{}.{}", section_name.str(), key_name.str());
      const auto origin = origin_of(node, file_name);
      const ConfigKey* key = find_key(keys, name);
      if (key == nullptr) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("{}: there is no setting {}; `holdfast config` lists them", origin, name));
      }
      HF_TRY(auto value, from_toml(*key, node, origin));
      config.settings_[name] = {std::move(value), origin, key->help};
    }
  }
  for (const auto& key : keys) {
    const auto variable = key.environment_name();
    if (const auto text = environment(variable)) {
      HF_TRY(auto value, from_environment(key, *text, variable));
      config.settings_[std::string(key.name)] = {std::move(value), variable, key.help};
    }
  }
  return config;
}

Result<> Config::check_variables(std::span<const ConfigKey> keys, std::span<const std::string_view> others,
                                 std::span<const std::string> names) {
  std::vector<std::string> known(others.begin(), others.end());
  for (const auto& key : keys) known.push_back(key.environment_name());
  for (const auto& name : names) HF_CHECK(check_variable(keys, known, name));
  return {};
}

template <typename T>
const T& Config::get(std::string_view name) const {
  const auto found = settings_.find(name);
  HF_ASSERT(found != settings_.end());
  const T* value = std::get_if<T>(&found->second.value);
  HF_ASSERT(value != nullptr);
  return *value;
}

template const bool& Config::get<bool>(std::string_view) const;
template const std::int64_t& Config::get<std::int64_t>(std::string_view) const;
template const std::string& Config::get<std::string>(std::string_view) const;
template const std::vector<std::string>& Config::get<std::vector<std::string>>(std::string_view) const;

std::string to_toml(const ConfigValue& value) {
  return std::visit([](const auto& v) { return nlohmann::json(v).dump(); }, value);
}

}  // namespace holdfast::base
