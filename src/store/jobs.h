#pragma once

#include <string>

#include "store/backoff.h"
#include "store/bounds.h"
#include "store/database.h"

// Durable jobs. A job is enqueued in the transaction of the change that asks for it, and done in the
// transaction of the change that it makes, so that neither happens without the other. A worker holds a job by
// a lease: if it stops without a word, the lease runs out and another worker takes the job over, under the
// next fencing number. Whatever the first one still reports is refused, as is what it writes elsewhere if
// that place compares fencing numbers. So a job runs at least once, and its completion counts once.

namespace holdfast::store {

using JobId = base::Strong<struct JobIdTag, std::int64_t>;

struct NewJob {
  base::WorkspaceId workspace;
  std::string kind;                 // which worker does it
  std::string idempotency_key;      // one job of a kind for each key, until it is forgotten
  base::Bytes payload = {};         // for the worker; sealed by the caller if it holds what must not lie open
  base::Timestamp not_before = {};  // at once where left out
  std::int64_t max_attempts = 5;    // 1 to 1000
};

// A job in the hands of a worker.
struct LeasedJob {
  base::WorkspaceId workspace;
  JobId id;
  std::string kind;
  base::Bytes payload;
  std::int64_t attempt = 0;  // 1 for the first
  std::int64_t fence = 0;    // rises with each lease of this job
  base::Timestamp deadline;  // until when the lease holds
};

enum class JobState {
  kWaiting,  // for its time, or for a worker
  kRunning,  // leased, perhaps by a worker that is no more
  kDone,
  kDead,  // failed as often as it may
};

struct JobStatus {
  JobState state = JobState::kWaiting;
  std::int64_t attempts = 0;
  std::string last_error;  // empty where none failed
};

// Holds no state but its parameters; used by any number of threads.
class Jobs {
 public:
  // The clock is kept alive by the caller.
  explicit Jobs(const base::Clock& clock, Backoff backoff = {}) : clock_(&clock), backoff_(backoff) {}

  // The job's id: of the one that has the key already, where there is one. kConflict if that one has another
  // payload; kInvalidArgument for an empty name or one over its bound, kLimitExceeded for a payload over its
  // bound.
  base::Result<JobId> enqueue(Transaction& transaction, const NewJob& job) const;

  // The job of this kind that is due longest, leased until `duration` from now; nothing where none is due.
  // Jobs whose worker stopped on the last attempt become dead on the way.
  base::Result<std::optional<LeasedJob>> lease(Transaction& transaction, std::string_view kind,
                                               std::chrono::microseconds duration) const;

  // Each of the next is refused with kConflict once another worker has taken the job over, or it has ended.

  // Holds the job until `duration` from now, which it gives.
  base::Result<base::Timestamp> heartbeat(Transaction& transaction, const LeasedJob& job,
                                          std::chrono::microseconds duration) const;
  base::Result<> complete(Transaction& transaction, const LeasedJob& job) const;
  // As if this lease had not been, due at once: for a worker that has to end before the work does.
  base::Result<> give_back(Transaction& transaction, const LeasedJob& job) const;
  // kWaiting where the job is tried again after the backoff, else kDead. Keeps the error's text.
  base::Result<JobState> fail(Transaction& transaction, const LeasedJob& job, std::string_view error) const;

  // kNotFound for a job that never was or is forgotten.
  base::Result<JobStatus> status(const Snapshot& snapshot, const base::WorkspaceId& workspace,
                                 JobId id) const;

  // Drops up to kMaxForgotten jobs that ended before the moment, and with them the memory of their keys;
  // gives the count.
  base::Result<std::int64_t> forget(Transaction& transaction, base::Timestamp ended_before) const;

 private:
  base::Result<> bury(Transaction& transaction, const LeasedJob& job, std::string_view error) const;

  const base::Clock* clock_;
  Backoff backoff_;
};

}  // namespace holdfast::store
