#include "gateway/rate_limit.h"

#include <algorithm>
#include <cmath>

namespace holdfast::gateway {

namespace {

constexpr std::chrono::seconds kSweepPause{1};

double seconds_between(std::chrono::steady_clock::time_point from, std::chrono::steady_clock::time_point to) {
  return std::max(0.0, std::chrono::duration<double>(to - from).count());
}

}  // namespace

std::optional<std::chrono::milliseconds> RateLimiter::take(std::string_view key, const RateLimit& limit,
                                                           std::chrono::steady_clock::time_point now) {
  const base::MutexLock lock(mutex_);
  auto found = buckets_.find(key);
  if (found == buckets_.end()) {
    if (buckets_.size() >= kMaxKeys && now >= next_sweep_) forget_full(now);
    if (buckets_.size() >= kMaxKeys) return std::chrono::seconds(1);
    found = buckets_.emplace(std::string(key), Bucket{limit.burst, now, limit}).first;
  }
  Bucket& bucket = found->second;
  bucket.tokens = std::min(limit.burst, bucket.tokens + seconds_between(bucket.at, now) * limit.per_second);
  bucket.at = std::max(bucket.at, now);
  bucket.limit = limit;
  if (bucket.tokens >= 1) {
    bucket.tokens -= 1;
    return std::nullopt;
  }
  const double wait = (1 - bucket.tokens) / limit.per_second * 1000;
  return std::chrono::milliseconds(static_cast<std::int64_t>(std::ceil(std::min(wait, 3.6e6))));
}

void RateLimiter::forget_full(std::chrono::steady_clock::time_point now) {
  std::erase_if(buckets_, [&](const auto& entry) {
    const Bucket& bucket = entry.second;
    return bucket.tokens + seconds_between(bucket.at, now) * bucket.limit.per_second >= bucket.limit.burst;
  });
  next_sweep_ = now + kSweepPause;
}

}  // namespace holdfast::gateway
