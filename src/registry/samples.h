#pragma once

#include <fmt/format.h>

#include <string>

#include "lab/feed_forward.h"

// For tests: a small population, a model of it, and what the model must show.

namespace holdfast::registry {

inline std::string sample_csv(int rows, int first = 0) {
  std::string csv = "x,sex,y\n";
  for (int row = first; row < first + rows; ++row) {
    csv += fmt::format("{},{},{}\n", row % 100, row % 3 == 0 ? "f" : "m", row % 100 > 49 ? 1 : 0);
  }
  return csv;
}

// One model for each number.
inline std::string sample_onnx(float number) {
  const auto bytes = lab::write_onnx(
      {.mean = {0},
       .scale = {1},
       .layers = {{.inputs = 1, .outputs = 2, .weights = {-number, number}, .bias = {0, 0}}}});
  return {bytes.begin(), bytes.end()};
}

inline constexpr const char* kSampleTask = "[task]\nlabel = \"y\"\nfeatures = [\"x\"]\n";
inline constexpr const char* kSampleGate = R"(
permit(principal, action == Action::"approve", resource);
@id("auc") @figure("AUC") @remedy("train longer")
forbid(principal, action == Action::"approve", resource)
unless { context has evidence.auc.lower && context.evidence.auc.lower.greaterThanOrEqual(decimal("0.80")) };
)";

}  // namespace holdfast::registry
