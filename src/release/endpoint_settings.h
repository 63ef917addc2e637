#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"
#include "data/schema.h"

namespace holdfast::release {

// What becomes of a number outside of what the training data held.
enum class LearnedDomain { kRefuse, kFlag, kOff };
std::string_view to_string(LearnedDomain domain);  // "refuse", "flag", "off"
base::Result<LearnedDomain> parse_learned_domain(std::string_view text);

// What its owner chooses for an endpoint, and can choose anew while it serves.
struct EndpointSettings {
  std::int64_t requests_per_second = 100;  // of each principal, 1 to kMaxRequests
  LearnedDomain learned_domain = LearnedDomain::kFlag;
  // By column, both ends included; outside is refused, and within nothing is held against the training data.
  std::map<std::string, data::Range> limits;

  static constexpr std::int64_t kMaxRequests = 1'000'000;
  static constexpr std::size_t kMaxLimits = 1'000;

  friend bool operator==(const EndpointSettings&, const EndpointSettings&) = default;

  // kInvalidArgument names what is out of range.
  [[nodiscard]] base::Result<> check() const;
  // {"learned_domain": "flag", "limits": {"debt": {"low": "0", "high": "5000"}}}: what the guard goes by.
  [[nodiscard]] nlohmann::json guard_json() const;
  // Members of `guard` in place of those that are set, as guard_json() writes them; a limit that is null
  // ends. kInvalidArgument names the member.
  base::Result<> change_guard(const nlohmann::json& guard);
};

}  // namespace holdfast::release
