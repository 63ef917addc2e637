#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>

#include "base/result.h"
#include "model/predictor.h"
#include "model/sealed_model.h"
#include "worker/process.h"

namespace holdfast::model {

// holdfast-engine beside this program. kNotFound, saying what to do, where it was not built or installed.
base::Result<std::filesystem::path> find_engine();

struct EngineOptions {
  std::optional<std::filesystem::path> executable;  // else find_engine()
  std::uint64_t memory_bytes = 2UL << 30;   // of address space, some 300 MB of it for the engine itself
  std::optional<std::chrono::seconds> cpu;  // of its whole life
  std::chrono::milliseconds load_time{60'000};
  // Rows of the largest input (its first dimension). More would be a denial of service.
  std::int64_t max_batch = 65'536;
  worker::JailStrength weakest_jail = worker::JailStrength::kFull;
};

// One model in one jailed process (holdfast-engine), by ONNX Runtime with one thread. The process can open no
// file, has no network, and may be taken over by a hostile model: what it answers is checked against what it
// said of itself when it loaded, and believed no further. External data and operators from libraries are
// refused.
//
// Not thread-safe: EnginePool is. Start it from a thread that lives as long as it shall (worker/process.h).
class Engine final : public Predictor {
 public:
  // kDataCorrupt or kUnsupported for a model that can't be loaded, with the engine's words; kNotFound without
  // an engine; the errors of worker::Process::start.
  static base::Result<Engine> start(const SealedModel& model, const EngineOptions& options = {});

  [[nodiscard]] const Signature& signature() const override { return signature_; }
  // A request, like an answer, is at most worker::kMaxFrameBytes: split larger batches. After kDeadline, and
  // after any crash, the process is gone: see alive().
  base::Result<std::vector<Tensor>> predict(std::span<const Tensor> inputs, Deadline deadline) override;

  // Whether it can answer again.
  [[nodiscard]] bool alive() const { return alive_; }
  [[nodiscard]] const worker::JailReport& jail() const { return process_.jail(); }
  [[nodiscard]] pid_t id() const { return process_.id(); }

 private:
  Engine(worker::Process process, std::int64_t max_batch)
      : process_(std::move(process)), max_batch_(max_batch) {}
  base::Result<> load(const SealedModel& model, Deadline deadline);
  base::Result<> check_batch(std::span<const Tensor> inputs) const;

  worker::Process process_;
  std::int64_t max_batch_;
  Signature signature_;
  bool alive_ = true;
};

}  // namespace holdfast::model
