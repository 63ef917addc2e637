// Durable records of the audit log, on the disk that holds TMPDIR: one sync a round, shared by all who wait.
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <memory>

#include "audit/log.h"
#include "audit/verify.h"

namespace holdfast::audit {
namespace {

namespace fs = std::filesystem;

// Keys and a log in a folder on a real disk that goes with its scope.
class Installation {
 public:
  Installation() : path_((fs::temp_directory_path() / "audit_bench.XXXXXX").string()) {
    if (::mkdtemp(path_.data()) == nullptr) std::abort();
    const fs::path folder(path_);
    if (!keys::MasterKey::generate_file(folder / "master.key", folder / "state", base::system_random()))
      std::abort();
    auto master = keys::MasterKey::from_file(folder / "master.key", folder / "state");
    keys_ = keys::KeyStore::open(folder / "keys", std::move(master).value()).value();
    log_ = Log::open(folder / "log", *keys_).value();
  }
  Installation(const Installation&) = delete;
  Installation& operator=(const Installation&) = delete;
  ~Installation() {
    log_.reset();
    fs::remove_all(path_);
  }
  [[nodiscard]] Log& log() const { return *log_; }
  [[nodiscard]] fs::path log_folder() const { return fs::path(path_) / "log"; }

 private:
  std::string path_;
  std::unique_ptr<keys::KeyStore> keys_;
  std::unique_ptr<Log> log_;
};

Record record() {
  return {.workspace = base::WorkspaceId("default"),
          .actor = "service:scorer",
          .action = "endpoint.predict",
          .resource = "endpoint/credit",
          .decision = "allow",
          .details = R"({"prediction":"0123456789abcdef","model":"credit/7","rows":1})"};
}

std::unique_ptr<Installation> shared;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

// Each thread waits for each of its records.
void durable_records(benchmark::State& state) {
  if (state.thread_index() == 0) shared = std::make_unique<Installation>();
  for (auto _ : state) {
    if (!shared->log().append(record())) std::abort();
  }
  state.SetItemsProcessed(state.iterations());
  if (state.thread_index() == 0) shared.reset();
}
BENCHMARK(durable_records)->ThreadRange(1, 64)->UseRealTime();

// Nobody waits for one, and all are durable at the end.
void noted_records(benchmark::State& state) {
  constexpr int kBatch = 4096;
  const Installation installation;
  for (auto _ : state) {
    for (int i = 0; i < kBatch; ++i) {
      if (!installation.log().note(record())) std::abort();
    }
    if (!installation.log().flush()) std::abort();
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
}
BENCHMARK(noted_records)->UseRealTime();

void verify_records(benchmark::State& state) {
  constexpr std::uint64_t kRecords = 8192;
  const Installation installation;
  for (std::uint64_t i = 0; i < kRecords; ++i) {
    if (!installation.log().note(record())) std::abort();
    if (i % 4096 == 4095 && !installation.log().flush()) std::abort();
  }
  for (auto _ : state) {
    const auto report = verify_log(installation.log_folder(), installation.log().verifier());
    if (!report || report->fault) std::abort();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(kRecords) * state.iterations());
}
BENCHMARK(verify_records);

}  // namespace
}  // namespace holdfast::audit
