#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/log_store.h"
#include "audit/record.h"
#include "audit/tlog_proof.h"
#include "base/mutex.h"
#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/signed_note.h"
#include "keys/key_store.h"
#include "store/disk.h"

namespace holdfast::audit {

struct LogOptions {
  std::string origin = "holdfast.local/log";  // the log's name in its checkpoints; it never changes
  const base::Clock* clock = &base::system_clock();
  base::RandomSource* random = &base::system_random();
  store::Disk* disk = &store::system_disk();
};

// The tamper-evident log, at two speeds. Thread-safe. One thread of its own writes; threads that wait share
// its rounds: one sync and one signed checkpoint a round (group commit). A write that fails stops the log:
// every later record is refused with that error, so an action whose record can't be written does not happen.
class Log {
 public:
  static constexpr std::size_t kMaxQueued = 8192;             // records not yet durable; beyond, kUnavailable
  static constexpr std::chrono::milliseconds kNoteDelay{20};  // a note waits at most so long for a round
  static constexpr std::chrono::milliseconds kPublishDelay{50};  // until the file `checkpoint` follows
  static constexpr std::size_t kMaxRead = 1000;
  static constexpr std::string_view kVerifierFile = "log.vkey";

  // Opens or makes the log in `folder` (its parent exists), takes it for this process alone, and recovers:
  // what was acknowledged is there, what was cut short is gone. Its checkpoints are signed by the
  // installation's key "log/checkpoint". kDataCorrupt with the first thing that is wrong where the files do
  // not bear out the last checkpoint. `keys` and what `options` name outlive the log.
  static base::Result<std::unique_ptr<Log>> open(const std::filesystem::path& folder, keys::KeyStore& keys,
                                                 const LogOptions& options = {});
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log();  // what was accepted is durable when it returns, unless the log had stopped

  // Durable on return. Errors as prepare() (record.h) and of the keys, which concern this record alone;
  // kUnavailable where the queue is full; then those of the disk, after which the log has stopped.
  base::Result<Receipt> append(const Record& record);
  // The same without waiting: `done` is called once, on the log's own thread unless the record is refused at
  // once. It must not block or throw.
  using Done = std::function<void(base::Result<Receipt>)>;
  void append(const Record& record, Done done);
  // Accepted on return, durable within kNoteDelay and the time of one round. Where the log stops meanwhile,
  // the record is lost.
  base::Result<Receipt> note(const Record& record);

  // Durable records from index `from` on, at most `limit` (1 to kMaxRead), oldest first; none at the end.
  [[nodiscard]] base::Result<std::vector<StoredRecord>> read(std::uint64_t from, std::size_t limit) const;

  // What shows to whoever has the log's key, and nothing else of the log, that record `index` is in it. It
  // tells the whole record. Waits until that is published. kNotFound beyond the end, and where the body or
  // its key was destroyed.
  [[nodiscard]] base::Result<TlogProof> prove(std::uint64_t index);

  // Destroys a body for good, after a record that says by whom and which (action kDestroyAction, resource
  // "record/<index>") is durable: its receipt. The log verifies as before. kNotFound beyond the end.
  static constexpr std::string_view kDestroyAction = "audit.body.destroy";
  base::Result<Receipt> destroy_body(std::uint64_t index, const base::WorkspaceId& workspace,
                                     std::string actor);

  // How many records are durable.
  [[nodiscard]] std::uint64_t size() const;
  // Waits until all that was accepted before is durable and published.
  base::Result<> flush();
  [[nodiscard]] const crypto::NoteVerifier& verifier() const { return signer_.verifier(); }

 private:
  using Moment = std::chrono::steady_clock::time_point;
  struct Queued {
    PendingBody body;
    Receipt receipt;
    Moment since;
    Done done;  // empty for a note
  };
  // What a caller asks of the writer's thread beside records: done when those before `after` are durable.
  struct Errand {
    std::uint64_t after;
    std::function<base::Result<>(LogStore&)> run;
    std::function<void(base::Result<>)> done;
  };
  static constexpr std::size_t kMaxErrands = 64;

  Log(keys::KeyStore& keys, const LogOptions& options, crypto::NoteSigner signer,
      std::unique_ptr<LogStore> store);
  base::Result<Receipt> enqueue(const Record& record, const Done& done);
  base::Result<Receipt> queue(const Prepared& prepared, const crypto::AeadKey& key, Done done)
      HF_REQUIRES(mutex_);
  base::Result<> refuse_more() const HF_REQUIRES(mutex_);
  base::Result<> run_errand(std::function<base::Result<>(LogStore&)> run);
  base::Result<StoredRecord> open_line(const BodyLine& line) const;
  void work();
  bool wait_for_work();
  [[nodiscard]] bool due(Moment now) const HF_REQUIRES(mutex_);
  [[nodiscard]] std::optional<Moment> next_deadline() const HF_REQUIRES(mutex_);
  std::deque<Queued> take_round();
  void write_round();
  void run_errands();
  void publish_if_due(Moment now);
  void stop(const base::Error& error);

  keys::KeyStore* keys_;
  LogOptions options_;
  crypto::NoteSigner signer_;
  std::unique_ptr<LogStore> store_;  // used by the writer's thread alone, but for read()
  mutable base::Mutex mutex_;
  base::ConditionVariable changed_;
  std::deque<Queued> queue_ HF_GUARDED_BY(mutex_);
  std::deque<Errand> errands_ HF_GUARDED_BY(mutex_);
  std::uint64_t next_index_ HF_GUARDED_BY(mutex_) = 0;
  std::uint64_t durable_ HF_GUARDED_BY(mutex_) = 0;
  std::size_t waiting_ HF_GUARDED_BY(mutex_) = 0;  // of the queue, those that somebody waits for
  std::optional<base::Error> stopped_ HF_GUARDED_BY(mutex_);
  bool closing_ HF_GUARDED_BY(mutex_) = false;
  std::optional<Moment> unpublished_since_ HF_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace holdfast::audit
