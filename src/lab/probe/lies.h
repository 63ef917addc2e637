#pragma once

#include <cstdint>

namespace holdfast::lab::probe {

// What the lab of the tests answers; the number goes as the seed of the request.
enum class Lie : std::uint64_t {
  kTruth,
  // of training
  kGarbageModel,
  kOtherShape,
  kWeightsNotFinite,
  kNoSuchEpoch,
  kEpochsOutOfOrder,
  kHugeModel,
  kShortChunk,
  kGarbageFrame,
  kEndlessProgress,
  kSilence,
  kEnd,
  kFailure,
  // of an attack
  kBeyondConstraints,
  kChangedAndHeld,
  kNoSuchOutcome,
};

}  // namespace holdfast::lab::probe
