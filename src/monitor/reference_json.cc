#include <fmt/format.h>

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "base/encoding.h"
#include "base/json.h"
#include "data/json_fields.h"
#include "monitor/reference.h"

namespace holdfast::monitor {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using data::JsonFields;
using data::number_text;
using nlohmann::json;

constexpr std::uint64_t kVersion = 1;
constexpr int kMaxDepth = 5;
constexpr std::uint64_t kMaxRows = 1ULL << 48;  // with a window's rows, far from what a draw can't count
constexpr std::size_t kMaxKnots = 1'000'000;
constexpr std::string_view kPlace = "the reference";

json json_of(const ReferenceColumn& column) {
  json value = {{"name", column.name}, {"bins", json::parse(data::to_json(column.bins))}};
  if (column.numbers) {
    base::Bytes bytes;
    column.numbers->append_to(bytes);
    value["histogram"] = base::base64_encode(bytes);
  }
  return value;
}

json json_of(const ReferenceCalibration& calibration) {
  json knots = json::array();
  for (const auto& [x, y] : calibration.probability.knots()) {
    knots.push_back(json::array({number_text(x), number_text(y)}));
  }
  const stats::BinaryCounts& confusion = calibration.confusion;
  return {{"knots", std::move(knots)},
          {"true_positive", confusion.true_positive},
          {"false_positive", confusion.false_positive},
          {"true_negative", confusion.true_negative},
          {"false_negative", confusion.false_negative}};
}

Result<> check_counts(const JsonFields& fields, const std::vector<std::uint64_t>& counts) {
  std::uint64_t rows = 0;
  for (const std::uint64_t count : counts) {
    if (count > kMaxRows - rows) return fail(fields.wrong("bins", "count too many rows"));
    rows += count;
  }
  if (rows == 0) return fail(fields.wrong("bins", "count no rows"));
  return {};
}

// The bins were counted from the histogram, but for the missing.
bool agree(const data::ReferenceBins& bins, const stats::LogLinearHistogram& numbers) {
  const auto counted = numbers.counts_between(bins.edges());
  const auto& counts = bins.reference_counts();
  return std::equal(counted.begin(), counted.end(), counts.begin(), counts.end() - 1);
}

Result<ReferenceColumn> read_column(const json& value, std::string place) {
  HF_TRY(JsonFields fields, JsonFields::of(value, std::move(place)));
  HF_TRY(std::string name, fields.text("name"));
  if (name.empty() || name.size() > data::kMaxColumnNameBytes) {
    return fail(fields.wrong("name", "is empty or too long"));
  }
  HF_TRY(const json* const object, fields.object("bins"));
  HF_TRY(const std::string text, base::canonical_json(*object));
  HF_TRY(auto bins, data::parse_reference_bins(text));
  HF_CHECK(check_counts(fields, bins.reference_counts()));
  ReferenceColumn column{.name = std::move(name), .bins = std::move(bins), .numbers = std::nullopt};
  if (column.bins.categories().empty()) {
    HF_TRY(const base::Bytes bytes, fields.bytes("histogram"));
    auto histogram = stats::LogLinearHistogram::parse(bytes);
    if (!histogram) return fail(std::move(histogram).error().within(column.name));
    if (!agree(column.bins, *histogram)) return fail(fields.wrong("bins", "do not count the histogram"));
    column.numbers = *std::move(histogram);
  }
  HF_CHECK(fields.end());
  return column;
}

Result<double> number_of(const json& value, const JsonFields& fields) {
  const json wrapped = {{"number", value}};
  auto one = JsonFields::of(wrapped, "a knot");
  auto number = one->number_text("number");
  if (!number) return fail(fields.wrong("knots", "hold what is no number in its shortest form"));
  return *number;
}

Result<stats::IsotonicRegression> read_knots(JsonFields& fields) {
  HF_TRY(const json* const array, fields.array("knots", kMaxKnots));
  std::vector<stats::IsotonicRegression::Knot> knots;
  for (const json& pair : *array) {
    if (!pair.is_array() || pair.size() != 2) return fail(fields.wrong("knots", "hold what is no pair"));
    HF_TRY(const double x, number_of(pair[0], fields));
    HF_TRY(const double y, number_of(pair[1], fields));
    if (!(x >= 0 && x <= 1 && y >= 0 && y <= 1)) {
      return fail(fields.wrong("knots", "lie outside of 0 to 1"));
    }
    knots.push_back({.x = x, .y = y});
  }
  return stats::IsotonicRegression::from_knots(std::move(knots));
}

Result<ReferenceCalibration> read_calibration(const json& value) {
  HF_TRY(JsonFields fields, JsonFields::of(value, "the calibration of the reference"));
  HF_TRY(auto probability, read_knots(fields));
  stats::BinaryCounts confusion;
  HF_TRY(confusion.true_positive, fields.count("true_positive"));
  HF_TRY(confusion.false_positive, fields.count("false_positive"));
  HF_TRY(confusion.true_negative, fields.count("true_negative"));
  HF_TRY(confusion.false_negative, fields.count("false_negative"));
  HF_CHECK(fields.end());
  for (const std::uint64_t count : {confusion.true_positive, confusion.false_positive,
                                    confusion.true_negative, confusion.false_negative}) {
    if (count > kMaxRows) return fail(fields.wrong("true_positive", "and its like count too many rows"));
  }
  if (confusion.rows() == 0) return fail(fields.wrong("true_positive", "and its like count no rows"));
  return ReferenceCalibration{.probability = std::move(probability), .confusion = confusion};
}

bool within_probabilities(const ReferenceColumn& score) {
  return score.numbers && score.numbers->count() > 0 && score.numbers->not_finite() == 0 &&
         score.numbers->min() >= 0 && score.numbers->max() <= 1;
}

}  // namespace

std::string to_json(const Reference& reference) {
  json value = {{"columns", json::array()},
                {"unwatched", reference.unwatched()},
                {"score", json_of(reference.score())},
                {"threshold", number_text(reference.threshold())},
                {"version", kVersion}};
  for (const ReferenceColumn& column : reference.columns()) value["columns"].push_back(json_of(column));
  if (reference.calibration()) value["calibration"] = json_of(*reference.calibration());
  return data::canonical_text(value);
}

Result<Reference> parse_reference(std::string_view text) {
  HF_TRY(const json value,
         base::parse_json(text, {.max_bytes = Reference::kMaxBytes, .max_depth = kMaxDepth}));
  HF_TRY(JsonFields fields, JsonFields::of(value, std::string(kPlace)));
  HF_TRY(const std::uint64_t version, fields.count("version"));
  if (version != kVersion) return fail(fields.wrong("version", fmt::format("is not {}", kVersion)));
  HF_TRY(const double threshold, fields.number_text("threshold"));
  if (!(threshold >= 0 && threshold <= 1)) {
    return fail(fields.wrong("threshold", "lies outside of 0 to 1"));
  }
  HF_TRY(const json* const score_json, fields.object("score"));
  HF_TRY(auto score, read_column(*score_json, "the score of the reference"));
  if (!within_probabilities(score)) return fail(fields.wrong("score", "lies outside of 0 to 1"));
  Reference reference(std::move(score), threshold);

  HF_TRY(const json* const columns, fields.array("columns", data::kMaxColumns));
  std::set<std::string> names;
  for (const json& element : *columns) {
    HF_TRY(auto column,
           read_column(element, fmt::format("column {} of the reference", reference.columns_.size())));
    if (!names.insert(column.name).second) return fail(fields.wrong("columns", "have a name twice"));
    reference.columns_.push_back(std::move(column));
  }
  if (reference.columns_.empty()) return fail(fields.wrong("columns", "are none"));
  HF_TRY(const json* const unwatched, fields.array("unwatched", data::kMaxColumns));
  for (const json& name : *unwatched) {
    if (!name.is_string() || !names.insert(name.get<std::string>()).second) {
      return fail(fields.wrong("unwatched", "holds what is no name, or one twice"));
    }
    reference.unwatched_.push_back(name.get<std::string>());
  }
  if (fields.has("calibration")) {
    HF_TRY(const json* const calibration, fields.object("calibration"));
    HF_TRY(reference.calibration_, read_calibration(*calibration));
  }
  HF_CHECK(fields.end());
  return reference;
}

}  // namespace holdfast::monitor
