// What figures cost: sketches of a column in nanoseconds a value, the bootstrap of fairness cells, the tests
// of drift.
//   stats_bench [--benchmark_filter=...]

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "stats/bootstrap.h"
#include "stats/classification.h"
#include "stats/frequent_items.h"
#include "stats/numeric_sketch.h"
#include "stats/philox.h"
#include "stats/roc.h"
#include "stats/tests.h"

namespace holdfast::stats {
namespace {

constexpr std::size_t kValues = 1 << 18;

std::vector<double> amounts(std::size_t count = kValues) {
  PhiloxStream random(1, 0);
  std::vector<double> values(count);
  for (double& value : values) value = std::exp(7 + 1.5 * random.normal());
  return values;
}

void count_values(benchmark::State& state, std::size_t values) {
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * values));
}

// items_per_second is values a second: 1e9 over it are nanoseconds a value.
template <typename Sketch>
void sketch_numbers(benchmark::State& state) {
  const std::vector<double> values = amounts();
  Sketch sketch;
  for (auto _ : state) {
    for (const double value : values) sketch.add(value);
    benchmark::DoNotOptimize(&sketch);
  }
  count_values(state, values.size());
}
BENCHMARK(sketch_numbers<Moments>);
BENCHMARK(sketch_numbers<LogLinearHistogram>);
BENCHMARK(sketch_numbers<HyperLogLog>);
BENCHMARK(sketch_numbers<NumericSketch>);

// With so many different texts, seen equally often.
void sketch_texts(benchmark::State& state) {
  PhiloxStream random(2, 0);
  std::vector<std::string> texts(kValues);
  for (std::string& text : texts) {
    text = "category " +
           std::to_string(static_cast<std::int64_t>(random.uniform() * static_cast<double>(state.range(0))));
  }
  FrequentItems sketch(1024);
  for (auto _ : state) {
    for (const std::string& text : texts) sketch.add(text);
    benchmark::DoNotOptimize(&sketch);
  }
  count_values(state, texts.size());
}
BENCHMARK(sketch_texts)->Arg(10)->Arg(1000)->Arg(100'000);

void merge_sketches(benchmark::State& state) {
  NumericSketch shard;
  shard.add(amounts());
  for (auto _ : state) {
    NumericSketch whole;
    for (int i = 0; i < 64; ++i) whole.merge(shard);
    benchmark::DoNotOptimize(&whole);
  }
  count_values(state, 64);
}
BENCHMARK(merge_sketches);

// The largest difference of selection rates over ten groups, as many rows as the Adult test set has.
void bootstrap_fairness(benchmark::State& state) {
  ConfusionTable table = ConfusionTable::create(10, 2).value();
  PhiloxStream random(3, 0);
  for (int row = 0; row < 16'281; ++row) {
    const auto group = static_cast<std::size_t>(10 * random.uniform() * random.uniform());
    table.add(group, random.uniform() < .24 ? 1 : 0, random.uniform() < .2 ? 1 : 0);
  }
  const auto parity = [&](std::span<const std::uint64_t> cells) {
    double least = 1;
    double most = 0;
    for (std::size_t group = 0; group < 10; ++group) {
      const double rate = table.matrix(cells, group).one_vs_rest(1).selection_rate();
      least = std::min(least, rate);
      most = std::max(most, rate);
    }
    return most - least;
  };
  const auto replicates = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    const auto result = bootstrap(table.cells(), parity, replicates, 1);
    if (!result) return state.SkipWithError(result.error().message.c_str());
    benchmark::DoNotOptimize(bca_interval(*result, kConfidence95));
  }
  count_values(state, replicates);
}
BENCHMARK(bootstrap_fairness)->Arg(100)->Arg(2000)->Unit(benchmark::kMicrosecond);

void compare_areas(benchmark::State& state) {
  PhiloxStream random(4, 0);
  std::vector<double> first(100'000);
  std::vector<double> second(first.size());
  std::vector<std::uint8_t> labels(first.size());
  for (std::size_t i = 0; i < first.size(); ++i) {
    labels[i] = random.uniform() < .3 ? 1 : 0;
    first[i] = random.uniform() + labels[i];
    second[i] = random.uniform() + labels[i] * .8;
  }
  for (auto _ : state) {
    const auto result = compare_auc(first, second, labels);
    if (!result) return state.SkipWithError(result.error().message.c_str());
    benchmark::DoNotOptimize(result->p_value());
  }
  count_values(state, first.size());
}
BENCHMARK(compare_areas)->Unit(benchmark::kMillisecond);

void test_drift_exactly(benchmark::State& state) {
  const std::vector<double> all = amounts(2 * kKsExactRows);
  const std::span<const double> values(all);
  for (auto _ : state) {
    const auto result = kolmogorov_smirnov(values.first(kKsExactRows), values.last(kKsExactRows));
    if (!result) return state.SkipWithError(result.error().message.c_str());
    benchmark::DoNotOptimize(result->p_value);
  }
}
BENCHMARK(test_drift_exactly)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace holdfast::stats
