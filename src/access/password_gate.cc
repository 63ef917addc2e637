#include "access/password_gate.h"

namespace holdfast::access {

using base::ErrorCode;
using base::MutexLock;

PasswordGate::Turn::~Turn() {
  if (gate_ == nullptr) return;
  {
    const MutexLock lock(gate_->mutex_);
    --gate_->inside_;
  }
  gate_->free_.notify_one();
}

base::Result<PasswordGate::Turn> PasswordGate::enter() {
  const auto deadline = std::chrono::steady_clock::now() + limits_.wait;
  const MutexLock lock(mutex_);
  const auto busy = [] {
    return base::fail(ErrorCode::kUnavailable, "too many sign-ins are under way; try again in a few seconds");
  };
  if (inside_ >= limits_.at_once) {
    if (waiting_ >= limits_.waiting) return busy();
    ++waiting_;
    bool in_time = true;
    while (inside_ >= limits_.at_once && in_time) {
      in_time = free_.wait_until(mutex_, deadline) == std::cv_status::no_timeout;
    }
    --waiting_;
    if (inside_ >= limits_.at_once) return busy();
  }
  ++inside_;
  return Turn(*this);
}

}  // namespace holdfast::access
