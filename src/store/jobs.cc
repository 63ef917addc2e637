#include "store/jobs.h"

#include <fmt/format.h>

#include <array>

#include "base/assert.h"
#include "store/counter.h"

namespace holdfast::store {
namespace {

using base::ErrorCode;
using base::Result;
using base::Timestamp;
using base::WorkspaceId;

constexpr std::int64_t kMostAttempts = 1'000;
constexpr int kMaxBuriedAtOnce = 100;  // jobs that one call of lease() finds dead; the rest are for the next

constexpr std::string_view kWaiting = "waiting";
constexpr std::string_view kRunning = "running";
constexpr std::string_view kDone = "done";
constexpr std::string_view kDead = "dead";
constexpr std::array kStates{std::pair{JobState::kWaiting, kWaiting}, std::pair{JobState::kRunning, kRunning},
                             std::pair{JobState::kDone, kDone}, std::pair{JobState::kDead, kDead}};

Result<> check(const NewJob& job) {
  HF_CHECK(check_name("a job's workspace", job.workspace.value()));
  HF_CHECK(check_name("a job's kind", job.kind));
  HF_CHECK(check_name("a job's idempotency key", job.idempotency_key));
  if (job.max_attempts < 1 || job.max_attempts > kMostAttempts) {
    return base::fail(ErrorCode::kInvalidArgument, fmt::format("a job may have 1 to {} attempts, not {}",
                                                               kMostAttempts, job.max_attempts));
  }
  return check_payload("a job's payload", job.payload);
}

// Of a statement that changes the one row which the lease still names.
Result<> require_held(const Result<std::int64_t>& changed, const LeasedJob& job) {
  if (!changed) return base::fail(changed.error());
  if (*changed == 1) return {};
  return base::fail(ErrorCode::kConflict,
                    fmt::format("job {} has ended, or another worker holds it since lease {} ran "
                                "out; drop what was done for it",
                                job.id.value(), job.fence));
}

}  // namespace

Result<JobId> Jobs::enqueue(Transaction& transaction, const NewJob& job) const {
  HF_CHECK(check(job));
  HF_TRY(const auto known, transaction.view().row<JobId, base::Bytes>(
                               Sql("SELECT id, payload FROM jobs"
                                   " WHERE workspace = $1 AND kind = $2 AND idempotency_key = $3"),
                               job.workspace, job.kind, job.idempotency_key));
  if (known) {
    const auto& [id, payload] = *known;
    if (payload == job.payload) return id;
    return base::fail(ErrorCode::kConflict,
                      fmt::format("the idempotency key \"{}\" belongs to job {}, which has another payload",
                                  job.idempotency_key, id.value()));
  }
  HF_TRY(const std::int64_t id, next_number(transaction, "job"));
  HF_CHECK(transaction.execute(
      Sql("INSERT INTO jobs (workspace, id, kind, idempotency_key, payload, state, due_at, fence, attempts,"
          " max_attempts, last_error) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, $8, '')"),
      job.workspace, id, job.kind, job.idempotency_key, job.payload, kWaiting, job.not_before,
      job.max_attempts));
  return JobId(id);
}

Result<std::optional<LeasedJob>> Jobs::lease(Transaction& transaction, std::string_view kind,
                                             std::chrono::microseconds duration) const {
  HF_ASSERT(duration.count() > 0);
  const Timestamp now = clock_->now();
  for (int i = 0; i < kMaxBuriedAtOnce; ++i) {
    HF_TRY(auto due,
           transaction.view().row<WorkspaceId, JobId, base::Bytes, std::int64_t, std::int64_t, std::int64_t>(
               Sql("SELECT workspace, id, payload, attempts, max_attempts, fence FROM jobs"
                   " WHERE kind = $1 AND due_at <= $2 ORDER BY due_at, id LIMIT 1"),
               kind, now));
    if (!due) return std::nullopt;
    auto& [workspace, id, payload, attempts, max_attempts, fence] = *due;
    LeasedJob job{.workspace = std::move(workspace),
                  .id = id,
                  .kind = std::string(kind),
                  .payload = std::move(payload),
                  .attempt = attempts,
                  .fence = fence,
                  .deadline = now + duration};
    if (attempts >= max_attempts) {
      HF_CHECK(bury(transaction, job, "its worker stopped without a word on the last attempt"));
      continue;
    }
    ++job.attempt;
    ++job.fence;
    HF_CHECK(require_held(
        transaction.execute(Sql("UPDATE jobs SET state = $1, due_at = $2, attempts = $3, fence = $4"
                                " WHERE workspace = $5 AND id = $6 AND fence = $7"),
                            kRunning, job.deadline, job.attempt, job.fence, job.workspace, job.id, fence),
        job));
    return job;
  }
  return std::nullopt;
}

Result<Timestamp> Jobs::heartbeat(Transaction& transaction, const LeasedJob& job,
                                  std::chrono::microseconds duration) const {
  HF_ASSERT(duration.count() > 0);
  const Timestamp deadline = clock_->now() + duration;
  HF_CHECK(
      require_held(transaction.execute(Sql("UPDATE jobs SET due_at = $1"
                                           " WHERE workspace = $2 AND id = $3 AND fence = $4 AND state = $5"),
                                       deadline, job.workspace, job.id, job.fence, kRunning),
                   job));
  return deadline;
}

Result<> Jobs::complete(Transaction& transaction, const LeasedJob& job) const {
  return require_held(
      transaction.execute(Sql("UPDATE jobs SET state = $1, due_at = NULL, finished_at = $2"
                              " WHERE workspace = $3 AND id = $4 AND fence = $5 AND state = $6"),
                          kDone, clock_->now(), job.workspace, job.id, job.fence, kRunning),
      job);
}

Result<> Jobs::give_back(Transaction& transaction, const LeasedJob& job) const {
  return require_held(
      transaction.execute(Sql("UPDATE jobs SET state = $1, due_at = $2, attempts = attempts - 1"
                              " WHERE workspace = $3 AND id = $4 AND fence = $5 AND state = $6"),
                          kWaiting, clock_->now(), job.workspace, job.id, job.fence, kRunning),
      job);
}

Result<JobState> Jobs::fail(Transaction& transaction, const LeasedJob& job, std::string_view error) const {
  const Timestamp due = clock_->now() + backoff_.delay(job.attempt);
  HF_TRY(const std::int64_t waits,
         transaction.execute(
             Sql("UPDATE jobs SET state = $1, due_at = $2, last_error = $3 WHERE workspace = $4 AND id = $5"
                 " AND fence = $6 AND state = $7 AND attempts < max_attempts"),
             kWaiting, due, kept_error(error), job.workspace, job.id, job.fence, kRunning));
  if (waits == 1) return JobState::kWaiting;
  HF_CHECK(bury(transaction, job, error));
  return JobState::kDead;
}

Result<> Jobs::bury(Transaction& transaction, const LeasedJob& job, std::string_view error) const {
  return require_held(
      transaction.execute(Sql("UPDATE jobs SET state = $1, due_at = NULL, finished_at = $2, last_error = $3"
                              " WHERE workspace = $4 AND id = $5 AND fence = $6 AND state = $7"),
                          kDead, clock_->now(), kept_error(error), job.workspace, job.id, job.fence,
                          kRunning),
      job);
}

Result<JobStatus> Jobs::status(const Snapshot& snapshot, const WorkspaceId& workspace, JobId id) const {
  HF_TRY(const auto row,
         snapshot.row<std::string, std::int64_t, std::string>(
             Sql("SELECT state, attempts, last_error FROM jobs WHERE workspace = $1 AND id = $2"), workspace,
             id));
  if (!row) {
    return base::fail(ErrorCode::kNotFound,
                      fmt::format("there is no job {} in workspace {}", id.value(), workspace.value()));
  }
  const auto& [name, attempts, last_error] = *row;
  for (const auto& [state, text] : kStates) {
    if (text == name) return JobStatus{.state = state, .attempts = attempts, .last_error = last_error};
  }
  return base::fail(ErrorCode::kDataCorrupt,
                    fmt::format("job {} has the unknown state \"{}\"", id.value(), name));
}

Result<std::int64_t> Jobs::forget(Transaction& transaction, Timestamp ended_before) const {
  return transaction.execute(
      Sql("DELETE FROM jobs WHERE (workspace, id) IN"
          " (SELECT workspace, id FROM jobs WHERE finished_at < $1 ORDER BY finished_at LIMIT $2)"),
      ended_before, kMaxForgotten);
}

}  // namespace holdfast::store
