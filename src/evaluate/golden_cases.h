#pragma once

#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "evaluate/answers.h"

// For tests: what scikit-learn and fairlearn make of the inputs in testdata/golden.json (written by
// testdata/make_golden.py).

namespace holdfast::evaluate {

struct GoldenCase {
  std::vector<std::uint8_t> labels;
  std::vector<double> scores;
  std::vector<std::string> groups;
  double threshold;
  nlohmann::json expected;

  [[nodiscard]] Answers answers() const {
    return {.labels = labels, .scores = scores, .threshold = threshold};
  }
};

inline std::vector<GoldenCase> golden_cases() {
  const auto golden = nlohmann::json::parse(std::ifstream(HOLDFAST_TESTDATA "/golden.json"));
  std::vector<GoldenCase> cases;
  for (const auto& one : golden.at("cases")) {
    cases.push_back({.labels = one.at("labels").get<std::vector<std::uint8_t>>(),
                     .scores = one.at("scores").get<std::vector<double>>(),
                     .groups = one.at("groups").get<std::vector<std::string>>(),
                     .threshold = one.at("threshold").get<double>(),
                     .expected = one});
  }
  return cases;
}

}  // namespace holdfast::evaluate
