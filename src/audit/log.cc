#include "audit/log.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <utility>

#include "audit/merkle.h"
#include "base/assert.h"

namespace holdfast::audit {

using base::ErrorCode;
using base::fail;
using base::MutexLock;
using base::Result;

namespace {

// For a caller that waits. Shared, since who sets the value may still be at it when the waiter goes on.
template <typename T>
using Answer = std::shared_ptr<std::promise<Result<T>>>;

template <typename T>
Answer<T> make_answer() {
  return std::make_shared<std::promise<Result<T>>>();
}

}  // namespace

Result<std::unique_ptr<Log>> Log::open(const std::filesystem::path& folder, keys::KeyStore& keys,
                                       const LogOptions& options) {
  HF_TRY(auto key,
         keys.signing_key(keys::installation_key("log", "checkpoint"), crypto::KeyAlgorithm::kEd25519));
  HF_TRY(auto signer, crypto::NoteSigner::create(options.origin, std::move(key)));
  HF_TRY(auto store, open_log_folder(folder, signer, *options.disk));
  return std::unique_ptr<Log>(new Log(keys, options, std::move(signer), std::move(store)));
}

Log::Log(keys::KeyStore& keys, const LogOptions& options, crypto::NoteSigner signer,
         std::unique_ptr<LogStore> store)
    : keys_(&keys), options_(options), signer_(std::move(signer)), store_(std::move(store)) {
  {
    const MutexLock lock(mutex_);
    next_index_ = durable_ = store_->last().size;
  }
  thread_ = std::thread([this] { work(); });
}

Log::~Log() {
  {
    const MutexLock lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

// --- What callers do

Result<> Log::refuse_more() const {
  if (stopped_) {
    return fail(base::Error(*stopped_).within(
        "the audit log has stopped, so nothing that it must record can be done"));
  }
  if (queue_.size() < kMaxQueued) return {};
  return fail(ErrorCode::kUnavailable,
              fmt::format("{} audit records wait to be written; try again later", kMaxQueued));
}

Result<Receipt> Log::queue(const Prepared& prepared, const crypto::AeadKey& key, Done done) {
  const std::uint64_t index = next_index_;
  auto body = seal_body(prepared, index, key, *options_.random);
  auto entry = make_entry(prepared.commitment, sealed_digest(prepared.workspace, body));
  const Receipt receipt{.index = index, .leaf = leaf_hash(entry)};
  if (done) ++waiting_;
  queue_.push_back({.body = {.index = index,
                             .workspace = prepared.workspace,
                             .commitment = prepared.commitment,
                             .body = std::move(body),
                             .entry = std::move(entry)},
                    .receipt = receipt,
                    .since = std::chrono::steady_clock::now(),
                    .done = std::move(done)});
  ++next_index_;
  return receipt;
}

Result<Receipt> Log::enqueue(const Record& record, const Done& done) {
  HF_TRY(const Prepared prepared, prepare(record, options_.clock->now(), *options_.random));
  for (;;) {
    std::uint64_t next = 0;
    {
      const MutexLock lock(mutex_);
      next = next_index_;
    }
    // Outside the lock: the first use of a key writes it.
    HF_TRY(const auto key, keys_->aead(body_key_name(prepared.workspace, next)));
    const MutexLock lock(mutex_);
    HF_CHECK(refuse_more());
    // Once in kRecordsPerKey records, others have used the key up meanwhile.
    if (next_index_ / kRecordsPerKey != next / kRecordsPerKey) continue;
    auto receipt = queue(prepared, key, done);
    // A record that nobody waits for goes with those before it, whose time the thread knows: it sleeps on.
    if (queue_.size() == 1 || due(std::chrono::steady_clock::now())) changed_.notify_all();
    return receipt;
  }
}

void Log::append(const Record& record, Done done) {
  HF_ASSERT(done != nullptr);
  if (auto queued = enqueue(record, done); !queued) done(std::move(queued));
}

Result<Receipt> Log::append(const Record& record) {
  const auto answer = make_answer<Receipt>();
  auto future = answer->get_future();
  append(record, [answer](Result<Receipt> receipt) { answer->set_value(std::move(receipt)); });
  return future.get();
}

Result<Receipt> Log::note(const Record& record) { return enqueue(record, {}); }

Result<> Log::run_errand(std::function<Result<>(LogStore&)> run) {
  const auto answer = make_answer<void>();
  auto future = answer->get_future();
  {
    const MutexLock lock(mutex_);
    if (stopped_) return fail(base::Error(*stopped_).within("the audit log has stopped"));
    if (errands_.size() >= kMaxErrands) return fail(ErrorCode::kUnavailable, "the audit log is busy");
    errands_.push_back({.after = next_index_, .run = std::move(run), .done = [answer](Result<> done) {
                          answer->set_value(std::move(done));
                        }});
  }
  changed_.notify_all();
  return future.get();
}

Result<> Log::flush() {
  return run_errand([](LogStore& store) { return store.publish(); });
}

Result<Receipt> Log::destroy_body(std::uint64_t index, const base::WorkspaceId& workspace,
                                  std::string actor) {
  if (index >= size()) {
    return fail(ErrorCode::kNotFound, fmt::format("the log has no record {}", index));
  }
  HF_TRY(const Receipt receipt, append({.workspace = workspace,
                                        .actor = std::move(actor),
                                        .action = std::string(kDestroyAction),
                                        .resource = fmt::format("record/{}", index),
                                        .decision = "allow",
                                        .details = {}}));
  HF_CHECK(run_errand([index](LogStore& store) { return store.destroy_body(index); }));
  return receipt;
}

std::uint64_t Log::size() const {
  const MutexLock lock(mutex_);
  return durable_;
}

Result<StoredRecord> Log::open_line(const BodyLine& line) const {
  StoredRecord stored{.receipt = {.index = line.index, .leaf = leaf_hash(line.entry())},
                      .body = {},
                      .time = {},
                      .record = {}};
  if (line.destroyed()) {
    stored.body = BodyState::kDestroyed;
    return stored;
  }
  const auto key = keys_->aead(body_key_name(line.workspace, line.index));
  if (!key && key.error().code == ErrorCode::kNotFound) {
    stored.body = BodyState::kKeyDestroyed;
    return stored;
  }
  if (!key) return fail(key.error());
  auto opened = open_body(line.body, line.workspace, line.index, *key);
  if (!opened) return fail(std::move(opened).error().within(fmt::format("record {}", line.index)));
  if (opened->commitment != line.commitment) {
    return fail(ErrorCode::kDataCorrupt,
                fmt::format("record {} is not the one that was committed to", line.index));
  }
  stored.time = opened->time;
  stored.record = std::move(opened->record);
  return stored;
}

Result<std::vector<StoredRecord>> Log::read(std::uint64_t from, std::size_t limit) const {
  if (limit < 1 || limit > kMaxRead) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("1 to {} records can be read at once", kMaxRead));
  }
  const std::uint64_t end = size();
  std::vector<StoredRecord> records;
  if (from >= end) return records;
  HF_TRY(const auto lines, store_->read(from, std::min<std::uint64_t>(limit, end - from)));
  for (const auto& line : lines) {
    HF_TRY(records.emplace_back(), open_line(line));
  }
  return records;
}

Result<TlogProof> Log::prove(std::uint64_t index) {
  HF_CHECK(flush());
  if (index >= size()) return fail(ErrorCode::kNotFound, fmt::format("there is no record {}", index));
  HF_TRY(const auto lines, store_->read(index, 1));
  const BodyLine& line = lines.front();
  if (line.destroyed()) {
    return fail(ErrorCode::kNotFound, fmt::format("the body of record {} was destroyed", index));
  }
  HF_TRY(const auto key, keys_->aead(body_key_name(line.workspace, index)));
  HF_TRY(const auto plain, open_plain_body(line.body, line.workspace, index, key));
  HF_TRY(auto inclusion, store_->prove(index));
  TlogProof proof{.extra = {},
                  .index = index,
                  .path = std::move(inclusion.path),
                  .checkpoint = std::move(inclusion.checkpoint)};
  base::append(proof.extra, line.sealed.bytes());
  base::append(proof.extra, plain.reveal());
  // What is given out holds, or is not given out.
  HF_CHECK(verify_record_proof(proof, verifier()));
  return proof;
}

// --- What the log's own thread does

bool Log::due(Moment now) const {
  if (queue_.empty()) return false;
  return waiting_ > 0 || closing_ || !errands_.empty() || queue_.size() >= kRecordsPerSegment ||
         now >= queue_.front().since + kNoteDelay;
}

std::optional<Log::Moment> Log::next_deadline() const {
  std::optional<Moment> next;
  if (!queue_.empty()) next = queue_.front().since + kNoteDelay;
  if (unpublished_since_) next = std::min(next.value_or(Moment::max()), *unpublished_since_ + kPublishDelay);
  return next;
}

// False when the log closes and nothing is left to do.
bool Log::wait_for_work() {
  const MutexLock lock(mutex_);
  for (;;) {
    const auto now = std::chrono::steady_clock::now();
    if (due(now) || !errands_.empty()) return true;
    if (closing_) return false;
    const auto deadline = next_deadline();
    if (deadline && now >= *deadline) return true;
    if (deadline) {
      changed_.wait_until(mutex_, *deadline);
    } else {
      changed_.wait(mutex_);
    }
  }
}

std::deque<Log::Queued> Log::take_round() {
  const std::uint64_t room = store_->room();
  std::deque<Queued> round;
  const MutexLock lock(mutex_);
  while (!queue_.empty() && round.size() < room) {
    if (queue_.front().done) --waiting_;
    round.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return round;
}

void Log::write_round() {
  auto round = take_round();
  if (round.empty()) return;
  std::vector<PendingBody> group;
  group.reserve(round.size());
  for (auto& queued : round) group.push_back(std::move(queued.body));
  const Checkpoint expected = store_->last();
  const auto committed = store_->commit(expected, group);
  if (!committed) {
    stop(committed.error());
  } else {
    const MutexLock lock(mutex_);
    durable_ += round.size();
    if (!unpublished_since_) unpublished_since_ = std::chrono::steady_clock::now();
  }
  for (auto& queued : round) {
    if (!queued.done) continue;
    queued.done(committed ? Result<Receipt>(queued.receipt) : Result<Receipt>(fail(committed.error())));
  }
}

void Log::run_errands() {
  for (;;) {
    Errand errand{};
    std::optional<base::Error> stopped;
    {
      const MutexLock lock(mutex_);
      if (errands_.empty()) return;
      stopped = stopped_;
      if (durable_ < errands_.front().after && !stopped) return;
      errand = std::move(errands_.front());
      errands_.pop_front();
    }
    auto done = stopped ? Result<>(fail(*stopped)) : errand.run(*store_);
    if (!done && !stopped) stop(done.error());
    errand.done(std::move(done));
  }
}

void Log::publish_if_due(Moment now) {
  {
    const MutexLock lock(mutex_);
    if (stopped_ || !unpublished_since_ || (now < *unpublished_since_ + kPublishDelay && !closing_)) return;
    if (closing_ && !queue_.empty()) return;
    unpublished_since_.reset();
  }
  if (const auto published = store_->publish(); !published) stop(published.error());
}

void Log::stop(const base::Error& error) {
  std::deque<Queued> lost;
  {
    const MutexLock lock(mutex_);
    if (!stopped_) stopped_ = error;
    lost.swap(queue_);
    waiting_ = 0;
    unpublished_since_.reset();
  }
  for (auto& queued : lost) {
    if (queued.done) queued.done(fail(error));
  }
}

void Log::work() {
  while (wait_for_work()) {
    write_round();
    run_errands();
    publish_if_due(std::chrono::steady_clock::now());
  }
  publish_if_due(std::chrono::steady_clock::now());
}

}  // namespace holdfast::audit
