#include "trust/policy_table.h"

#include <fmt/format.h>

#include "trust/policy.h"

namespace holdfast::trust {

using base::ErrorCode;
using base::fail;
using base::Result;
using base::Timestamp;

const toml::node* PolicyTable::find(std::string_view key) {
  read_.insert(std::string(key));
  return table_->get(key);
}

tl::unexpected<base::Error> PolicyTable::wrong(std::string_view key, std::string_view what) const {
  return fail(ErrorCode::kInvalidArgument, fmt::format("{}, {}: {}", place_, key, what));
}

Result<std::optional<std::string>> PolicyTable::text(std::string_view key) {
  const auto* node = find(key);
  if (node == nullptr) return std::optional<std::string>();
  if (!node->is_string() || node->as_string()->get().empty()) return wrong(key, "a text is needed");
  return std::optional(node->as_string()->get());
}

Result<std::vector<std::string>> PolicyTable::texts(std::string_view key) {
  const auto* node = find(key);
  std::vector<std::string> values;
  if (node == nullptr) return values;
  if (node->is_string()) {
    values.push_back(node->as_string()->get());
  } else if (const auto* list = node->as_array()) {
    for (const auto& element : *list) {
      if (!element.is_string()) return wrong(key, "it holds what is no text");
      values.push_back(element.as_string()->get());
    }
  }
  if (values.empty() || values.size() > kMaxPolicyEntries) {
    return wrong(key, fmt::format("a text or a list of 1 to {} texts is needed", kMaxPolicyEntries));
  }
  for (const auto& value : values) {
    if (value.empty() || value.size() > kMaxPatternBytes) {
      return wrong(key, fmt::format("a text of 1 to {} bytes is needed", kMaxPatternBytes));
    }
  }
  return values;
}

Result<std::optional<std::int64_t>> PolicyTable::whole(std::string_view key, std::int64_t low,
                                                       std::int64_t high) {
  const auto* node = find(key);
  if (node == nullptr) return std::optional<std::int64_t>();
  const auto value = node->value_exact<std::int64_t>();
  if (!value || *value < low || *value > high) {
    return wrong(key, fmt::format("a whole number from {} to {} is needed", low, high));
  }
  return std::optional(*value);
}

Result<std::optional<Timestamp>> PolicyTable::moment(std::string_view key) {
  const auto* node = find(key);
  if (node == nullptr) return std::optional<Timestamp>();
  const auto no_date = [&] {
    return wrong(key, "a date such as 2027-06-30, or a time with a zone such as 2027-06-30T12:00:00Z");
  };
  std::string written;
  if (const auto* day = node->as_date()) {
    const auto& [year, month, day_of_month] = day->get();
    written = fmt::format("{:04}-{:02}-{:02}T00:00:00Z", year, month, day_of_month);
  } else if (const auto* time = node->as_date_time(); time != nullptr && time->get().offset) {
    const auto& [date, clock, offset] = time->get();
    const auto minutes = offset->minutes;
    const auto distance = minutes < 0 ? -minutes : minutes;
    written = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}{:02}:{:02}", date.year, date.month, date.day,
                          clock.hour, clock.minute, clock.second, minutes < 0 ? '-' : '+', distance / 60,
                          distance % 60);
  } else {
    return no_date();
  }
  const auto parsed = Timestamp::parse(written);
  if (!parsed) return no_date();
  return std::optional(*parsed);
}

Result<std::vector<PolicyTable>> PolicyTable::tables(std::string_view key, std::string_view heading,
                                                     std::string_view file_name) {
  std::vector<PolicyTable> found;
  const auto* node = find(key);
  if (node == nullptr) return found;
  const auto* list = node->as_array();
  if (list == nullptr || list->size() > kMaxPolicyEntries) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{}: write [[{}]], once for each and at most {} times", file_name, heading,
                            kMaxPolicyEntries));
  }
  for (const auto& element : *list) {
    auto place = fmt::format("{}:{}: [[{}]]", file_name, element.source().begin.line, heading);
    if (!element.is_table()) return fail(ErrorCode::kInvalidArgument, place + " is no table");
    found.emplace_back(*element.as_table(), std::move(place));
  }
  return found;
}

Result<> PolicyTable::end() const {
  for (const auto& [key, node] : *table_) {
    if (!read_.contains(key.str())) return wrong(key.str(), "there is no such key");
  }
  return {};
}

}  // namespace holdfast::trust
