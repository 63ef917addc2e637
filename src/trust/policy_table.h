#pragma once

#include <toml++/toml.h>

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "base/time.h"

// Reads the keys of one TOML table, each by its kind, and then that there are no others.

namespace holdfast::trust {

class PolicyTable {
 public:
  // `place` begins with the file: "trust.toml:3: [signer.release]".
  PolicyTable(const toml::table& table, std::string place) : table_(&table), place_(std::move(place)) {}

  [[nodiscard]] const std::string& place() const { return place_; }
  [[nodiscard]] bool has(std::string_view key) const { return table_->contains(key); }

  // None where the key is not there; an empty text is refused.
  base::Result<std::optional<std::string>> text(std::string_view key);
  // A text, or a list of texts with one at least where the key is there.
  base::Result<std::vector<std::string>> texts(std::string_view key);
  base::Result<std::optional<std::int64_t>> whole(std::string_view key, std::int64_t low, std::int64_t high);
  // A TOML date or offset date-time: of a date, its beginning in UTC.
  base::Result<std::optional<base::Timestamp>> moment(std::string_view key);
  // The tables of an array of tables. None where the key is not there.
  base::Result<std::vector<PolicyTable>> tables(std::string_view key, std::string_view heading,
                                                std::string_view file_name);
  // That no key was left unread.
  [[nodiscard]] base::Result<> end() const;

  [[nodiscard]] tl::unexpected<base::Error> wrong(std::string_view key, std::string_view what) const;

 private:
  const toml::node* find(std::string_view key);
  const toml::table* table_;
  std::string place_;
  std::set<std::string, std::less<>> read_;
};

}  // namespace holdfast::trust
