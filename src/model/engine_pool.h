#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "base/result.h"
#include "model/engine.h"
#include "worker/usage.h"

namespace holdfast::model {

struct PoolOptions {
  EngineOptions engine;
  std::size_t engines = 1;        // processes, each with the model; 1 to 64, asserted
  std::size_t max_waiting = 256;  // requests that wait for a free engine; one more is refused
  // Between a start that failed and the next; doubled each time, up to the second one.
  std::chrono::milliseconds first_pause{100};
  std::chrono::milliseconds longest_pause{10'000};
};

// Engines with the same model for many threads: a request waits for a free one, within its deadline. An
// engine that crashed, or was stopped since it was late, is an error for that request alone, and is started
// anew by a thread of the pool's own. Thread-safe. On destruction no call may be going on.
class EnginePool final : public Predictor {
 public:
  // All engines are loaded when this returns. The errors of Engine::start.
  static base::Result<std::unique_ptr<EnginePool>> start(SealedModel model, const PoolOptions& options = {});
  ~EnginePool() override;

  [[nodiscard]] const Signature& signature() const override;
  // Those of Engine::predict; kUnavailable when too many wait, or when no engine runs and the last start of
  // one failed; kDeadline when none became free in time.
  base::Result<std::vector<Tensor>> predict(std::span<const Tensor> inputs, Deadline deadline) override;

  [[nodiscard]] const base::Digest& model_digest() const;
  // Engines that run now, and how many were started again since the first: for health and metrics.
  struct Health {
    std::size_t running = 0;
    std::uint64_t restarts = 0;
  };
  [[nodiscard]] Health health() const;
  // What its engines take, and what their jails say.
  struct Use {
    std::size_t engines = 0;   // that were looked at: those that run
    bool own_network = false;  // each has a network of its own, with nothing in it
    worker::Usage usage;       // of all of them together
  };
  [[nodiscard]] Use use() const;
  // The process of an engine that waits for work, for tests and operators; none while all are at work.
  [[nodiscard]] std::optional<pid_t> any_process() const;

 private:
  class State;
  explicit EnginePool(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace holdfast::model
