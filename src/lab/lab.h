#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "lab/specs.h"
#include "worker/await.h"
#include "worker/process.h"

// The client of holdfast-lab, the jailed program with LibTorch in it: training, attacks, hardening. What it
// answers is checked: a model must be a feed-forward graph of the right shape with finite weights, and a
// changed row must meet every constraint. Whether a row really fools the model is the lab's word alone; ask
// the engine.

namespace holdfast::lab {

struct EpochMetrics {
  std::size_t epoch = 0;                      // from 1
  double training_loss = 0;                   // mean weighted cross-entropy, on changed rows too in hardening
  std::optional<double> validation_loss;      // where there are validation rows
  std::optional<double> validation_accuracy;  // balanced: the mean recall of the classes that have rows

  friend bool operator==(const EpochMetrics&, const EpochMetrics&) = default;
};

// How far a call has come: of training in epochs, of an attack in restarts.
struct Progress {
  std::size_t done = 0;
  std::size_t of = 0;
  std::optional<EpochMetrics> epoch;

  friend bool operator==(const Progress&, const Progress&) = default;
};
using OnProgress = std::function<void(const Progress&)>;

struct TrainResult {
  // Takes raw features, "input" float32 [n, columns], and gives "probabilities" float32 [n, classes]; opset
  // 13, operators Sub, Div, Gemm, Relu, Softmax.
  base::Bytes onnx;
  std::vector<EpochMetrics> epochs;
  std::size_t best_epoch = 0;  // the one whose weights are in `onnx`, from 1
  worker::JailReport jail;
};

enum class RowOutcome : std::uint8_t {
  kHeld = 0,         // right before, and after every change that was tried
  kFooled = 1,       // right before, wrong as changed
  kWrongBefore = 2,  // wrong as it was; not attacked
};

struct AttackResult {
  std::vector<float> rows;  // rows * columns; as given where the outcome is not kFooled
  std::vector<RowOutcome> outcomes;
  // Among the attacked rows with room to change, those whose gradient by the changeable columns was zero at
  // the start: there the attack says nothing about the model.
  double zero_gradient_share = 0;
  std::vector<std::string> warnings;  // whole sentences, to stand beside the figures
  worker::JailReport jail;

  [[nodiscard]] std::size_t count(RowOutcome outcome) const;
};

// What LibTorch computes from a model, to be compared with ONNX Runtime's answers before a gradient is
// trusted.
struct ModelOutputs {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<float> values;
};

inline constexpr std::uint32_t kMaxThreads = 256;

struct LabOptions {
  std::filesystem::path executable;        // empty: holdfast-lab in the folder of this program
  std::uint64_t memory_bytes = 8UL << 30;  // address space; LibTorch takes about 2 GB of it, mostly unused
  std::uint32_t threads = 1;               // with another number, sums round differently
  worker::JailStrength weakest_jail = worker::JailStrength::kFull;
  std::chrono::milliseconds start_time{60'000};
};

// One lab process. It is killed with this object. Give it the data of one source only: a lab that one hostile
// model has taken over can give false answers about the next. Not thread-safe. After an error other than one
// about the request itself (kInvalidArgument, kUnsupported, kDataCorrupt of a model) it is gone, and every
// call gives kUnavailable.
class Lab {
 public:
  // kUnsupported, with the remedy, where this installation has no lab or the system refuses the jail.
  static base::Result<Lab> start(const LabOptions& options);

  Lab(Lab&&) noexcept = default;

  [[nodiscard]] const worker::JailReport& jail() const { return process_.jail(); }
  [[nodiscard]] pid_t id() const { return process_.id(); }

  // `validation` may have no rows.
  base::Result<TrainResult> train(const LabelledRows& training, const LabelledRows& validation,
                                  const TrainSpec& spec, worker::Deadline deadline,
                                  const OnProgress& on_progress = {});
  // As train(), on rows that are attacked while it learns; the validation rows are attacked alike.
  base::Result<TrainResult> harden(const LabelledRows& training, const LabelledRows& validation,
                                   const HardenSpec& spec, worker::Deadline deadline,
                                   const OnProgress& on_progress = {});
  // `onnx` is a model as read_feed_forward (lab/feed_forward.h) takes it; kUnsupported names the operator
  // that it does not.
  base::Result<AttackResult> attack(base::ByteView onnx, const MatrixView& rows,
                                    std::span<const std::int32_t> labels, const AttackSpec& spec,
                                    worker::Deadline deadline, const OnProgress& on_progress = {});
  base::Result<ModelOutputs> outputs(base::ByteView onnx, const MatrixView& rows, worker::Deadline deadline);

 private:
  Lab(worker::Process process, std::uint32_t threads) : process_(std::move(process)), threads_(threads) {}

  worker::Process process_;
  std::uint32_t threads_;
  bool usable_ = true;
};

}  // namespace holdfast::lab
