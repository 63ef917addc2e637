// ONNX Runtime's own call in this process, without engine, gateway or network: what every prediction pays.
//   HOLDFAST_BENCH_MODEL=model.onnx model_ort_bench
// One row of each input's width; without the variable a model that copies a row of 23 numbers.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "model/test_models.h"
#include "model_ort/ort_predictor.h"

namespace holdfast::model_ort {
namespace {

std::string model_bytes() {
  const char* path = std::getenv("HOLDFAST_BENCH_MODEL");
  if (path == nullptr) return model::identity_model(model::kOnnxFloat, {-1, 23});
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<model::Tensor> one_row(const model::Signature& signature) {
  std::vector<model::Tensor> inputs;
  for (const auto& input : signature.inputs) {
    model::Tensor tensor{.name = input.name, .datatype = input.datatype, .shape = input.shape};
    std::size_t values = 1;
    for (auto& size : tensor.shape) {
      if (size < 0) size = 1;
      values *= static_cast<std::size_t>(size);
    }
    tensor.data.resize(values * model::element_bytes(tensor.datatype));
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

void own_call(benchmark::State& state) {
  auto runtime = Runtime::create();
  if (!runtime) return state.SkipWithError(runtime.error().message.c_str());
  const std::string bytes = model_bytes();
  auto predictor = OrtPredictor::load(*runtime, base::as_bytes(bytes));
  if (!predictor) return state.SkipWithError(predictor.error().message.c_str());
  const auto inputs = one_row(predictor->signature());
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::hours(1);
  for (auto _ : state) {
    const auto outputs = predictor->predict(inputs, deadline);
    if (!outputs) return state.SkipWithError(outputs.error().message.c_str());
  }
}
BENCHMARK(own_call)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace holdfast::model_ort
