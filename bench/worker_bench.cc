// What a jailed worker costs: to start and end one, and to ask it something.
//   worker_bench [--benchmark_filter=...]
// The worker is this program again, which echoes what it is sent.

#include <benchmark/benchmark.h>

#include <cstdio>
#include <string_view>

#include "worker/child.h"
#include "worker/process.h"

namespace holdfast::worker {
namespace {

constexpr std::chrono::seconds kPatience{30};

base::Result<Process> start_echo(bool answering) {
  return Process::start({.argv = {"worker_bench", answering ? "echo" : "end"}});
}

// Process, libraries, jail, greeting, end.
void start_and_end(benchmark::State& state) {
  for (auto _ : state) {
    auto worker = start_echo(false);
    if (!worker) return state.SkipWithError(worker.error().message.c_str());
    if (!worker->wait(deadline_in(kPatience))) return state.SkipWithError("it did not end");
  }
}
BENCHMARK(start_and_end)->Unit(benchmark::kMillisecond)->UseRealTime();

void ask(benchmark::State& state) {
  auto worker = start_echo(true);
  if (!worker) return state.SkipWithError(worker.error().message.c_str());
  const base::Bytes request(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) {
    auto answer = worker->exchange(request, deadline_in(kPatience));
    if (!answer) return state.SkipWithError(answer.error().message.c_str());
    benchmark::DoNotOptimize(answer->data());
  }
  state.SetBytesProcessed(2 * state.range(0) * state.iterations());
}
BENCHMARK(ask)->Arg(64)->Arg(4096)->Arg(1 << 20)->Unit(benchmark::kMicrosecond)->UseRealTime();

int echo() {
  auto channel = begin_work();
  if (!channel) return 1;
  for (;;) {
    const auto request = channel->receive(kNoDeadline);
    if (!request || !*request) return 0;
    if (!channel->send((*request)->bytes, kNoDeadline)) return 0;
  }
}

}  // namespace
}  // namespace holdfast::worker

int main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  if (mode == "echo") return holdfast::worker::echo();
  if (mode == "end") return holdfast::worker::begin_work() ? 0 : 1;
  benchmark::Initialize(&argc, argv);
  if (const auto probe = holdfast::worker::start_echo(false)) {
    std::printf("jail: %s\n", probe->jail().text().c_str());
  }
  benchmark::RunSpecifiedBenchmarks();
}
