#include "worker/await.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>

#include "worker/stderr_tail.h"

namespace holdfast::worker {

using base::ErrorCode;
using base::fail;
using base::Result;

namespace {

// For poll(2): rounded up, so as not to wake a fraction of a millisecond early and spin.
int milliseconds_until(Deadline deadline) {
  if (deadline == kNoDeadline) return -1;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
  constexpr std::chrono::milliseconds::rep kMost = std::numeric_limits<int>::max();
  return static_cast<int>(std::clamp(left, std::chrono::milliseconds::rep{0}, kMost));
}

}  // namespace

Result<> check_deadline(Deadline deadline) {
  if (std::chrono::steady_clock::now() < deadline) return {};
  return fail(ErrorCode::kDeadline, "the time allowed is over");
}

Result<> await(int descriptor, short events, Deadline deadline, StderrTail* tail) {
  for (;;) {
    // poll(2) passes over a negative descriptor.
    std::array<pollfd, 2> watched{
        {{descriptor, events, 0}, {tail != nullptr ? tail->descriptor() : -1, POLLIN, 0}}};
    const int ready = ::poll(watched.data(), watched.size(), milliseconds_until(deadline));
    if (ready < 0 && errno != EINTR) return base::fail_errno("cannot wait for a worker", errno);
    if (tail != nullptr && watched[1].revents != 0) tail->drain();
    if (watched[0].revents != 0) return {};
    HF_CHECK(check_deadline(deadline));
  }
}

}  // namespace holdfast::worker
