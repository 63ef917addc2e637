#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/encoding.h"
#include "base/json.h"
#include "data/json_fields.h"
#include "data/profile.h"

namespace holdfast::data {
namespace {

using base::fail;
using base::Result;
using nlohmann::json;

constexpr std::uint64_t kVersion = 1;

template <typename Sketch>
std::string base64_of(const Sketch& sketch) {
  base::Bytes bytes;
  sketch.append_to(bytes);
  return base::base64_encode(bytes);
}

json json_of(const ColumnProfile& column) {
  json look_sensitive = json::object();
  for (const auto& [kind, count] : column.look_sensitive)
    look_sensitive[std::string(to_string(kind))] = count;
  return {{"name", column.name},
          {"missing", column.missing},
          {"booleans", column.booleans},
          {"integers", column.integers},
          {"reals", column.reals},
          {"texts", column.texts},
          {"moments", base64_of(column.numbers.moments)},
          {"histogram", base64_of(column.numbers.histogram)},
          {"distinct_numbers", base64_of(column.numbers.distinct)},
          {"values", base64_of(column.values)},
          {"distinct", base64_of(column.distinct)},
          {"look_sensitive", std::move(look_sensitive)}};
}

template <typename Sketch>
Result<Sketch> read_sketch(JsonFields& fields, std::string_view name) {
  HF_TRY(const base::Bytes bytes, fields.bytes(name));
  auto sketch = Sketch::parse(bytes);
  if (!sketch) return fail(std::move(sketch).error().within(fields.wrong(name, "can't be read").message));
  return sketch;
}

Result<std::map<Sensitive, std::uint64_t>> read_look_sensitive(JsonFields& fields, std::uint64_t at_most) {
  HF_TRY(const json* const object, fields.object("look_sensitive"));
  std::map<Sensitive, std::uint64_t> counts;
  for (const auto& [name, value] : object->items()) {
    HF_TRY(const Sensitive kind, parse_sensitive(name));
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() == 0 ||
        value.get<std::uint64_t>() > at_most) {
      return fail(fields.wrong("look_sensitive", "has a count that can't be"));
    }
    counts[kind] = value.get<std::uint64_t>();
  }
  return counts;
}

Result<ColumnProfile> read_column(const json& value, std::size_t index, std::uint64_t rows) {
  HF_TRY(JsonFields fields, JsonFields::of(value, fmt::format("column {} of the profile", index)));
  ColumnProfile column;
  HF_TRY(column.name, fields.text("name"));
  HF_TRY(column.missing, fields.count("missing"));
  HF_TRY(column.booleans, fields.count("booleans"));
  HF_TRY(column.integers, fields.count("integers"));
  HF_TRY(column.reals, fields.count("reals"));
  HF_TRY(column.texts, fields.count("texts"));
  HF_TRY(column.numbers.moments, read_sketch<stats::Moments>(fields, "moments"));
  HF_TRY(column.numbers.histogram, read_sketch<stats::LogLinearHistogram>(fields, "histogram"));
  HF_TRY(column.numbers.distinct, read_sketch<stats::HyperLogLog>(fields, "distinct_numbers"));
  HF_TRY(column.values, read_sketch<stats::FrequentItems>(fields, "values"));
  HF_TRY(column.distinct, read_sketch<stats::HyperLogLog>(fields, "distinct"));
  HF_TRY(column.look_sensitive, read_look_sensitive(fields, column.present()));
  HF_CHECK(fields.end());
  const std::uint64_t numbers = column.present() - column.texts;
  if (column.present() + column.missing != rows)
    return fail(fields.wrong("missing", "and the other counts are not the rows"));
  if (column.numbers.moments.count() != numbers || column.numbers.moments.not_finite() != 0 ||
      column.numbers.histogram.count() != numbers || column.numbers.histogram.not_finite() != 0) {
    return fail(fields.wrong("histogram", "or \"moments\" counts other numbers than there are"));
  }
  if (column.values.capacity() != kMaxCategories ||
      column.values.total() + column.values.too_long() != column.present()) {
    return fail(fields.wrong("values", "counts other values than there are"));
  }
  return column;
}

}  // namespace

std::string to_json(const Profile& profile) {
  json columns = json::array();
  for (const ColumnProfile& column : profile.columns()) columns.push_back(json_of(column));
  return canonical_text({{"columns", std::move(columns)}, {"rows", profile.rows()}, {"version", kVersion}});
}

Result<Profile> parse_profile(std::string_view text) {
  HF_TRY(const json value, base::parse_json(text, {.max_bytes = 512UL << 20, .max_depth = 4}));
  HF_TRY(JsonFields fields, JsonFields::of(value, "the profile"));
  HF_TRY(const std::uint64_t version, fields.count("version"));
  if (version != kVersion) return fail(fields.wrong("version", "is not 1"));
  Profile profile;
  HF_TRY(profile.rows_, fields.count("rows"));
  HF_TRY(const json* const columns, fields.array("columns", kMaxColumns));
  HF_CHECK(fields.end());
  std::vector<std::string> names;
  for (std::size_t i = 0; i < columns->size(); ++i) {
    HF_TRY(ColumnProfile column, read_column((*columns)[i], i, profile.rows_));
    names.push_back(column.name);
    profile.columns_.push_back(std::move(column));
  }
  HF_CHECK(check_column_names(names));
  return profile;
}

}  // namespace holdfast::data
