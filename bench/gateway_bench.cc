// What a guarded prediction costs, stage by stage: the request's JSON, the guard, the engine, the whole
// without HTTP.
//   gateway_bench [--benchmark_filter=...]
// One row of 23 numbers, as in the credit example. "time" is what passes, "cpu" what this process takes; the
// engine's own processor time is not in it.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "gateway/gateway.h"
#include "gateway/inference_answer.h"
#include "model/engine_pool.h"
#include "model/test_models.h"

namespace holdfast::gateway {
namespace {

constexpr int kColumns = 23;

std::string request_body() {
  std::string data;
  for (int i = 0; i < kColumns; ++i) data += fmt::format("{}{}", i == 0 ? "" : ",", i * 1.37 + 0.125);
  return fmt::format(
      R"({{"id":"r1","inputs":[{{"name":"x","shape":[1,{}],"datatype":"FP32","data":[{}]}}]}})", kColumns,
      data);
}

InferenceRequest request() {
  return parse_inference_request(base::as_bytes(request_body()), std::nullopt, {}).value();
}

model::Signature signature() { return {.inputs = {{.name = "x", .shape = {-1, kColumns}}}, .outputs = {}}; }

Guard guard() {
  data::Schema schema;
  InputColumns input{.input = "x", .columns = {}};
  for (int i = 0; i < kColumns; ++i) {
    input.columns.push_back(fmt::format("column {}", i));
    schema.columns.push_back(
        {.name = input.columns.back(), .type = data::ColumnType::kReal, .range = data::Range{-100, 100}});
  }
  return Guard::create(signature(), schema, {input}, {}).value();
}

std::unique_ptr<model::EnginePool> engine() {
  const std::string bytes = model::identity_model(model::kOnnxFloat, {-1, kColumns});
  const formats::MemorySource source(base::as_bytes(bytes));
  auto pool = model::EnginePool::start(model::SealedModel::copy(source).value());
  return pool ? *std::move(pool) : nullptr;
}

void parse(benchmark::State& state) {
  const std::string body = request_body();
  for (auto _ : state) {
    benchmark::DoNotOptimize(parse_inference_request(base::as_bytes(body), std::nullopt, {}));
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(body.size()) * state.iterations());
}
BENCHMARK(parse)->Unit(benchmark::kMicrosecond);

void guard_one_row(benchmark::State& state) {
  const Guard checks = guard();
  const auto inputs = request().inputs;
  for (auto _ : state) benchmark::DoNotOptimize(checks.check(inputs));
}
BENCHMARK(guard_one_row)->Unit(benchmark::kMicrosecond);

// ONNX Runtime's own call is in it: a copy of one row.
void engine_round_trip(benchmark::State& state) {
  const auto pool = engine();
  if (pool == nullptr) return state.SkipWithError("holdfast-engine is not there");
  const auto inputs = request().inputs;
  for (auto _ : state) {
    const auto outputs = pool->predict(inputs, worker::deadline_in(std::chrono::seconds(10)));
    if (!outputs) return state.SkipWithError(outputs.error().message.c_str());
  }
}
BENCHMARK(engine_round_trip)->Unit(benchmark::kMicrosecond)->UseRealTime();

void whole(benchmark::State& state) {
  std::shared_ptr<model::Predictor> pool = engine();
  if (pool == nullptr) return state.SkipWithError("holdfast-engine is not there");
  std::vector<Endpoint> endpoints;
  endpoints.push_back({.name = "credit",
                       .versions = {{.name = "1",
                                     .share = Snapshot::kAllTraffic,
                                     .predictor = pool,
                                     .guard = std::make_shared<const Guard>(guard())}},
                       .limits = {},
                       .rate = {.per_second = 1e9, .burst = 1e9}});
  Gateway gateway({.server_version = "1", .sinks = {}});
  gateway.swap(Snapshot::create(std::move(endpoints)).value());
  const std::string body = request_body();
  for (auto _ : state) {
    const Answer answer =
        gateway.infer({.endpoint = "credit", .principal = "p", .body = base::as_bytes(body)});
    if (answer.status != 200) return state.SkipWithError(answer.body.c_str());
  }
}
BENCHMARK(whole)->Unit(benchmark::kMicrosecond)->UseRealTime();

}  // namespace
}  // namespace holdfast::gateway
