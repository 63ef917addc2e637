#include "data/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_set>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "data/json_fields.h"

namespace holdfast::data {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using nlohmann::json;

constexpr std::array kTypes = {ColumnType::kBoolean, ColumnType::kInteger, ColumnType::kReal,
                               ColumnType::kCategorical, ColumnType::kText};
constexpr std::uint64_t kVersion = 1;

bool is_numeric(ColumnType type) { return type == ColumnType::kInteger || type == ColumnType::kReal; }

json json_of(const Column& column) {
  json object = {{"name", column.name}, {"nullable", column.nullable}, {"type", to_string(column.type)}};
  if (column.range) {
    object["minimum"] = number_text(column.range->low);
    object["maximum"] = number_text(column.range->high);
  }
  if (column.type == ColumnType::kCategorical) object["categories"] = column.categories;
  if (column.sensitive) object["sensitive"] = to_string(*column.sensitive);
  return object;
}

Result<ColumnType> read_type(JsonFields& fields) {
  HF_TRY(const std::string text, fields.text("type"));
  const auto* const found =
      std::find_if(kTypes.begin(), kTypes.end(), [&](ColumnType type) { return to_string(type) == text; });
  if (found == kTypes.end()) {
    return fail(fields.wrong("type", "is none of boolean, integer, real, categorical and text"));
  }
  return *found;
}

Result<std::optional<Range>> read_range(JsonFields& fields) {
  if (!fields.has("minimum") && !fields.has("maximum")) return std::nullopt;
  HF_TRY(const double low, fields.number_text("minimum"));
  HF_TRY(const double high, fields.number_text("maximum"));
  if (low > high) return fail(fields.wrong("minimum", "is over the maximum"));
  return Range{.low = low, .high = high};
}

Result<std::vector<std::string>> read_categories(JsonFields& fields) {
  HF_TRY(const json* const array, fields.array("categories", kMaxCategories));
  std::vector<std::string> categories;
  for (const json& element : *array) {
    if (!element.is_string() || element.get_ref<const std::string&>().size() > kMaxCategoryBytes) {
      return fail(fields.wrong("categories",
                               fmt::format("holds what is no text of at most {} bytes", kMaxCategoryBytes)));
    }
    categories.push_back(element.get<std::string>());
    if (categories.size() > 1 && categories[categories.size() - 2] >= categories.back()) {
      return fail(fields.wrong("categories", "is not sorted, or holds a category twice"));
    }
  }
  if (categories.empty()) return fail(fields.wrong("categories", "is empty"));
  return categories;
}

Result<Column> read_column(const json& value, std::size_t index) {
  HF_TRY(JsonFields fields, JsonFields::of(value, fmt::format("column {} of the schema", index)));
  Column column;
  HF_TRY(column.name, fields.text("name"));
  HF_TRY(column.nullable, fields.boolean("nullable"));
  HF_TRY(column.type, read_type(fields));
  if (is_numeric(column.type)) {
    HF_TRY(column.range, read_range(fields));
  }
  if (column.type == ColumnType::kCategorical) {
    HF_TRY(column.categories, read_categories(fields));
  }
  if (fields.has("sensitive")) {
    HF_TRY(const std::string kind, fields.text("sensitive"));
    HF_TRY(column.sensitive, parse_sensitive(kind));
  }
  HF_CHECK(fields.end());
  return column;
}

}  // namespace

std::string_view to_string(ColumnType type) {
  switch (type) {
    case ColumnType::kBoolean:
      return "boolean";
    case ColumnType::kInteger:
      return "integer";
    case ColumnType::kReal:
      return "real";
    case ColumnType::kCategorical:
      return "categorical";
    case ColumnType::kText:
      return "text";
  }
  return "text";
}

const Column* Schema::find(std::string_view name) const {
  const auto found =
      std::find_if(columns.begin(), columns.end(), [&](const Column& column) { return column.name == name; });
  return found == columns.end() ? nullptr : &*found;
}

Result<> check_column_names(const std::vector<std::string>& names) {
  if (names.empty() || names.size() > kMaxColumns) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("a table has 1 to {} columns, not {}", kMaxColumns, names.size()));
  }
  std::unordered_set<std::string_view> seen;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty() || names[i].size() > kMaxColumnNameBytes || !is_utf8(names[i])) {
      return fail(
          ErrorCode::kInvalidArgument,
          fmt::format("the name of column {} is no UTF-8 text of 1 to {} bytes", i, kMaxColumnNameBytes));
    }
    if (!seen.insert(names[i]).second) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("two columns are called \"{}\"; rename one", names[i]));
    }
  }
  return {};
}

std::string to_json(const Schema& schema) {
  json columns = json::array();
  for (const Column& column : schema.columns) columns.push_back(json_of(column));
  return canonical_text({{"columns", std::move(columns)}, {"version", kVersion}});
}

Result<Schema> parse_schema(std::string_view text) {
  HF_TRY(const json value, base::parse_json(text, {.max_bytes = 64UL << 20, .max_depth = 4}));
  HF_TRY(JsonFields fields, JsonFields::of(value, "the schema"));
  HF_TRY(const std::uint64_t version, fields.count("version"));
  if (version != kVersion) return fail(fields.wrong("version", "is not 1"));
  HF_TRY(const json* const columns, fields.array("columns", kMaxColumns));
  HF_CHECK(fields.end());
  Schema schema;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < columns->size(); ++i) {
    HF_TRY(Column column, read_column((*columns)[i], i));
    names.push_back(column.name);
    schema.columns.push_back(std::move(column));
  }
  HF_CHECK(check_column_names(names));
  return schema;
}

}  // namespace holdfast::data
