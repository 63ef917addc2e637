#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "lab/feed_forward.h"

// What a graph computes, one row at a time and in doubles: the tests' yardstick.

namespace holdfast::lab {

inline double apply(const Step& step, double input, double other) {
  const double first = step.swapped ? other : input;
  const double second = step.swapped ? input : other;
  switch (step.operation) {
    case Operation::kAdd:
      return first + second;
    case Operation::kSub:
      return first - second;
    case Operation::kMul:
      return first * second;
    case Operation::kDiv:
      return first / second;
    case Operation::kRelu:
      return std::max(input, 0.0);
    case Operation::kSigmoid:
      return 1 / (1 + std::exp(-input));
    case Operation::kTanh:
      return std::tanh(input);
    default:
      return input;
  }
}

inline std::vector<double> dense(const Step& step, const std::vector<double>& input) {
  std::vector<double> output(step.bias.values.begin(), step.bias.values.end());
  for (std::size_t i = 0; i < input.size(); ++i) {
    for (std::size_t j = 0; j < output.size(); ++j) {
      output[j] += input[i] * static_cast<double>(step.weights.values[i * output.size() + j]);
    }
  }
  return output;
}

inline std::vector<double> softmax(std::vector<double> values) {
  const double greatest = *std::ranges::max_element(values);
  for (double& value : values) value = std::exp(value - greatest);
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  for (double& value : values) value /= sum;
  return values;
}

inline std::vector<float> forward(const FeedForward& graph, const std::vector<float>& row) {
  std::vector<std::vector<double>> values{{row.begin(), row.end()}};
  for (const Step& step : graph.steps) {
    std::vector<double> output = values[step.input];
    if (step.operation == Operation::kGemm) {
      output = dense(step, output);
    } else if (step.operation == Operation::kConcat) {
      output.clear();
      for (const std::size_t part : step.parts) {
        output.insert(output.end(), values[part].begin(), values[part].end());
      }
    } else if (step.operation == Operation::kSoftmax) {
      output = softmax(output);
    } else {
      const auto& constant = step.constant.values;
      for (std::size_t i = 0; i < output.size(); ++i) {
        const double other = step.other         ? values[*step.other][i]
                             : constant.empty() ? 0
                                                : static_cast<double>(constant[constant.size() == 1 ? 0 : i]);
        output[i] = apply(step, output[i], other);
      }
    }
    values.push_back(std::move(output));
  }
  return {values.back().begin(), values.back().end()};
}

}  // namespace holdfast::lab
