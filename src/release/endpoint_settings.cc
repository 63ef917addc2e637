#include "release/endpoint_settings.h"

#include <fmt/format.h>

#include <array>

#include <nlohmann/json.hpp>

#include "data/json_fields.h"

namespace holdfast::release {

using base::ErrorCode;
using base::fail;
using base::Result;
using data::JsonFields;
using nlohmann::json;

namespace {

constexpr std::size_t kMaxColumnBytes = 256;

Result<data::Range> range_of(const json& value, const std::string& column) {
  HF_TRY(auto fields, JsonFields::of(value, fmt::format("the limit of {}", column)));
  data::Range range{};
  HF_TRY(range.low, fields.number_text("low"));
  HF_TRY(range.high, fields.number_text("high"));
  HF_CHECK(fields.end());
  return range;
}

}  // namespace

std::string_view to_string(LearnedDomain domain) {
  switch (domain) {
    case LearnedDomain::kRefuse:
      return "refuse";
    case LearnedDomain::kFlag:
      return "flag";
    case LearnedDomain::kOff:
      return "off";
  }
  return "flag";
}

Result<LearnedDomain> parse_learned_domain(std::string_view text) {
  for (const auto domain : {LearnedDomain::kRefuse, LearnedDomain::kFlag, LearnedDomain::kOff}) {
    if (text == to_string(domain)) return domain;
  }
  return fail(ErrorCode::kInvalidArgument, "learned_domain is refuse, flag or off");
}

Result<> EndpointSettings::check() const {
  if (requests_per_second < 1 || requests_per_second > kMaxRequests) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("requests_per_second lies between 1 and {}", kMaxRequests));
  }
  if (limits.size() > kMaxLimits) {
    return fail(ErrorCode::kLimitExceeded, fmt::format("there are over {} limits", kMaxLimits));
  }
  for (const auto& [column, range] : limits) {
    if (column.empty() || column.size() > kMaxColumnBytes || !data::is_utf8(column)) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("a limit is of a column, whose name has 1 to {} bytes", kMaxColumnBytes));
    }
    if (!(range.low <= range.high)) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("the limits of column \"{}\" leave nothing", column));
    }
  }
  return {};
}

json EndpointSettings::guard_json() const {
  json all = json::object();
  for (const auto& [column, range] : limits) {
    all[column] = {{"low", data::number_text(range.low)}, {"high", data::number_text(range.high)}};
  }
  return {{"learned_domain", to_string(learned_domain)}, {"limits", std::move(all)}};
}

Result<> EndpointSettings::change_guard(const json& guard) {
  HF_TRY(auto fields, JsonFields::of(guard, "the guard"));
  if (fields.has("learned_domain")) {
    HF_TRY(const auto text, fields.text("learned_domain"));
    HF_TRY(learned_domain, parse_learned_domain(text));
  }
  if (fields.has("limits")) {
    HF_TRY(const json* all, fields.object("limits"));
    for (const auto& [column, value] : all->items()) {
      if (value.is_null()) {
        limits.erase(column);
        continue;
      }
      HF_TRY(const auto range, range_of(value, column));
      limits.insert_or_assign(column, range);
    }
  }
  HF_CHECK(fields.end());
  return check();
}

}  // namespace holdfast::release
