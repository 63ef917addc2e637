// Durable commits and blobs, on the disk that holds TMPDIR. Peers on the same disk: `sqlite3` with the same
// pragmas for the commits, `age -r` followed by `sync` for the blobs.
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include "store/blob_testing.h"
#include "store/blobs.h"
#include "store/database.h"
#include "store/jobs.h"

namespace holdfast::store {
namespace {

namespace fs = std::filesystem;
using base::Bytes;

// A folder on a real disk that goes with its scope.
class Folder {
 public:
  Folder() : path_((fs::temp_directory_path() / "store_bench.XXXXXX").string()) {
    if (::mkdtemp(path_.data()) == nullptr) std::abort();
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path_); }
  [[nodiscard]] fs::path path() const { return path_; }

 private:
  std::string path_;
};

void must(const base::Result<>& done) {
  if (!done) std::abort();
}

constexpr std::array kSteps{
    Migration{"entries", Sql("CREATE TABLE entries (id BIGINT NOT NULL PRIMARY KEY, body BYTEA NOT NULL)")}};
constexpr std::array kModules{ModuleMigrations{.module = "bench", .steps = kSteps}};

std::unique_ptr<Database> open_database(const Folder& folder) {
  return Database::open({.path = folder.path() / "bench.db"}, kModules).value();
}

// One row and one number of the change feed, synced: what a mutation costs.
void durable_commits(benchmark::State& state) {
  const Folder folder;
  const auto database = open_database(folder);
  const Bytes body(200, 1);
  std::int64_t id = 0;
  for (auto _ : state) {
    auto change = database->begin().value();
    change.execute(Sql("INSERT INTO entries (id, body) VALUES ($1, $2)"), ++id, body).value();
    change.next_change(base::WorkspaceId("default"), "entry", "subject").value();
    must(change.commit());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(durable_commits)->UseRealTime();

// From enqueued to done: three commits a job.
void jobs_done(benchmark::State& state) {
  const Folder folder;
  const auto database = open_database(folder);
  const Jobs jobs(base::system_clock());
  std::int64_t key = 0;
  for (auto _ : state) {
    auto asked = database->begin().value();
    jobs.enqueue(asked, {.workspace = base::WorkspaceId("default"),
                         .kind = "scan",
                         .idempotency_key = std::to_string(++key)})
        .value();
    must(asked.commit());
    auto taken = database->begin().value();
    const auto job = jobs.lease(taken, "scan", std::chrono::seconds(60)).value().value();
    must(taken.commit());
    auto done = database->begin().value();
    must(jobs.complete(done, job));
    must(done.commit());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(jobs_done)->UseRealTime();

void rows_by_key(benchmark::State& state) {
  const Folder folder;
  const auto database = open_database(folder);
  constexpr std::int64_t kRows = 10'000;
  auto change = database->begin().value();
  const Bytes body(200, 1);
  for (std::int64_t id = 0; id < kRows; ++id) {
    change.execute(Sql("INSERT INTO entries (id, body) VALUES ($1, $2)"), id, body).value();
  }
  must(change.commit());
  std::int64_t id = 0;
  for (auto _ : state) {
    id = (id + 7919) % kRows;
    benchmark::DoNotOptimize(
        database->snapshot().value().row<Bytes>(Sql("SELECT body FROM entries WHERE id = $1"), id).value());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(rows_by_key);

void put_blob(benchmark::State& state) {
  const Folder folder;
  const BlobKeys keys = make_keys("default");
  const auto store = BlobStore::open(folder.path() / "blobs").value();
  Bytes content(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    ++content[0];
    crypto::MemoryReader reader(content);
    benchmark::DoNotOptimize(store->put(keys, reader).value());
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(put_blob)->Arg(4 << 10)->Arg(1 << 20)->Arg(64 << 20)->UseRealTime();

void read_blob(benchmark::State& state) {
  const Folder folder;
  const BlobKeys keys = make_keys("default");
  const auto store = BlobStore::open(folder.path() / "blobs").value();
  const Bytes content(static_cast<std::size_t>(state.range(0)));
  crypto::MemoryReader source(content);
  const Blob blob = store->put(keys, source).value();
  Bytes buffer(256UL << 10);
  for (auto _ : state) {
    const auto reader = store->read(keys, blob.digest).value();
    while (reader->read(buffer).value() > 0) benchmark::DoNotOptimize(buffer.data());
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(read_blob)->Arg(4 << 10)->Arg(1 << 20)->Arg(64 << 20);

}  // namespace
}  // namespace holdfast::store

BENCHMARK_MAIN();
