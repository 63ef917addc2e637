#include "model/engine_pool.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <thread>
#include <vector>

#include "base/assert.h"
#include "base/mutex.h"

namespace holdfast::model {

using base::ErrorCode;
using base::fail;
using base::MutexLock;
using base::Result;

namespace {
constexpr std::size_t kMostEngines = 64;
}

class EnginePool::State {
 public:
  State(SealedModel model, const PoolOptions& options)
      : model_(std::move(model)), options_(options), pause_(options.first_pause) {}

  ~State() {
    {
      const MutexLock lock(mutex_);
      ending_ = true;
    }
    needed_.notify_all();
    if (keeper_.joinable()) keeper_.join();
  }

  // Starts the keeper, and waits for the first engines or the first error.
  Result<> start() {
    keeper_ = std::thread([this] { keep(); });
    const MutexLock lock(mutex_);
    while (running_ < options_.engines && !last_error_) free_.wait(mutex_);
    if (last_error_) return fail(*last_error_);
    return {};
  }

  Result<Engine> take(Deadline deadline) {
    const MutexLock lock(mutex_);
    if (idle_.empty() && waiting_ >= options_.max_waiting) {
      return fail(ErrorCode::kUnavailable,
                  fmt::format("{} requests wait for this model already; try again later", waiting_));
    }
    ++waiting_;
    auto engine = wait_for_idle(deadline);
    --waiting_;
    return engine;
  }

  // Wakes one of those who wait for an engine, if any does: this is on the way of every prediction.
  void give_back(Engine engine) {
    if (!engine.alive()) {
      lose(std::move(engine));
      return;
    }
    bool awaited = false;
    {
      const MutexLock lock(mutex_);
      idle_.push_back(std::move(engine));
      awaited = waiting_ > 0;
    }
    if (awaited) free_.notify_one();
  }

  [[nodiscard]] const Signature& signature() const { return signature_; }
  [[nodiscard]] const SealedModel& model() const { return model_; }
  [[nodiscard]] Health health() {
    const MutexLock lock(mutex_);
    return {.running = running_, .restarts = started_ - std::min<std::uint64_t>(started_, options_.engines)};
  }
  [[nodiscard]] Use use() {
    const auto processes = running();
    Use use{.engines = 0, .own_network = !processes.empty(), .usage = {}};
    for (const Running& process : processes) {
      const auto usage = worker::usage_of(process.id);
      if (!usage) continue;  // it has just ended
      ++use.engines;
      use.own_network = use.own_network && process.own_network;
      use.usage.processor += usage->processor;
      use.usage.resident_bytes += usage->resident_bytes;
    }
    return use;
  }
  [[nodiscard]] std::optional<pid_t> any_process() {
    const MutexLock lock(mutex_);
    return idle_.empty() ? std::nullopt : std::optional(idle_.back().id());
  }

 private:
  struct Running {
    pid_t id = 0;
    bool own_network = false;
  };
  std::vector<Running> running() {
    const MutexLock lock(mutex_);
    return processes_;
  }

  // The keeper starts another; whoever waits looks whether that is in vain. Its process ends after the lock
  // is released.
  void lose(Engine engine) {
    {
      const MutexLock lock(mutex_);
      --running_;
      std::erase_if(processes_, [&engine](const Running& one) { return one.id == engine.id(); });
    }
    needed_.notify_all();
    free_.notify_all();
  }

  Result<Engine> wait_for_idle(Deadline deadline) HF_REQUIRES(mutex_) {
    while (idle_.empty()) {
      if (running_ == 0 && last_error_) {
        return fail(ErrorCode::kUnavailable,
                    fmt::format("no engine runs this model: {}", last_error_->message));
      }
      if (free_.wait_until(mutex_, deadline) == std::cv_status::timeout && idle_.empty()) {
        return fail(ErrorCode::kDeadline, "no engine of this model became free in time");
      }
    }
    Engine engine = std::move(idle_.back());
    idle_.pop_back();
    return engine;
  }

  // The thread in which every engine is started, since an engine ends with the thread that started it.
  void keep() {
    while (wait_for_need()) {
      auto engine = Engine::start(model_, options_.engine);
      {
        const MutexLock lock(mutex_);
        take_in(std::move(engine));
      }
      free_.notify_all();
    }
    std::vector<Engine> last;
    const MutexLock lock(mutex_);
    last.swap(idle_);
  }

  // False when the pool ends.
  bool wait_for_need() {
    const MutexLock lock(mutex_);
    while (!ending_) {
      const auto now = std::chrono::steady_clock::now();
      const bool needed = running_ < options_.engines;
      if (needed && now >= not_before_) return true;
      if (needed) {
        needed_.wait_until(mutex_, not_before_);
      } else {
        needed_.wait(mutex_);
      }
    }
    return false;
  }

  void take_in(Result<Engine> engine) HF_REQUIRES(mutex_) {
    if (engine && started_ > 0 && engine->signature() != signature_) {
      engine_failed({ErrorCode::kDataCorrupt, "the model declares other inputs and outputs than before"});
      return;
    }
    if (!engine) {
      engine_failed(std::move(engine).error());
      return;
    }
    if (started_++ == 0) signature_ = engine->signature();
    ++running_;
    processes_.push_back({.id = engine->id(), .own_network = engine->jail().namespaces});
    idle_.push_back(*std::move(engine));
    last_error_.reset();
    pause_ = options_.first_pause;
  }

  void engine_failed(base::Error error) HF_REQUIRES(mutex_) {
    last_error_ = std::move(error);
    not_before_ = std::chrono::steady_clock::now() + pause_;
    pause_ = std::min(2 * pause_, options_.longest_pause);
  }

  const SealedModel model_;
  const PoolOptions options_;
  // Written by the keeper before start() returns, and never again.
  Signature signature_;

  base::Mutex mutex_;
  base::ConditionVariable free_;    // an engine is idle, or a start has failed
  base::ConditionVariable needed_;  // for the keeper: an engine is lost, or the pool ends
  std::vector<Engine> idle_ HF_GUARDED_BY(mutex_);
  std::size_t running_ HF_GUARDED_BY(mutex_) = 0;         // idle or at work
  std::vector<Running> processes_ HF_GUARDED_BY(mutex_);  // of those
  std::size_t waiting_ HF_GUARDED_BY(mutex_) = 0;
  std::uint64_t started_ HF_GUARDED_BY(mutex_) = 0;
  std::optional<base::Error> last_error_ HF_GUARDED_BY(mutex_);  // of the last start, if it failed
  std::chrono::milliseconds pause_ HF_GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point not_before_ HF_GUARDED_BY(mutex_){};
  bool ending_ HF_GUARDED_BY(mutex_) = false;
  std::thread keeper_;
};

EnginePool::EnginePool(std::unique_ptr<State> state) : state_(std::move(state)) {}
EnginePool::~EnginePool() = default;

Result<std::unique_ptr<EnginePool>> EnginePool::start(SealedModel model, const PoolOptions& options) {
  HF_ASSERT(options.engines >= 1 && options.engines <= kMostEngines);
  auto state = std::make_unique<State>(std::move(model), options);
  HF_CHECK(state->start());
  return std::unique_ptr<EnginePool>(new EnginePool(std::move(state)));
}

const Signature& EnginePool::signature() const { return state_->signature(); }
const base::Digest& EnginePool::model_digest() const { return state_->model().digest(); }
EnginePool::Health EnginePool::health() const { return state_->health(); }
EnginePool::Use EnginePool::use() const { return state_->use(); }
std::optional<pid_t> EnginePool::any_process() const { return state_->any_process(); }

Result<std::vector<Tensor>> EnginePool::predict(std::span<const Tensor> inputs, Deadline deadline) {
  // Before an engine is taken: a request that no engine would take costs the others nothing.
  HF_CHECK(check_inputs(signature(), inputs));
  HF_TRY(Engine engine, state_->take(deadline));
  auto answer = engine.predict(inputs, deadline);
  state_->give_back(std::move(engine));
  return answer;
}

}  // namespace holdfast::model
