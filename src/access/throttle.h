#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/mutex.h"
#include "base/result.h"
#include "base/time.h"

namespace holdfast::access {

struct ThrottleLimits {
  int free_failures = 5;          // of one name from one source, before it has to wait
  int free_source_failures = 30;  // of one source over all names
  std::chrono::seconds longest_wait{60};
  std::chrono::seconds forget_after{15 * 60};  // without a failure
  std::size_t max_tracked = 65'536;            // then the one that failed longest ago is forgotten
};

// Slows down who guesses. Failures count for a name and source together, and for a source alone; never for a
// name alone, since then anybody could keep a person out by failing for them. After the free failures each
// one doubles the wait, up to a bound; who waits is refused without any work, and refusals don't prolong the
// wait. One attempt at a time for each name and source. In memory: a restart forgets. Thread-safe.
class Throttle {
 public:
  explicit Throttle(const ThrottleLimits& limits) : limits_(limits) {}

  // An attempt that was let through. Counts as nothing unless one of its verbs is called.
  class Attempt {
   public:
    Attempt(Attempt&& other) noexcept;
    Attempt& operator=(Attempt&&) = delete;
    Attempt(const Attempt&) = delete;
    Attempt& operator=(const Attempt&) = delete;
    ~Attempt();
    void failed(base::Timestamp now);
    void succeeded();  // forgets the failures of this name from this source
    // Refusals since the last attempt that was let through, for its record.
    [[nodiscard]] std::uint64_t refused_before() const { return refused_before_; }

   private:
    friend class Throttle;
    Attempt(Throttle& throttle, std::string pair, std::string source, std::uint64_t refused_before);
    Throttle* throttle_;
    std::string pair_;
    std::string source_;
    std::uint64_t refused_before_;
  };

  // kLimitExceeded says how many seconds to wait.
  base::Result<Attempt> admit(std::string_view name, std::string_view source, base::Timestamp now);

 private:
  struct Track {
    int failures = 0;
    bool busy = false;
    std::uint64_t refused = 0;
    base::Timestamp last_failure;
    std::list<std::string>::iterator age;
  };
  Track& track(const std::string& key) HF_REQUIRES(mutex_);
  void count(const std::string& key, base::Timestamp now) HF_REQUIRES(mutex_);
  void forget(const std::string& key) HF_REQUIRES(mutex_);
  std::chrono::microseconds wait_left(const std::string& key, int free_failures, base::Timestamp now)
      HF_REQUIRES(mutex_);

  ThrottleLimits limits_;
  base::Mutex mutex_;
  std::unordered_map<std::string, Track> tracks_ HF_GUARDED_BY(mutex_);
  std::list<std::string> by_age_ HF_GUARDED_BY(mutex_);  // the oldest first
};

}  // namespace holdfast::access
