#include "server/installation.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "access/log_recorder.h"
#include "audit/pending_rows.h"
#include "keys/master_rotation.h"
#include "registry/row_record.h"
#include "registry/schema.h"
#include "release/schema.h"

namespace holdfast::server {

using base::ErrorCode;
using base::fail;
using base::Result;

namespace {

constexpr std::array<std::string_view, 8> kKnownNames{
    "holdfast.db", "holdfast.db-wal", "holdfast.db-shm", "blobs", "log",
    "keys",        "keys.next",       "holdfast.sock"};

Result<std::vector<audit::RowClaim>> all_row_claims(const store::Snapshot& view, base::Timestamp now) {
  HF_TRY(auto claims, access::row_claims(view, now));
  for (auto more : {registry::row_claims(view), release::row_claims(view), alerts::row_claims(view)}) {
    if (!more) return fail(std::move(more).error());
    std::ranges::move(*more, std::back_inserter(claims));
  }
  return claims;
}

}  // namespace

const base::WorkspaceId& Installation::workspace() {
  static const base::WorkspaceId kDefault("default");
  return kDefault;
}

Installation::Installation(InstallationOptions options) : options_(std::move(options)) {}
Installation::~Installation() = default;

Result<std::unique_ptr<Installation>> Installation::open(InstallationOptions options,
                                                         keys::MasterKey master) {
  std::unique_ptr<Installation> installation(new Installation(std::move(options)));
  HF_CHECK(installation->open_stores(std::move(master)));
  HF_CHECK(installation->open_rooms());
  HF_CHECK(installation->settle_rows());
  HF_CHECK(registry::Runs(*installation->parts_).fail_interrupted());
  return installation;
}

Result<> Installation::open_stores(keys::MasterKey master) {
  const auto& state = options_.state;
  std::vector<std::string_view> known(kKnownNames.begin(), kKnownNames.end());
  for (const auto* one : {"ca.pem", "rules", "advisories.index", "advisories.index.statement.json"}) {
    known.emplace_back(one);
  }
  HF_TRY(auto lock, store::FolderLock::acquire(state, known));
  lock_.emplace(std::move(lock));
  if (!options_.master_file.empty()) {
    HF_CHECK(keys::settle_master_file(options_.master_file, state, state / "keys"));
  }
  HF_TRY(keys_, keys::KeyStore::open(state / "keys", std::move(master)));
  const store::ModuleMigrations modules[] = {access::access_migrations(), registry::migrations(),
                                             release::migrations(), alerts::alerts_migrations()};
  HF_TRY(database_, store::Database::open({.path = state / "holdfast.db"}, modules));
  HF_TRY(blobs_, store::BlobStore::open(state / "blobs"));
  HF_TRY(log_, audit::Log::open(state / "log", *keys_));
  return {};
}

Result<> Installation::open_rooms() {
  const auto& clock = base::system_clock();
  recorder_ = std::make_unique<access::LogRecorder>(*log_);
  HF_TRY(
      access_,
      access::Access::open(
          {.database = *database_, .recorder = *recorder_, .clock = clock, .random = base::system_random()},
          {.issuer = options_.issuer,
           // Hashing and waiting together leave some threads of the listener's pool to everybody else.
           .password_gate = {.at_once = 2, .waiting = 3},
           .one_time_life = options_.one_time_life}));
  parts_ = std::make_unique<registry::Parts>(registry::Parts{
      .database = *database_, .blobs = *blobs_, .keys = *keys_, .log = *log_, .clock = clock});
  models_ = std::make_unique<registry::Models>(*parts_, options_.admission);
  gates_ = std::make_unique<registry::Gates>(*parts_, *models_);
  trials_ = std::make_unique<registry::Trials>(*parts_, *models_,
                                               registry::TrialOptions{.weakest_jail = options_.weakest_jail});
  run_queue_ = std::make_unique<registry::RunQueue>(registry::RunQueue::Tools{
      .parts = *parts_,
      .access = *access_,
      .models = *models_,
      .train =
          [trials = trials_.get()](const registry::Run& run, const registry::TrainOrder& order,
                                   const std::stop_token& stop, const registry::OnRunProgress& on_progress) {
            return trials->train(run, order, stop, on_progress);
          },
      .random = base::system_random()});
  releases_ = std::make_unique<release::Releases>(*parts_, *models_);
  outbox_ = std::make_unique<store::Outbox>(clock);
  alerts_ = std::make_unique<alerts::Alerts>(clock, *outbox_,
                                             alerts::Policy{.quiet_windows = options_.quiet_windows});
  HF_TRY(auto key, keys_->aead({workspace(), "webhooks", "secrets"}));
  webhook_key_ = std::make_unique<crypto::AeadKey>(std::move(key));
  return {};
}

Result<std::optional<access::OneTimePassword>> Installation::bootstrap() {
  auto made = access_->bootstrap(workspace(), "admin");
  if (made) return std::optional(*std::move(made));
  if (made.error().code == ErrorCode::kAlreadyExists) return std::optional<access::OneTimePassword>();
  return fail(std::move(made).error());
}

Result<> Installation::rotate_master_key() {
  if (options_.master_file.empty()) {
    return fail(ErrorCode::kUnsupported,
                "the master key is a credential of systemd: Holdfast can rotate one that is in a file alone");
  }
  const base::MutexLock lock(rotating_);
  return keys::rotate_master_file(*keys_, options_.master_file, options_.state, options_.state / "keys",
                                  base::system_random());
}

Result<> Installation::check_rows() const {
  HF_CHECK(compare_rows());
  return {};
}

Result<audit::Unsettled> Installation::compare_rows() const {
  HF_CHECK(log_->flush());
  audit::RowHistory history({.read_at = log_->size(), .may_go = {std::string(access::kEndingRows)}});
  std::vector<audit::RowClaim> claims;
  {
    HF_TRY(const auto view, database_->snapshot());
    auto read = all_row_claims(view, base::system_clock().now());
    // Nothing is read here but rows that were right when they were written.
    if (!read && read.error().code == ErrorCode::kInvalidArgument) {
      return fail(ErrorCode::kDataCorrupt, read.error().message);
    }
    HF_TRY(claims, std::move(read));
  }
  HF_CHECK(history.read(*log_));
  return history.check(claims);
}

// What a process that ended between a record and its change left open is told from the rows, once.
Result<> Installation::settle_rows() const {
  HF_TRY(const auto unsettled, compare_rows());
  for (const bool done : {true, false}) {
    for (const std::uint64_t record : done ? unsettled.done : unsettled.undone) {
      HF_CHECK(log_->append(audit::settled_record(workspace(), record, done)));
    }
  }
  return {};
}

Result<> Installation::forget_ended() {
  HF_CHECK(access_->forget_ended());
  HF_TRY(auto change, database_->begin());
  HF_CHECK(outbox_->forget(change, parts_->clock.now() + -std::chrono::microseconds(kMessageMemory)));
  return change.commit();
}

Result<> Installation::start_delivery() {
  HF_TRY(auto egress, net::EgressPolicy::parse(options_.egress));
  HF_TRY(auto client, net::HttpClient::create({.egress = std::move(egress)}));
  client_ = std::make_unique<net::HttpClient>(std::move(client));
  delivery_ = std::make_unique<alerts::Delivery>(alerts::Delivery::Parts{.database = database_.get(),
                                                                         .outbox = outbox_.get(),
                                                                         .client = client_.get(),
                                                                         .key = webhook_key_.get(),
                                                                         .clock = &base::system_clock()});
  return {};
}

void Installation::wake_delivery() {
  if (delivery_) delivery_->wake();
}

void Installation::start_work() { run_workers_ = std::make_unique<registry::RunWorkers>(*run_queue_); }

Result<> Installation::work_off_runs() {
  if (run_workers_) {
    run_workers_->wake();
    return {};
  }
  for (;;) {
    HF_TRY(const bool worked, run_queue_->work());
    if (!worked) return {};
  }
}

}  // namespace holdfast::server
