#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace holdfast::store {

// How long to wait after a failure: `first` after one, doubled with each more, never over `longest`.
struct Backoff {
  std::chrono::microseconds first = std::chrono::seconds(1);
  std::chrono::microseconds longest = std::chrono::minutes(10);

  // After `failures` in a row, from 1 on.
  [[nodiscard]] std::chrono::microseconds delay(std::int64_t failures) const {
    auto delay = std::min(first, longest);
    for (std::int64_t i = 1; i < failures && delay < longest; ++i) delay = std::min(delay * 2, longest);
    return delay;
  }
};

}  // namespace holdfast::store
