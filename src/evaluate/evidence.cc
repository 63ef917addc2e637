#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "evaluate/gate.h"
#include "evaluate/gate_path.h"

namespace holdfast::evaluate {
namespace {

constexpr double kScale = 10'000;         // of policy::Decimal
constexpr double kMaxScaled = 1LL << 52;  // whole numbers are exact as doubles, far inside of a decimal

// A number k of ten-thousandths reads as the double nearest to k / 10000, which division gives; comparing
// with that, and not with the rounded product, is what makes 0.66 exactly 0.6600 both ways.
std::optional<double> whole_below(double value) {
  if (!(std::abs(value) <= kMaxScaled / kScale)) return std::nullopt;
  double whole = std::floor(value * kScale);
  if (whole / kScale > value) whole -= 1;
  if ((whole + 1) / kScale <= value) whole += 1;
  return whole;
}

std::optional<policy::Decimal> decimal_of(std::optional<double> whole) {
  if (!whole) return std::nullopt;
  return policy::Decimal{static_cast<std::int64_t>(*whole)};
}

// Names at one level of the evidence.
struct Tree {
  std::map<std::string, Tree> below;
  const stats::Measurement* figure = nullptr;
};

policy::Record record_of(const stats::Measurement& figure) {
  constexpr std::uint64_t kMaxLong = std::numeric_limits<std::int64_t>::max();
  std::vector<policy::Field> fields;
  const auto add = [&](const char* name, std::optional<policy::Decimal> decimal) {
    if (decimal) fields.push_back({.name = name, .value = policy::Value(*decimal)});
  };
  add("value", decimal_nearest(figure.value));
  add("lower", decimal_below(figure.interval.low));
  add("upper", decimal_above(figure.interval.high));
  const auto rows = static_cast<std::int64_t>(std::min(figure.sample_size, kMaxLong));
  fields.push_back({.name = "n", .value = policy::Value::integer(rows)});
  return policy::Record(std::move(fields));
}

// Recursion as deep as a path is long (gate_path.h).
policy::Record record_of(const Tree& tree) {
  std::vector<policy::Field> fields;
  for (const auto& [name, below] : tree.below) {
    fields.push_back(
        {.name = name,
         .value = policy::Value(below.figure != nullptr ? record_of(*below.figure) : record_of(below))});
  }
  return policy::Record(std::move(fields));
}

}  // namespace

std::optional<policy::Decimal> decimal_below(double value) { return decimal_of(whole_below(value)); }

std::optional<policy::Decimal> decimal_above(double value) {
  const auto below = whole_below(-value);
  return below ? decimal_of(-*below) : std::nullopt;
}

std::optional<policy::Decimal> decimal_nearest(double value) {
  if (!(std::abs(value) <= kMaxScaled / kScale)) return std::nullopt;
  return decimal_of(std::round(value * kScale));
}

std::vector<std::string> path_in_evidence(const Figure& figure) {
  std::vector<std::string> path;
  const auto add = [&](const char* word, const std::string& part) {
    if (part.empty()) return;
    path.emplace_back(word);
    path.push_back(part);
  };
  add("over", figure.scope.over);
  add("under", figure.scope.under);
  add("by", figure.scope.by);
  add("groups", figure.scope.group);
  path.push_back(figure.measurement.name);
  return path;
}

policy::Record evidence_of(const std::vector<Figure>& figures) {
  Tree root;
  for (const Figure& figure : figures) {
    Tree* at = &root;
    for (const std::string& name : path_in_evidence(figure)) at = &at->below[name];
    at->figure = &figure.measurement;
  }
  return record_of(root);
}

}  // namespace holdfast::evaluate
