// What a decision costs, by the number of policies: `p50` and `p99` are nanoseconds a decision, taken over
// runs of 16.
//   policy_bench [--benchmark_filter=...]

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "policy/authorizer.h"
#include "policy/explain.h"
#include "policy/parser.h"

namespace holdfast::policy {
namespace {

constexpr int kUsers = 1'000;
constexpr int kModels = 1'000;
constexpr int kTeams = 100;

// Users in teams, models in projects with an owner and evidence, three actions in groups.
Entities make_entities() {
  std::vector<Entity> entities;
  for (int i = 0; i < kUsers; ++i) {
    entities.push_back(
        {.uid = EntityUid("User", std::to_string(i)),
         .parents = {EntityUid("Team", std::to_string(i % kTeams)), EntityUid("Role", "engineer")}});
  }
  for (int i = 0; i < kModels; ++i) {
    const Record evidence({{"gap", Value(Decimal{i % 900})}, {"signed", Value::boolean(i % 7 != 0)}});
    entities.push_back({.uid = EntityUid("Model", std::to_string(i)),
                        .attributes = Record({{"owner", Value(EntityUid("User", std::to_string(i % kUsers)))},
                                              {"evidence", Value(evidence)}}),
                        .parents = {EntityUid("Project", std::to_string(i % kTeams))}});
  }
  for (const char* action : {"read", "predict", "release"}) {
    entities.push_back({.uid = EntityUid("Action", action), .parents = {EntityUid("Action", "any")}});
  }
  auto store = Entities::make(std::move(entities));
  return std::move(store).value();
}

// Half grants to one user, half to one team, and a gate of three requirements.
Authorizer make_authorizer(std::int64_t policies) {
  std::string text = R"(
      forbid(principal, action == Action::"release", resource is Model)
      unless { resource has evidence.gap && resource.evidence.gap.lessThan(decimal("0.0500")) };
      forbid(principal, action == Action::"release", resource is Model) unless { resource.evidence.signed };
      forbid(principal, action, resource) when { !context.mfa && action != Action::"read" };)";
  for (std::int64_t i = 3; i < policies; ++i) {
    const std::string n = std::to_string(i / 2 % kUsers);
    const std::string team = std::to_string(i / 2 % kTeams);
    text += i % 2 == 0 ? "permit(principal == User::\"" + n +
                             "\", action in Action::\"any\", resource) "
                             "when { resource.owner == principal || context.hour < 18 };\n"
                       : "permit(principal in Team::\"" + team +
                             "\", action == Action::\"predict\", resource in Project::\"" + n +
                             "\") when { context.mfa };\n";
  }
  auto parsed = parse_policies(text);
  return Authorizer(std::move(parsed).value());
}

std::vector<Request> make_requests() {
  std::vector<Request> requests;
  const std::vector<std::string> actions{"read", "predict", "release"};
  for (std::size_t i = 0; i < 4'096; ++i) {
    requests.emplace_back(
        EntityUid("User", std::to_string(i * 7 % kUsers)), EntityUid("Action", actions[i % 3]),
        EntityUid("Model", std::to_string(i * 13 % kModels)),
        Record({{"mfa", Value::boolean(i % 5 != 0)}, {"hour", Value::integer(static_cast<int>(i % 24))}}));
  }
  return requests;
}

void decide(benchmark::State& state) {
  constexpr std::size_t kRun = 16;
  static const Entities kStore = make_entities();
  static const std::vector<Request> kRequests = make_requests();
  const Authorizer authorizer = make_authorizer(state.range(0));
  std::vector<double> nanoseconds;
  std::size_t next = 0;
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < kRun; ++i) {
      benchmark::DoNotOptimize(authorizer.decide(kRequests[next++ % kRequests.size()], kStore));
    }
    const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - start;
    nanoseconds.push_back(taken.count() / kRun);
  }
  std::sort(nanoseconds.begin(), nanoseconds.end());
  state.counters["p50"] = nanoseconds[nanoseconds.size() / 2];
  state.counters["p99"] = nanoseconds[nanoseconds.size() * 99 / 100];
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kRun));
}
BENCHMARK(decide)->Arg(10)->Arg(100)->Arg(1'000)->Arg(10'000);

// bytes_per_second of policy text.
void parse(benchmark::State& state) {
  const Authorizer authorizer = make_authorizer(state.range(0));
  std::string text;
  for (const Policy& policy : authorizer.policies().policies()) text += policy.text();
  for (auto _ : state) benchmark::DoNotOptimize(parse_policies(text));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK(parse)->Arg(1'000);

}  // namespace
}  // namespace holdfast::policy
