#include "data/profile.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "data/cell.h"
#include "data/json_fields.h"

namespace holdfast::data {

using base::ErrorCode;
using base::fail;
using base::Result;

void ColumnProfile::add(std::string_view value) {
  const Cell cell = read_cell(value);
  switch (cell.kind) {
    case CellKind::kMissing:
      ++missing;
      return;
    case CellKind::kBoolean:
      ++booleans;
      break;
    case CellKind::kInteger:
      ++integers;
      break;
    case CellKind::kReal:
      ++reals;
      break;
    case CellKind::kText:
      ++texts;
      break;
  }
  if (cell.kind != CellKind::kText) numbers.add(cell.number);
  values.add(value);
  distinct.add(base::as_bytes(value));
  if (cell.kind != CellKind::kText && cell.kind != CellKind::kInteger) return;
  if (const auto kind = sensitive_by_content(value)) ++look_sensitive[*kind];
}

void ColumnProfile::merge(const ColumnProfile& other) {
  HF_ASSERT(name == other.name);
  missing += other.missing;
  booleans += other.booleans;
  integers += other.integers;
  reals += other.reals;
  texts += other.texts;
  numbers.merge(other.numbers);
  values.merge(other.values);
  distinct.merge(other.distinct);
  for (const auto& [kind, count] : other.look_sensitive) look_sensitive[kind] += count;
}

ColumnType ColumnProfile::type() const {
  if (present() == 0) return ColumnType::kText;
  if (booleans == present()) return ColumnType::kBoolean;
  if (integers == present()) return ColumnType::kInteger;
  if (integers + reals == present()) return ColumnType::kReal;
  const auto items = values.items();
  const bool few = values.error() == 0 && values.too_long() == 0 && 2 * items.size() <= present();
  const bool texts_sound =
      std::all_of(items.begin(), items.end(), [](const auto& item) { return is_utf8(item.text); });
  return few && texts_sound ? ColumnType::kCategorical : ColumnType::kText;
}

std::optional<Sensitive> ColumnProfile::sensitive() const {
  if (const auto by_name = sensitive_by_name(name)) return by_name;
  for (const auto& [kind, count] : look_sensitive) {
    if (static_cast<double>(count) >= .9 * static_cast<double>(present())) return kind;
  }
  return std::nullopt;
}

Result<Profile> Profile::create(const std::vector<std::string>& column_names) {
  HF_CHECK(check_column_names(column_names));
  Profile profile;
  profile.columns_.resize(column_names.size());
  for (std::size_t i = 0; i < column_names.size(); ++i) profile.columns_[i].name = column_names[i];
  return profile;
}

void Profile::add(std::span<const std::string_view> record) {
  HF_ASSERT(record.size() == columns_.size());
  ++rows_;
  for (std::size_t i = 0; i < record.size(); ++i) columns_[i].add(record[i]);
}

Result<> Profile::merge(const Profile& other) {
  const auto same_name = [](const ColumnProfile& a, const ColumnProfile& b) { return a.name == b.name; };
  if (!std::equal(columns_.begin(), columns_.end(), other.columns_.begin(), other.columns_.end(),
                  same_name)) {
    return fail(ErrorCode::kInvalidArgument, "profiles of tables with different columns do not merge");
  }
  rows_ += other.rows_;
  for (std::size_t i = 0; i < columns_.size(); ++i) columns_[i].merge(other.columns_[i]);
  return {};
}

const ColumnProfile* Profile::find(std::string_view name) const {
  const auto found = std::find_if(columns_.begin(), columns_.end(),
                                  [&](const ColumnProfile& column) { return column.name == name; });
  return found == columns_.end() ? nullptr : &*found;
}

base::Result<Profile> Profile::only(const std::vector<std::string>& column_names) const {
  HF_TRY(Profile some, create(column_names));
  some.rows_ = rows_;
  for (auto& column : some.columns_) {
    const ColumnProfile* found = find(column.name);
    if (found == nullptr)
      return fail(ErrorCode::kNotFound, fmt::format("no column is called {}", column.name));
    column = *found;
  }
  return some;
}

Schema Profile::schema() const {
  Schema schema;
  for (const ColumnProfile& profile : columns_) {
    Column column{.name = profile.name,
                  .type = profile.type(),
                  .nullable = profile.missing > 0,
                  .sensitive = profile.sensitive()};
    if (column.type == ColumnType::kInteger || column.type == ColumnType::kReal) {
      column.range = Range{.low = profile.numbers.histogram.min(), .high = profile.numbers.histogram.max()};
    }
    if (column.type == ColumnType::kCategorical) {
      for (const auto& item : profile.values.items()) column.categories.push_back(item.text);
      std::sort(column.categories.begin(), column.categories.end());
    }
    schema.columns.push_back(std::move(column));
  }
  return schema;
}

Result<Profile> profile_csv(formats::CsvReader& reader) {
  HF_TRY(const auto header, reader.next());
  if (!header)
    return fail(ErrorCode::kInvalidArgument, "the table is empty: its first line must name the columns");
  HF_TRY(Profile profile, Profile::create({header->begin(), header->end()}));
  for (;;) {
    HF_TRY(const auto record, reader.next());
    if (!record) return profile;
    profile.add(*record);
  }
}

}  // namespace holdfast::data
