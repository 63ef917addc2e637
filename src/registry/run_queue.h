#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <utility>

#include "access/access.h"
#include "access/mandate.h"
#include "base/mutex.h"
#include "base/random.h"
#include "registry/models.h"
#include "registry/runs.h"
#include "registry/trials.h"
#include "store/jobs.h"

// Trainings on durable jobs. What is asked for is decided, recorded, and kept with its job in one
// transaction; then whoever asked is told its run. A worker takes the job under a lease, has the action
// decided again before it starts and before it registers, and registers the version in the transaction that
// ends the job and the run: each run makes one version or none, however often its server is killed.

namespace holdfast::registry {

struct RunQueueOptions {
  std::chrono::microseconds lease = std::chrono::seconds(15);
  std::chrono::milliseconds heartbeat{3'000};  // renews the lease, and sees that the run was cancelled
  std::int64_t max_attempts = 3;               // servers that may end under one run
  std::chrono::microseconds life = std::chrono::hours(24);  // until when what was allowed may be done
  std::size_t max_open = 100;                               // waiting and running
};

// Makes the model of a run; Trials::train.
using Trainer = std::function<base::Result<Trained>(
    const Run& run, const TrainOrder& order, const std::stop_token& stop, const OnRunProgress& on_progress)>;

// Thread-safe.
class RunQueue {
 public:
  // What it works with, kept alive by the caller.
  struct Tools {
    registry::Parts parts;
    access::Access& access;
    Models& models;
    Trainer train;
    base::RandomSource& random;
  };
  RunQueue(Tools tools, const RunQueueOptions& options = {})
      : tools_(std::move(tools)), options_(options), jobs_(tools_.parts.clock), runs_(tools_.parts) {}

  // `authorised` is for trainModel on the model. The run waits, durably. kUnavailable while as many are open
  // as may.
  base::Result<Run> ask(const access::Authorised& authorised, const TrainOrder& order);
  // Ends it, and the process that works on it: nothing comes of it from here on. `authorised` is for
  // trainModel on its model. kConflict once it has ended, and for an evaluation, which ends with its request.
  base::Result<Run> cancel(const access::Authorised& authorised, std::int64_t id);

  // One step in the caller's thread: takes the run that is due longest and brings it to its end, whatever
  // that is. False where none is due. `stop` ends the work, which is then due again. Errors are those of the
  // database and the log.
  base::Result<bool> work(const std::stop_token& stop = {});

 private:
  struct Taken {
    store::LeasedJob job;
    std::optional<Run> run;  // none where it has ended already
  };
  struct Task {
    TrainOrder order;
    access::Mandate mandate;
  };
  using Key = std::pair<base::WorkspaceId, std::int64_t>;
  class Active;
  class Heartbeat;

  [[nodiscard]] base::Result<crypto::AeadKey> key(const base::WorkspaceId& workspace) const;
  [[nodiscard]] base::Result<base::Bytes> seal(const Run& run, const Task& task) const;
  [[nodiscard]] base::Result<Task> unseal(const Run& run, base::ByteView payload) const;
  base::Result<> record(const Run& run, std::string_view actor, std::string_view action,
                        const std::string& resource, std::string_view decision, nlohmann::json details) const;

  base::Result<std::optional<Taken>> take();
  base::Result<> fail_dead();
  base::Result<> renew(const store::LeasedJob& job, const Run& run);
  base::Result<> carry_out(const Taken& taken, const std::stop_token& stop);
  base::Result<access::Authorised> decide_again(const access::Mandate& mandate, const Run& run,
                                                std::string_view step);
  base::Result<> still_allowed(const access::Mandate& mandate);
  base::Result<> register_version(const Taken& taken, const Task& task, const Trained& trained);
  base::Result<> give_back(const Taken& taken);
  base::Result<> settle_failure(const Taken& taken, const base::Error& error);
  OnRunProgress progress_into(const Run& run);

  Tools tools_;
  RunQueueOptions options_;
  store::Jobs jobs_;
  Runs runs_;
  base::Mutex mutex_;
  std::map<Key, std::stop_source> active_ HF_GUARDED_BY(mutex_);
};

}  // namespace holdfast::registry
