#include <cmath>
#include <cstdlib>

#include "formats/source.h"
#include "lab/feed_forward.h"

namespace lab = holdfast::lab;

// What is accepted fits together.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto graph = lab::read_feed_forward(holdfast::formats::MemorySource({data, size}));
  if (!graph) return 0;
  const auto width = [&](std::size_t value) {
    return value == 0 ? graph->columns : graph->steps[value - 1].width;
  };
  for (std::size_t i = 0; i < graph->steps.size(); ++i) {
    const lab::Step& step = graph->steps[i];
    if (step.input > i || (step.other && *step.other > i) || step.width == 0) std::abort();
    if (step.operation == lab::Operation::kGemm) {
      if (step.weights.rows != width(step.input) || step.weights.columns != step.width) std::abort();
      if (step.weights.values.size() != step.weights.rows * step.weights.columns) std::abort();
      if (step.bias.values.size() != step.width) std::abort();
    } else if (step.operation == lab::Operation::kConcat) {
      std::size_t sum = 0;
      for (const std::size_t part : step.parts) sum += part > i ? SIZE_MAX / 2 : width(part);
      if (sum != step.width) std::abort();
    } else if (width(step.input) != step.width) {
      std::abort();
    }
    for (const float value : step.weights.values) {
      if (!std::isfinite(value)) std::abort();
    }
  }
  return 0;
}
