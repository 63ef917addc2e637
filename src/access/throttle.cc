#include "access/throttle.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace holdfast::access {
namespace {

using base::ErrorCode;
using base::MutexLock;
using base::Timestamp;
using std::chrono::microseconds;
using std::chrono::seconds;

constexpr int kMaxDoublings = 20;  // 2^20 s is beyond any wait that is asked for

// No name and no source holds a line feed: names are checked, and sources are addresses.
std::string pair_key(std::string_view name, std::string_view source) {
  return fmt::format("{}\n{}", name, source);
}
std::string source_key(std::string_view source) { return fmt::format("\n{}", source); }

}  // namespace

Throttle::Attempt::Attempt(Throttle& throttle, std::string pair, std::string source,
                           std::uint64_t refused_before)
    : throttle_(&throttle),
      pair_(std::move(pair)),
      source_(std::move(source)),
      refused_before_(refused_before) {}

Throttle::Attempt::Attempt(Attempt&& other) noexcept
    : throttle_(std::exchange(other.throttle_, nullptr)),
      pair_(std::move(other.pair_)),
      source_(std::move(other.source_)),
      refused_before_(other.refused_before_) {}

Throttle::Attempt::~Attempt() {
  if (throttle_ == nullptr) return;
  const MutexLock lock(throttle_->mutex_);
  const auto found = throttle_->tracks_.find(pair_);
  if (found == throttle_->tracks_.end()) return;
  found->second.busy = false;
  if (found->second.failures == 0) throttle_->forget(pair_);
}

void Throttle::Attempt::failed(Timestamp now) {
  const MutexLock lock(throttle_->mutex_);
  throttle_->count(pair_, now);
  throttle_->count(source_, now);
}

void Throttle::Attempt::succeeded() {
  const MutexLock lock(throttle_->mutex_);
  throttle_->forget(pair_);
}

base::Result<Throttle::Attempt> Throttle::admit(std::string_view name, std::string_view source,
                                                Timestamp now) {
  std::string pair = pair_key(name, source);
  std::string alone = source_key(source);
  const MutexLock lock(mutex_);
  const microseconds left = std::max(wait_left(pair, limits_.free_failures, now),
                                     wait_left(alone, limits_.free_source_failures, now));
  const auto known = tracks_.find(pair);
  if (left > microseconds::zero() || (known != tracks_.end() && known->second.busy)) {
    // Counted where something is tracked already, so that refusals cost no room: else they would push out
    // what makes them refusals.
    ++(known != tracks_.end() ? known->second : tracks_.at(alone)).refused;
    return base::fail(ErrorCode::kLimitExceeded,
                      fmt::format("too many wrong passwords came from this address; try again in {} s",
                                  std::max<std::int64_t>(1, std::chrono::ceil<seconds>(left).count())));
  }
  Track& mine = track(pair);
  mine.busy = true;
  std::uint64_t refused = std::exchange(mine.refused, 0);
  if (const auto place = tracks_.find(alone); place != tracks_.end()) {
    refused += std::exchange(place->second.refused, 0);
  }
  return Attempt(*this, std::move(pair), std::move(alone), refused);
}

Throttle::Track& Throttle::track(const std::string& key) {
  if (const auto found = tracks_.find(key); found != tracks_.end()) return found->second;
  if (tracks_.size() >= limits_.max_tracked) {
    auto idle = by_age_.begin();
    while (idle != by_age_.end() && tracks_.at(*idle).busy) ++idle;
    if (idle != by_age_.end()) forget(std::string(*idle));
  }
  Track fresh;
  fresh.age = by_age_.insert(by_age_.end(), key);
  return tracks_.emplace(key, fresh).first->second;
}

void Throttle::count(const std::string& key, Timestamp now) {
  Track& failing = track(key);
  ++failing.failures;
  failing.last_failure = now;
  by_age_.splice(by_age_.end(), by_age_, failing.age);
}

void Throttle::forget(const std::string& key) {
  const auto found = tracks_.find(key);
  if (found == tracks_.end()) return;
  by_age_.erase(found->second.age);
  tracks_.erase(found);
}

microseconds Throttle::wait_left(const std::string& key, int free_failures, Timestamp now) {
  const auto found = tracks_.find(key);
  if (found == tracks_.end()) return microseconds::zero();
  Track& known = found->second;
  if (now - known.last_failure >= limits_.forget_after) known.failures = 0;
  if (known.failures < free_failures) return microseconds::zero();
  const int doublings = std::min(known.failures - free_failures, kMaxDoublings);
  const microseconds wait = std::min(seconds(1LL << doublings), limits_.longest_wait);
  // A clock that was set back must not make the wait longer than it is.
  return std::min(wait, known.last_failure + wait - now);
}

}  // namespace holdfast::access
