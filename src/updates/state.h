#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"
#include "base/time.h"

// How old everything is that grows old, and by when it should be renewed: rule set, advisories, keys,
// certificates, libraries and the program itself, in one place.

namespace holdfast::updates {

struct UpdatePlaces {
  std::filesystem::path state;
  std::filesystem::path master_key;    // its file; need not be there
  std::vector<std::string> rule_keys;  // rules.h
  std::filesystem::path root = "/";    // of the machine's package database
};

struct UpdateLimits {
  std::int64_t rules_days = 180;
  std::int64_t advisories_days = 7;
  std::int64_t key_days = 730;
  std::int64_t certificate_days = 30;  // before its end
  std::int64_t program_days = 365;
  std::int64_t library_days = 30;  // since an advisory against it was published
};

struct UpdateItem {
  std::string kind;  // "rules", "advisories", "key", "certificate", "library", "program"
  std::string name;
  std::string version;                      // empty where it has none
  std::optional<base::Timestamp> since;     // issued, imported, made
  std::optional<base::Timestamp> deadline;  // by when it should be renewed
  bool overdue = false;
  std::string told;  // what else there is to say: what is missing or wrong, which advisories
};

struct UpdateState {
  base::Timestamp at;
  std::vector<UpdateItem> items;
  [[nodiscard]] std::size_t overdue() const;
  [[nodiscard]] nlohmann::ordered_json json() const;
};
std::string to_text(const UpdateState& state);

inline constexpr std::size_t kMaxKeyFiles = 200'000;

// Reads files alone, beside a server if one runs. What is not there is told, not an error; a rule set or an
// index that is damaged is overdue, with what is wrong.
base::Result<UpdateState> read_update_state(const UpdatePlaces& places, const UpdateLimits& limits,
                                            std::string_view program_version, base::Timestamp now);

}  // namespace holdfast::updates
