#pragma once

#include <chrono>

#include "base/mutex.h"
#include "base/result.h"

namespace holdfast::access {

struct PasswordGateLimits {
  int at_once = 2;   // passwords hashed at a time: each takes the memory of its cost
  int waiting = 32;  // for their turn
  std::chrono::milliseconds wait{5'000};
};

// Bounds how many passwords are hashed at once, and how many wait. Thread-safe.
class PasswordGate {
 public:
  explicit PasswordGate(const PasswordGateLimits& limits) : limits_(limits) {}
  PasswordGate(const PasswordGate&) = delete;
  PasswordGate& operator=(const PasswordGate&) = delete;

  // A turn, given back with its scope.
  class Turn {
   public:
    Turn(Turn&& other) noexcept : gate_(other.gate_) { other.gate_ = nullptr; }
    Turn& operator=(Turn&&) = delete;
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn();

   private:
    friend class PasswordGate;
    explicit Turn(PasswordGate& gate) : gate_(&gate) {}
    PasswordGate* gate_;
  };

  // kUnavailable where too many wait already, or the turn does not come in time.
  base::Result<Turn> enter();

 private:
  PasswordGateLimits limits_;
  base::Mutex mutex_;
  base::ConditionVariable free_;
  int inside_ HF_GUARDED_BY(mutex_) = 0;
  int waiting_ HF_GUARDED_BY(mutex_) = 0;
};

}  // namespace holdfast::access
