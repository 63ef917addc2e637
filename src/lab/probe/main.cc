// A lab that has been taken over, for the tests of its client: what it answers is chosen by the seed of the
// request.

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "base/file.h"
#include "lab/feed_forward.h"
#include "lab/lab.h"
#include "lab/probe/lies.h"
#include "lab/wire.h"
#include "worker/child.h"

namespace holdfast::lab::probe {
namespace {

using base::Bytes;
using base::Result;
using worker::Channel;
using worker::kNoDeadline;

Result<> say(Channel& channel, std::string_view text) {
  return channel.send(base::as_bytes(text), kNoDeadline);
}
Result<> say(Channel& channel, const LabAnswer& answer) { return say(channel, encode(answer)); }

Bytes model(std::size_t columns, float weight) {
  DenseLayer layer{
      .inputs = columns, .outputs = 2, .weights = std::vector<float>(2 * columns, weight), .bias = {0, 0}};
  return write_onnx({std::vector<float>(columns), std::vector<float>(columns, 1), {std::move(layer)}});
}

Result<> give_model(Channel& channel, const Bytes& bytes, std::size_t best_epoch = 1, std::size_t epoch = 1) {
  HF_CHECK(say(channel, Progress{.done = 1, .of = 1, .epoch = EpochMetrics{.epoch = epoch}}));
  HF_CHECK(say(channel, LabDone{.bytes = bytes.size(), .best_epoch = best_epoch}));
  return channel.send(bytes, kNoDeadline);
}

// The attacked rows as they came, then changed by `spoil`.
template <typename Spoil>
Result<> give_rows(Channel& channel, const LabRequest& request, int data, Spoil spoil) {
  std::vector<float> rows(request.rows * request.columns);
  Bytes bytes(rows.size() * sizeof(float));
  HF_CHECK(base::read_full_at(data, request.model_bytes, bytes));
  std::memcpy(rows.data(), bytes.data(), bytes.size());
  Bytes outcomes(request.rows);
  spoil(rows, outcomes);
  std::memcpy(bytes.data(), rows.data(), bytes.size());
  base::append(bytes, outcomes);
  HF_CHECK(say(channel, LabDone{.bytes = bytes.size()}));
  return channel.send(bytes, kNoDeadline);
}

Result<> lie_about_training(Channel& channel, const LabRequest& request, Lie lie) {
  switch (lie) {
    case Lie::kTruth:
      return give_model(channel, model(request.columns, 1));
    case Lie::kGarbageModel:
      return give_model(channel, {1, 2, 3});
    case Lie::kOtherShape:
      return give_model(channel, model(request.columns + 1, 1));
    case Lie::kWeightsNotFinite:
      return give_model(channel, model(request.columns, INFINITY));
    case Lie::kNoSuchEpoch:
      return give_model(channel, model(request.columns, 1), 7);
    case Lie::kEpochsOutOfOrder:
      return give_model(channel, model(request.columns, 1), 1, 5);
    case Lie::kHugeModel:
      return say(channel, LabDone{.bytes = kMaxModelBytes + 1, .best_epoch = 1});
    case Lie::kShortChunk:
      HF_CHECK(say(channel, LabDone{.bytes = 100, .best_epoch = 1}));
      return say(channel, "short");
    case Lie::kGarbageFrame:
      return say(channel, "no answer at all");
    case Lie::kEndlessProgress:
      while (true) HF_CHECK(say(channel, Progress{.done = 1, .of = 1}));
    case Lie::kSilence:
      return {};
    case Lie::kEnd:
      std::exit(3);
    default:
      return say(channel, base::Error{base::ErrorCode::kUnsupported, "not asked"});
  }
}

Result<> lie_about_rows(Channel& channel, const LabRequest& request, int data, Lie lie) {
  return give_rows(channel, request, data, [&](std::vector<float>& rows, Bytes& outcomes) {
    switch (lie) {
      case Lie::kBeyondConstraints:
        rows[0] += 100;
        outcomes[0] = static_cast<std::uint8_t>(RowOutcome::kFooled);
        return;
      case Lie::kChangedAndHeld:
        rows[0] += 0.5F;
        return;
      case Lie::kNoSuchOutcome:
        outcomes[0] = 9;
        return;
      default:
        return;
    }
  });
}

Result<> work() {
  HF_TRY(Channel channel, worker::begin_work());
  while (true) {
    HF_TRY(const auto frame, channel.receive(kNoDeadline, worker::Descriptors::kAccept));
    if (!frame) return {};
    HF_TRY(const LabRequest request, decode_request(frame->bytes));
    if (request.task == Task::kAttack) {
      HF_CHECK(lie_about_rows(channel, request, frame->descriptor.get(), Lie{request.attack.seed}));
    } else {
      HF_CHECK(lie_about_training(channel, request, Lie{request.training.seed}));
    }
  }
}

}  // namespace
}  // namespace holdfast::lab::probe

int main() { return holdfast::lab::probe::work() ? EXIT_SUCCESS : EXIT_FAILURE; }
