#pragma once

#include <chrono>

#include "base/result.h"

namespace holdfast::worker {

class StderrTail;

// A moment of the monotonic clock by which something has happened or is given up.
using Deadline = std::chrono::steady_clock::time_point;
inline constexpr Deadline kNoDeadline = Deadline::max();

// `span` from now; at most some centuries.
inline Deadline deadline_in(std::chrono::milliseconds span) {
  return std::chrono::steady_clock::now() + span;
}

// kDeadline once the deadline has passed.
base::Result<> check_deadline(Deadline deadline);

// Waits until `descriptor` is ready for `events` (poll(2)), has failed, or was closed by its other side.
// Meanwhile it drains `tail`, where one is given, so that a worker never stands still because nobody reads
// what it prints. kDeadline when the deadline has passed and the descriptor is still not ready.
base::Result<> await(int descriptor, short events, Deadline deadline, StderrTail* tail);

}  // namespace holdfast::worker
