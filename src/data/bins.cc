#include "data/bins.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "base/assert.h"
#include "base/json.h"
#include "data/json_fields.h"

namespace holdfast::data {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using nlohmann::json;

// Upper ends of buckets at which the count reaches the next share of the whole; none behind the last value.
std::vector<double> equal_count_edges(const stats::LogLinearHistogram& histogram, std::size_t bins) {
  const double share = static_cast<double>(histogram.count()) / static_cast<double>(bins);
  std::vector<double> edges;
  double seen = 0;
  double next = share;
  const auto buckets = histogram.buckets();
  for (std::size_t i = 0; i + 1 < buckets.size(); ++i) {
    seen += static_cast<double>(buckets[i].count);
    if (seen < next) continue;
    edges.push_back(buckets[i].high);
    next = std::max(next + share, seen + share / 2);
  }
  return edges;
}

std::vector<std::uint64_t> category_counts(const ColumnProfile& column,
                                           const std::vector<std::string>& categories) {
  std::vector<std::uint64_t> counts(categories.size() + 1);
  std::uint64_t others = column.present();
  for (const auto& item : column.values.items()) {
    const auto found = std::lower_bound(categories.begin(), categories.end(), item.text);
    if (found == categories.end() || *found != item.text) continue;
    counts[static_cast<std::size_t>(found - categories.begin())] = item.count;
    others -= item.count;
  }
  counts.back() = others;
  return counts;
}

bool ascend(const auto& values) {
  return std::adjacent_find(values.begin(), values.end(),
                            [](const auto& a, const auto& b) { return !(a < b); }) == values.end();
}

Result<std::vector<double>> read_edges(JsonFields& fields) {
  HF_TRY(const json* const array, fields.array("edges", ReferenceBins::kMaxBins));
  std::vector<double> edges;
  for (const json& element : *array) {
    const json wrapped = {{"edge", element}};
    HF_TRY(JsonFields one, JsonFields::of(wrapped, "\"edges\" of the bins"));
    HF_TRY(const double edge, one.number_text("edge"));
    edges.push_back(edge);
  }
  if (!ascend(edges)) return fail(fields.wrong("edges", "does not ascend"));
  return edges;
}

Result<std::vector<std::string>> read_categories(JsonFields& fields) {
  HF_TRY(const json* const array, fields.array("categories", kMaxCategories));
  std::vector<std::string> categories;
  for (const json& element : *array) {
    if (!element.is_string()) return fail(fields.wrong("categories", "holds what is no text"));
    categories.push_back(element.get<std::string>());
  }
  if (categories.empty() || !ascend(categories))
    return fail(fields.wrong("categories", "is empty or not sorted"));
  return categories;
}

}  // namespace

Result<ReferenceBins> ReferenceBins::of(const ColumnProfile& reference, std::size_t bins) {
  HF_ASSERT(bins >= 2 && bins <= kMaxBins);
  if (reference.present() == 0) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("column \"{}\" has no values to take bins from", reference.name));
  }
  ReferenceBins result;
  switch (reference.type()) {
    case ColumnType::kText:
      return fail(ErrorCode::kUnsupported,
                  fmt::format("column \"{}\" is free text, which has no bins", reference.name));
    case ColumnType::kInteger:
    case ColumnType::kReal:
      result.edges_ = equal_count_edges(reference.numbers.histogram, bins);
      break;
    case ColumnType::kBoolean:
    case ColumnType::kCategorical:
      for (const auto& item : reference.values.items()) result.categories_.push_back(item.text);
      std::sort(result.categories_.begin(), result.categories_.end());
      break;
  }
  result.reference_counts_ = result.counts(reference);
  return result;
}

std::vector<std::uint64_t> ReferenceBins::counts(const ColumnProfile& column) const {
  std::vector<std::uint64_t> counts;
  if (categories_.empty()) {
    counts = column.numbers.histogram.counts_between(edges_);
    counts.push_back(column.missing + column.texts);  // what is no number is missing from a numeric column
  } else {
    counts = category_counts(column, categories_);
    counts.push_back(column.missing);
  }
  return counts;
}

std::string to_json(const ReferenceBins& bins) {
  json value = {{"counts", bins.reference_counts()}};
  if (bins.categories().empty()) {
    json edges = json::array();
    for (const double edge : bins.edges()) edges.push_back(number_text(edge));
    value["edges"] = std::move(edges);
  } else {
    value["categories"] = bins.categories();
  }
  return canonical_text(value);
}

Result<ReferenceBins> parse_reference_bins(std::string_view text) {
  HF_TRY(const json value, base::parse_json(text, {.max_bytes = 1UL << 20, .max_depth = 2}));
  HF_TRY(JsonFields fields, JsonFields::of(value, "the bins"));
  ReferenceBins bins;
  if (fields.has("categories")) {
    HF_TRY(bins.categories_, read_categories(fields));
  } else {
    HF_TRY(bins.edges_, read_edges(fields));
  }
  const std::size_t expected = std::max(bins.edges_.size(), bins.categories_.size()) + 2;
  HF_TRY(const json* const counts, fields.array("counts", expected));
  HF_CHECK(fields.end());
  for (const json& count : *counts) {
    if (!count.is_number_unsigned()) return fail(fields.wrong("counts", "holds what is no count"));
    bins.reference_counts_.push_back(count.get<std::uint64_t>());
  }
  if (counts->size() != expected) return fail(fields.wrong("counts", "does not have one count for each bin"));
  return bins;
}

}  // namespace holdfast::data
