#pragma once

#include <fstream>
#include <limits>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

// For tests: what other programs make of the inputs in testdata/golden.json (written by
// testdata/make_golden.py).

namespace holdfast::stats {

inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

inline const nlohmann::json& golden(std::string_view part) {
  static const auto all = nlohmann::json::parse(std::ifstream(HOLDFAST_TESTDATA "/golden.json"));
  return all.at(part);
}

template <typename T = double>
std::vector<T> values_of(const nlohmann::json& array) {
  return array.get<std::vector<T>>();
}

}  // namespace holdfast::stats
