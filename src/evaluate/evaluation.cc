#include "evaluate/evaluation.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "data/json_fields.h"

namespace holdfast::evaluate {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using data::JsonFields;
using data::number_text;
using nlohmann::json;

constexpr std::uint64_t kVersion = 1;
constexpr std::uint64_t kMaxCount = (1ULL << 53) - 1;  // the integers of RFC 8785
constexpr std::size_t kMaxBytes = 64UL << 20;

// Members of a figure's scope, and where they are kept.
struct ScopeMember {
  std::string_view name;
  std::string Scope::* part;
};
constexpr ScopeMember kScopeMembers[] = {
    {"by", &Scope::by}, {"group", &Scope::group}, {"over", &Scope::over}, {"under", &Scope::under}};

json json_of(const Figure& figure) {
  const stats::Measurement& measurement = figure.measurement;
  json value = {{"confidence", number_text(measurement.interval.confidence.level())},
                {"method", measurement.method},
                {"name", measurement.name},
                {"rows", measurement.sample_size}};
  for (const auto& [name, part] : kScopeMembers) {
    if (!(figure.scope.*part).empty()) value[std::string(name)] = figure.scope.*part;
  }
  const auto put = [&](const char* name, double number) {
    if (std::isfinite(number)) value[name] = number_text(number);
  };
  put("value", measurement.value);
  put("low", measurement.interval.low);
  put("high", measurement.interval.high);
  return value;
}

Result<double> number_or(JsonFields& fields, std::string_view name, double otherwise) {
  if (!fields.has(name)) return otherwise;
  return fields.number_text(name);
}

Result<Figure> figure_from(const json& value, std::size_t place) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  HF_TRY(JsonFields fields, JsonFields::of(value, fmt::format("figure {} of the evaluation", place)));
  HF_TRY(const double level, fields.number_text("confidence"));
  HF_TRY(const auto confidence, stats::Confidence::create(level));
  HF_TRY(const double low, number_or(fields, "low", -kInfinity));
  HF_TRY(const double high, number_or(fields, "high", kInfinity));
  HF_TRY(const double measured, number_or(fields, "value", std::numeric_limits<double>::quiet_NaN()));
  HF_TRY(const std::uint64_t rows, fields.count("rows"));
  Figure figure{.scope = {},
                .measurement = {.name = "",
                                .value = measured,
                                .interval = {.low = low, .high = high, .confidence = confidence},
                                .sample_size = rows,
                                .method = ""}};
  HF_TRY(figure.measurement.name, fields.text("name"));
  HF_TRY(figure.measurement.method, fields.text("method"));
  for (const auto& [name, part] : kScopeMembers) {
    if (!fields.has(name)) continue;
    HF_TRY(figure.scope.*part, fields.text(name));
    if ((figure.scope.*part).empty()) return fail(fields.wrong(name, "is empty"));
  }
  HF_CHECK(fields.end());
  return figure;
}

Result<LeftOut> left_out_from(const json& value, std::size_t place) {
  HF_TRY(JsonFields fields, JsonFields::of(value, fmt::format("left out group {} of the evaluation", place)));
  LeftOut group;
  HF_TRY(group.by, fields.text("by"));
  HF_TRY(group.group, fields.text("group"));
  HF_TRY(group.rows, fields.count("rows"));
  HF_CHECK(fields.end());
  return group;
}

Result<base::Digest> digest_from(JsonFields& fields, std::string_view name) {
  HF_TRY(const std::string text, fields.text(name));
  auto digest = base::Digest::from_hex(text);
  if (!digest || digest->prefixed() != text) return fail(fields.wrong(name, "is no sha256: digest"));
  return *digest;
}

Result<std::uint64_t> seed_from(JsonFields& fields) {
  HF_TRY(const std::string text, fields.text("seed"));
  std::uint64_t seed = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (read.ec != std::errc() || std::to_string(seed) != text) {
    return fail(fields.wrong("seed", "is no number from 0 to 2^64 - 1"));
  }
  return seed;
}

Result<> check_text(std::string_view what, std::string_view text, std::size_t at_most) {
  if (!text.empty() && text.size() <= at_most && data::is_utf8(text)) return {};
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("the evaluation's {} is empty, over {} bytes, or no UTF-8", what, at_most));
}

Result<> check_figures(const std::vector<Figure>& figures) {
  std::set<std::pair<std::string_view, Scope>> seen;
  for (const Figure& figure : figures) {
    HF_CHECK(check_figure(figure));
    HF_CHECK(check_text(fmt::format("method of {}", figure.measurement.name), figure.measurement.method,
                        kMaxMethodBytes));
    if (figure.measurement.sample_size > kMaxCount) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("{} has too many rows", title(figure)));
    }
    if (!seen.emplace(figure.measurement.name, figure.scope).second) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("{} is there twice", title(figure)));
    }
  }
  return {};
}

}  // namespace

Result<> check_evaluation(const Evaluation& evaluation) {
  HF_CHECK(check_text("split", evaluation.split, kMaxScopeBytes));
  if (evaluation.rows == 0 || evaluation.rows > kMaxCount || evaluation.minimum_group_rows > kMaxCount) {
    return fail(ErrorCode::kInvalidArgument, "an evaluation has 1 to 2^53 - 1 rows, and a group's least too");
  }
  if (!(evaluation.threshold >= 0 && evaluation.threshold <= 1)) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("the threshold {} is outside of 0 to 1", evaluation.threshold));
  }
  if (evaluation.figures.size() > kMaxFigures || evaluation.left_out.size() > kMaxFigures) {
    return fail(ErrorCode::kLimitExceeded, fmt::format("an evaluation has at most {} figures", kMaxFigures));
  }
  for (const LeftOut& group : evaluation.left_out) {
    HF_CHECK(check_text("grouping", group.by, kMaxScopeBytes));
    HF_CHECK(check_text("left out group", group.group, kMaxScopeBytes));
    if (group.rows > kMaxCount) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("group {} has too many rows", group.group));
    }
  }
  return check_figures(evaluation.figures);
}

Result<std::string> to_json(const Evaluation& evaluation) {
  HF_CHECK(check_evaluation(evaluation));
  json value = {{"dataset", evaluation.dataset.prefixed()},
                {"figures", json::array()},
                {"left_out", json::array()},
                {"minimum_group_rows", evaluation.minimum_group_rows},
                {"model", evaluation.model.prefixed()},
                {"rows", evaluation.rows},
                {"seed", std::to_string(evaluation.seed)},
                {"split", evaluation.split},
                {"threshold", number_text(evaluation.threshold)},
                {"version", kVersion}};
  for (const Figure& figure : evaluation.figures) value["figures"].push_back(json_of(figure));
  for (const LeftOut& group : evaluation.left_out) {
    value["left_out"].push_back({{"by", group.by}, {"group", group.group}, {"rows", group.rows}});
  }
  return base::canonical_json(value);
}

Result<Evaluation> parse_evaluation(std::string_view text) {
  HF_TRY(const json value, base::parse_json(text, {.max_bytes = kMaxBytes, .max_depth = 3}));
  HF_TRY(JsonFields fields, JsonFields::of(value, "the evaluation"));
  HF_TRY(const std::uint64_t version, fields.count("version"));
  if (version != kVersion) return fail(fields.wrong("version", fmt::format("is not {}", kVersion)));
  Evaluation evaluation;
  HF_TRY(evaluation.model, digest_from(fields, "model"));
  HF_TRY(evaluation.dataset, digest_from(fields, "dataset"));
  HF_TRY(evaluation.split, fields.text("split"));
  HF_TRY(evaluation.rows, fields.count("rows"));
  HF_TRY(evaluation.seed, seed_from(fields));
  HF_TRY(evaluation.threshold, fields.number_text("threshold"));
  HF_TRY(evaluation.minimum_group_rows, fields.count("minimum_group_rows"));
  HF_TRY(const json* const figures, fields.array("figures", kMaxFigures));
  for (const json& element : *figures) {
    HF_TRY(auto figure, figure_from(element, evaluation.figures.size()));
    evaluation.figures.push_back(std::move(figure));
  }
  HF_TRY(const json* const left_out, fields.array("left_out", kMaxFigures));
  for (const json& element : *left_out) {
    HF_TRY(auto group, left_out_from(element, evaluation.left_out.size()));
    evaluation.left_out.push_back(std::move(group));
  }
  HF_CHECK(fields.end());
  HF_CHECK(check_evaluation(evaluation));
  return evaluation;
}

}  // namespace holdfast::evaluate
