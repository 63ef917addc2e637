#include "data/json_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/assert.h"
#include "base/encoding.h"
#include "base/json.h"

namespace holdfast::data {

using base::ErrorCode;
using base::fail;
using base::Result;
using nlohmann::json;

Result<JsonFields> JsonFields::of(const json& value, std::string place) {
  if (!value.is_object())
    return fail(ErrorCode::kInvalidArgument, fmt::format("{} is no JSON object", place));
  return JsonFields(value, std::move(place));
}

base::Error JsonFields::wrong(std::string_view name, std::string_view what) const {
  return {ErrorCode::kInvalidArgument, fmt::format("\"{}\" of {} {}", name, place_, what)};
}

bool JsonFields::has(std::string_view name) const { return object_->contains(name); }

Result<const json*> JsonFields::member(std::string_view name) {
  const auto found = object_->find(name);
  if (found == object_->end()) return fail(wrong(name, "is missing"));
  read_.emplace_back(name);
  return &*found;
}

Result<const json*> JsonFields::array(std::string_view name, std::size_t at_most) {
  HF_TRY(const json* const value, member(name));
  if (!value->is_array()) return fail(wrong(name, "is no array"));
  if (value->size() > at_most) return fail(wrong(name, fmt::format("has more than {} elements", at_most)));
  return value;
}

Result<const json*> JsonFields::object(std::string_view name) {
  HF_TRY(const json* const value, member(name));
  if (!value->is_object()) return fail(wrong(name, "is no object"));
  return value;
}

Result<std::string> JsonFields::text(std::string_view name) {
  HF_TRY(const json* const value, member(name));
  if (!value->is_string()) return fail(wrong(name, "is no text"));
  return value->get<std::string>();
}

Result<bool> JsonFields::boolean(std::string_view name) {
  HF_TRY(const json* const value, member(name));
  if (!value->is_boolean()) return fail(wrong(name, "is neither true nor false"));
  return value->get<bool>();
}

Result<std::uint64_t> JsonFields::count(std::string_view name) {
  constexpr std::uint64_t kMaxCount = (1ULL << 53) - 1;  // the integers of RFC 8785
  HF_TRY(const json* const value, member(name));
  if (!value->is_number_unsigned() || value->get<std::uint64_t>() > kMaxCount) {
    return fail(wrong(name, "is no count from 0 to 2^53 - 1"));
  }
  return value->get<std::uint64_t>();
}

Result<double> JsonFields::number_text(std::string_view name) {
  HF_TRY(const std::string text, this->text(name));
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (read.ptr != end || read.ec != std::errc() || !std::isfinite(number) ||
      data::number_text(number) != text) {
    return fail(wrong(name, "is no finite number in its shortest form"));
  }
  return number;
}

Result<base::Bytes> JsonFields::bytes(std::string_view name) {
  HF_TRY(const std::string text, this->text(name));
  auto decoded = base::base64_decode(text);
  if (!decoded) return fail(wrong(name, "is no base64"));
  return decoded;
}

Result<> JsonFields::end() const {
  for (const auto& [name, value] : object_->items()) {
    if (std::find(read_.begin(), read_.end(), name) == read_.end()) {
      return fail(wrong(name.substr(0, 80), "is not known"));
    }
  }
  return {};
}

std::string number_text(double value) { return fmt::format("{}", value + 0.0); }

std::string canonical_text(const json& value) {
  auto text = base::canonical_json(value);
  HF_ASSERT(text.has_value());
  return *std::move(text);
}

bool is_utf8(std::string_view text) { return base::canonical_json(json(text)).has_value(); }

}  // namespace holdfast::data
