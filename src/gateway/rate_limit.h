#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/mutex.h"

namespace holdfast::gateway {

struct RateLimit {
  double per_second = 100;  // over 0
  double burst = 200;       // at least 1
};

// Token buckets, one for each key. Thread-safe. Time comes in as a parameter and may not go back by more than
// the caller tolerates.
class RateLimiter {
 public:
  // At most this many keys at a time. Full buckets, which are as good as none, are forgotten first; where
  // none is full, a new key is refused for a second.
  static constexpr std::size_t kMaxKeys = 100'000;

  // None when the request may go on; else how long to wait before the next.
  std::optional<std::chrono::milliseconds> take(std::string_view key, const RateLimit& limit,
                                                std::chrono::steady_clock::time_point now);

 private:
  struct Bucket {
    double tokens = 0;
    std::chrono::steady_clock::time_point at;
    RateLimit limit;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  void forget_full(std::chrono::steady_clock::time_point now) HF_REQUIRES(mutex_);

  base::Mutex mutex_;
  std::unordered_map<std::string, Bucket, Hash, std::equal_to<>> buckets_ HF_GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point next_sweep_ HF_GUARDED_BY(mutex_){};
};

}  // namespace holdfast::gateway
