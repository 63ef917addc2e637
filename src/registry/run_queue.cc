#include "registry/run_queue.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <thread>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/log.h"
#include "crypto/envelope.h"

namespace holdfast::registry {

using base::ErrorCode;
using base::fail;
using base::Result;
using nlohmann::json;

namespace {

constexpr std::string_view kKind = "train";
constexpr std::chrono::days kJobMemory{30};  // of jobs that ended

std::string context(const Run& run) { return fmt::format("{}/runs/{}", run.workspace.value(), run.id); }

// The bytes as a file that lies nowhere.
Result<formats::FileSource> file_of(base::ByteView bytes) {
  base::UniqueFd fd(::memfd_create("holdfast-model", MFD_CLOEXEC));
  if (!fd.valid()) return base::fail_errno("cannot hold a model in memory", errno);
  HF_CHECK(base::write_full(fd.get(), bytes));
  return formats::FileSource::adopt(std::move(fd));
}

Result<> check_for(const access::Authorised& authorised, std::string_view model) {
  if (authorised.is_for(access::Action::kTrainModel, access::ResourceType::kModel,
                        authorised.caller().workspace(), model)) {
    return {};
  }
  return fail(ErrorCode::kPermissionDenied, "what was decided was not the training of this model");
}

std::string model_text(const Run& run) {
  return access::Resource{.type = access::ResourceType::kModel, .workspace = run.workspace, .id = run.model}
      .text();
}

}  // namespace

// A run that is worked on here, so that cancel() finds it.
class RunQueue::Active {
 public:
  Active(RunQueue& queue, const Run& run, const std::stop_source& stopping)
      : queue_(&queue), key_(run.workspace, run.id) {
    const base::MutexLock lock(queue_->mutex_);
    queue_->active_.insert_or_assign(key_, stopping);
  }
  Active(const Active&) = delete;
  Active& operator=(const Active&) = delete;
  ~Active() {
    const base::MutexLock lock(queue_->mutex_);
    queue_->active_.erase(key_);
  }

 private:
  RunQueue* queue_;
  Key key_;
};

// Renews the lease while the work goes on, and stops the work once it is not this worker's any more.
class RunQueue::Heartbeat {
 public:
  Heartbeat(RunQueue& queue, const Taken& taken, std::stop_source stopping)
      : queue_(&queue),
        taken_(&taken),
        stopping_(std::move(stopping)),
        thread_([this](const std::stop_token& end) { beat(end); }) {}

 private:
  void beat(const std::stop_token& end) {
    const base::MutexLock lock(mutex_);
    while (!end.stop_requested()) {
      condition_.wait_for(mutex_, end, queue_->options_.heartbeat, [] { return false; });
      if (end.stop_requested()) return;
      const auto renewed = queue_->renew(taken_->job, *taken_->run);
      if (renewed) continue;
      if (renewed.error().code == ErrorCode::kConflict) {
        stopping_.request_stop();
        return;
      }
      base::log(base::LogLevel::kWarning, "run_lease_not_renewed", {{"error", renewed.error().message}});
    }
  }

  RunQueue* queue_;
  const Taken* taken_;
  std::stop_source stopping_;
  base::Mutex mutex_;
  base::ConditionVariable condition_;
  std::jthread thread_;  // last: it uses what stands above
};

Result<crypto::AeadKey> RunQueue::key(const base::WorkspaceId& workspace) const {
  return tools_.parts.keys.aead({workspace, "runs", "mandates"});
}

// Sealed, since whoever could write a mandate could act as anybody.
Result<base::Bytes> RunQueue::seal(const Run& run, const Task& task) const {
  HF_TRY(const auto key, this->key(run.workspace));
  const std::string text =
      json{{"model", task.order.model}, {"order", task.order.parameters()}, {"mandate", task.mandate.json()}}
          .dump();
  return crypto::seal_envelope(key, context(run), base::as_bytes(text), tools_.random);
}

Result<RunQueue::Task> RunQueue::unseal(const Run& run, base::ByteView payload) const {
  HF_TRY(const auto key, this->key(run.workspace));
  HF_TRY(const auto text, crypto::open_envelope(key, context(run), payload));
  HF_TRY(const json value, base::parse_json(text.reveal_text()));
  const auto model = value.find("model");
  const auto order = value.find("order");
  const auto mandate = value.find("mandate");
  if (model == value.end() || !model->is_string() || order == value.end() || mandate == value.end()) {
    return fail(ErrorCode::kDataCorrupt, "a kept order is damaged");
  }
  Task task;
  HF_TRY(task.order, TrainOrder::parse(model->get<std::string>(), *order, "the kept order"));
  HF_TRY(task.mandate, access::Mandate::parse(*mandate));
  return task;
}

Result<> RunQueue::record(const Run& run, std::string_view actor, std::string_view action,
                          const std::string& resource, std::string_view decision, json details) const {
  details["run"] = run.id;
  HF_TRY(std::string text, base::canonical_json(details));
  HF_CHECK(tools_.parts.log.append({.workspace = run.workspace,
                                    .actor = std::string(actor),
                                    .action = std::string(action),
                                    .resource = resource,
                                    .decision = std::string(decision),
                                    .details = std::move(text)}));
  return {};
}

Result<Run> RunQueue::ask(const access::Authorised& authorised, const TrainOrder& order) {
  HF_CHECK(check_for(authorised, order.model));
  const auto now = tools_.parts.clock.now();
  HF_TRY(auto change, tools_.parts.database.begin());
  HF_TRY(const auto open, runs_.open(change.view()));
  if (open.size() >= options_.max_open) {
    return fail(ErrorCode::kUnavailable,
                fmt::format("{} runs wait already, which is as many as may; try again later", open.size()));
  }
  HF_TRY(auto run, runs_.wait(change, authorised.caller(), order.attack.empty() ? "train" : "harden",
                              order.model, order.parameters()));
  HF_TRY(auto payload, seal(run, {order, access::Mandate::of(authorised, now + options_.life)}));
  HF_TRY(const auto job, jobs_.enqueue(change, {.workspace = run.workspace,
                                                .kind = std::string(kKind),
                                                .idempotency_key = fmt::format("run/{}", run.id),
                                                .payload = std::move(payload),
                                                .not_before = now,
                                                .max_attempts = options_.max_attempts}));
  HF_CHECK(runs_.ride(change, run, job.value()));
  run.job = job.value();
  json details{{"parameters", order.parameters()}};
  if (authorised.receipt()) details["decided_in"] = authorised.receipt()->index;
  HF_CHECK(record(run, run.started_by, "run.ask", authorised.resource().text(), "done", std::move(details)));
  HF_CHECK(change.commit());
  return run;
}

Result<Run> RunQueue::cancel(const access::Authorised& authorised, std::int64_t id) {
  const auto& caller = authorised.caller();
  HF_TRY(auto change, tools_.parts.database.begin());
  HF_TRY(auto run, runs_.find(change.view(), caller.workspace(), id));
  HF_CHECK(check_for(authorised, run.model));
  if (!run.is_open()) {
    return fail(ErrorCode::kConflict, fmt::format("run {} has ended: {}", id, to_string(run.state)));
  }
  if (!run.job) {
    return fail(ErrorCode::kConflict,
                fmt::format("run {} is within the request that asked for it, and ends with that", id));
  }
  HF_CHECK(runs_.finish(change, run, RunState::kCancelled,
                        failure_json({ErrorCode::kUnavailable, "cancelled by " + caller.text()})));
  HF_CHECK(record(run, caller.text(), "run.cancel", authorised.resource().text(), "done", json::object()));
  HF_CHECK(change.commit());
  {
    const base::MutexLock lock(mutex_);
    const auto active = active_.find({run.workspace, run.id});
    if (active != active_.end()) active->second.request_stop();
  }
  return runs_.find(run.workspace, run.id);
}

// The job that is due longest, and its run, both marked as this worker's at once.
Result<std::optional<RunQueue::Taken>> RunQueue::take() {
  HF_TRY(auto change, tools_.parts.database.begin());
  HF_TRY(auto job, jobs_.lease(change, kKind, options_.lease));
  if (!job) {
    HF_CHECK(change.commit());  // of jobs that were found dead
    return std::optional<Taken>();
  }
  HF_TRY(auto run, runs_.take(change, job->workspace, job->id.value(), job->attempt, job->fence));
  if (!run) HF_CHECK(jobs_.complete(change, *job));
  HF_CHECK(jobs_.forget(change, tools_.parts.clock.now() + -std::chrono::microseconds(kJobMemory)));
  HF_CHECK(change.commit());
  return std::optional(Taken{*std::move(job), std::move(run)});
}

// Runs whose servers ended under them as often as they may.
Result<> RunQueue::fail_dead() {
  std::vector<std::pair<Run, store::JobStatus>> dead;
  {
    HF_TRY(const auto view, tools_.parts.database.snapshot());
    HF_TRY(const auto open, runs_.open(view));
    for (const auto& [workspace, id, job] : open) {
      HF_TRY(auto status, jobs_.status(view, workspace, store::JobId(job)));
      if (status.state != store::JobState::kDead) continue;
      HF_TRY(auto run, runs_.find(view, workspace, id));
      dead.emplace_back(std::move(run), std::move(status));
    }
  }
  for (const auto& [run, status] : dead) {
    const base::Error why{ErrorCode::kUnavailable,
                          fmt::format("the server ended {} times while it ran, which is as often as may be; "
                                      "see why, and ask for it again",
                                      status.attempts)};
    HF_TRY(auto change, tools_.parts.database.begin());
    HF_CHECK(runs_.finish(change, run, RunState::kFailed, failure_json(why)));
    HF_CHECK(record(run, run.started_by, "run.fail", model_text(run), "failed", {{"error", why.message}}));
    HF_CHECK(change.commit());
  }
  return {};
}

Result<> RunQueue::renew(const store::LeasedJob& job, const Run& run) {
  HF_TRY(auto change, tools_.parts.database.begin());
  HF_CHECK(jobs_.heartbeat(change, job, options_.lease));
  HF_TRY(const auto now, runs_.find(change.view(), run.workspace, run.id));
  if (!now.is_open()) return fail(ErrorCode::kConflict, fmt::format("run {} has ended", run.id));
  return change.commit();
}

OnRunProgress RunQueue::progress_into(const Run& run) {
  static constexpr std::chrono::milliseconds kBetween{500};
  return [this, run, step = std::string(),
          next = std::chrono::steady_clock::time_point()](const RunProgress& at) mutable {
    const auto now = std::chrono::steady_clock::now();
    if (now < next && at.step == step) return;
    next = now + kBetween;
    step = at.step;
    if (const auto kept = runs_.progress(run, at); !kept) {
      base::log(base::LogLevel::kWarning, "progress-not-kept", {{"why", kept.error().message}});
    }
  };
}

Result<access::Authorised> RunQueue::decide_again(const access::Mandate& mandate, const Run& run,
                                                  std::string_view step) {
  HF_TRY(const auto snapshot, tools_.access.snapshot());
  HF_TRY(const auto caller, snapshot->caller_by(mandate, tools_.parts.clock.now()));
  return tools_.access.authorise(caller, mandate.action, mandate.resource, {},
                                 {{"run", run.id}, {"attempt", run.attempt}, {"step", step}});
}

// Within the change that registers, so that nothing was taken away since it was decided.
Result<> RunQueue::still_allowed(const access::Mandate& mandate) {
  HF_TRY(const auto snapshot, tools_.access.snapshot());
  const auto now = tools_.parts.clock.now();
  HF_TRY(const auto caller, snapshot->caller_by(mandate, now));
  HF_CHECK(snapshot->decide(caller, mandate.action, mandate.resource, {.now = now}).authorised());
  return {};
}

Result<> RunQueue::carry_out(const Taken& taken, const std::stop_token& stop) {
  const Run& run = *taken.run;
  HF_TRY(const Task task, unseal(run, taken.job.payload));
  HF_CHECK(decide_again(task.mandate, run, "start"));
  HF_TRY(const auto trained, tools_.train(run, task.order, stop, progress_into(run)));
  if (stop.stop_requested()) return fail(ErrorCode::kUnavailable, "the run was stopped");
  return register_version(taken, task, trained);
}

Result<> RunQueue::register_version(const Taken& taken, const Task& task, const Trained& trained) {
  const Run& run = *taken.run;
  HF_TRY(const json metrics, base::parse_json(trained.metrics_json));
  HF_TRY(const auto authorised, decide_again(task.mandate, run, "register"));
  progress_into(run)(
      {.step = "registering", .line = {}, .permille = {}, .metrics_json = trained.metrics_json});
  HF_TRY(const auto file, file_of(trained.onnx));
  const auto also = [&](store::Transaction& change, const Version& version) -> Result<> {
    HF_CHECK(still_allowed(task.mandate));
    HF_CHECK(jobs_.complete(change, taken.job));
    HF_CHECK(EvidenceRoom(tools_.parts)
                 .add(change, version.workspace,
                      {.subject_name = version.model,
                       .subject = version.digest,
                       .predicate_type = std::string(kProvenancePredicate),
                       .predicate_json = trained.provenance_json}));
    json result = metrics;
    result["version"] = version.version;
    result["digest"] = version.digest.prefixed();
    return runs_.finish(change, run, RunState::kDone, result);
  };
  HF_TRY(const auto admitted, tools_.models.admit(authorised,
                                                  {.model = task.order.model,
                                                   .file_name = fmt::format("run-{}.onnx", run.id),
                                                   .run = run.id,
                                                   .also = also},
                                                  file));
  if (const auto* refusal = std::get_if<Refusal>(&admitted)) {
    return fail(ErrorCode::kPermissionDenied, "the model that was trained was refused: " + refusal->reason);
  }
  return {};
}

Result<> RunQueue::give_back(const Taken& taken) {
  HF_TRY(auto change, tools_.parts.database.begin());
  auto given = runs_.give_back(change, *taken.run);
  if (given) given = jobs_.give_back(change, taken.job);
  // It has ended, or somebody else has it: either way nothing is left to give.
  if (!given && given.error().code == ErrorCode::kConflict) return {};
  HF_CHECK(given);
  return change.commit();
}

Result<> RunQueue::settle_failure(const Taken& taken, const base::Error& error) {
  const Run& run = *taken.run;
  HF_TRY(auto change, tools_.parts.database.begin());
  const auto held = jobs_.complete(change, taken.job);
  if (!held && held.error().code == ErrorCode::kConflict)
    return {};  // what became of it, another worker says
  HF_CHECK(held);
  const auto ended = runs_.finish(change, run, RunState::kFailed, failure_json(error));
  if (!ended && ended.error().code == ErrorCode::kConflict) return change.commit();  // it was cancelled
  HF_CHECK(ended);
  HF_CHECK(record(run, run.started_by, "run.fail", model_text(run), "failed",
                  {{"error", error.message}, {"attempt", run.attempt}}));
  return change.commit();
}

Result<bool> RunQueue::work(const std::stop_token& stop) {
  HF_CHECK(fail_dead());
  HF_TRY(const auto taken, take());
  if (!taken) return false;
  if (!taken->run) return true;
  std::stop_source stopping;
  const std::stop_callback on_stop(stop, [&stopping] { stopping.request_stop(); });
  const Active active(*this, *taken->run, stopping);
  Result<> done;
  {
    const Heartbeat heartbeat(*this, *taken, stopping);
    done = carry_out(*taken, stopping.get_token());
  }
  if (done) return true;
  if (stop.stop_requested()) {
    HF_CHECK(give_back(*taken));
  } else {
    HF_CHECK(settle_failure(*taken, done.error()));
  }
  return true;
}

}  // namespace holdfast::registry
