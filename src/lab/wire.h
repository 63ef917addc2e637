#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "base/bytes.h"
#include "lab/lab.h"

// What goes between the lab and its client: one request as JSON, its data beside it as a descriptor of a
// sealed memfd; then any number of progress frames, then how it ended, as JSON; then, where it went well, the
// result in frames of at most kChunkBytes, whose number follows from the request and from the end.

namespace holdfast::lab {

inline constexpr std::size_t kChunkBytes = 16UL << 20;
inline constexpr std::size_t kMaxModelBytes = 512UL << 20;
inline constexpr std::size_t kMaxMessageBytes = 4096;  // of the text of a failure

enum class Task { kTrain, kHarden, kAttack, kOutputs };

// The memfd holds, one after the other and nothing else: the model; the rows; the labels of the rows; their
// weights; the validation rows, their labels, their weights; all as little-endian 32-bit numbers.
struct LabRequest {
  Task task = Task::kTrain;
  std::size_t columns = 0;
  std::size_t rows = 0;
  bool weighted = false;
  std::size_t validation_rows = 0;  // of training and hardening
  bool validation_weighted = false;
  std::size_t model_bytes = 0;  // of attack and outputs
  std::size_t threads = 1;
  TrainSpec training;            // of training and hardening
  AttackSpec attack;             // of hardening and attack
  double adversarial_share = 0;  // of hardening

  friend bool operator==(const LabRequest&, const LabRequest&) = default;
};

std::string encode(const LabRequest& request);
// kInvalidArgument, naming the member, for what encode() does not give; the specs are checked.
base::Result<LabRequest> decode_request(base::ByteView frame);

// The end of a task that went well. The result follows: of training the model (`bytes` of it), of an attack
// the rows and one byte a row with its outcome, of outputs `bytes` of values.
struct LabDone {
  std::size_t bytes = 0;
  std::size_t best_epoch = 0;      // of training
  double zero_gradient_share = 0;  // of an attack

  friend bool operator==(const LabDone&, const LabDone&) = default;
};

using LabAnswer = std::variant<Progress, base::Error, LabDone>;

std::string encode(const LabAnswer& answer);
// Strict, since a hostile model may speak through the lab: kDataCorrupt for what encode() does not give.
base::Result<LabAnswer> decode_answer(base::ByteView frame);

}  // namespace holdfast::lab
