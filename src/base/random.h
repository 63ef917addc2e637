#pragma once

#include "base/bytes.h"

namespace holdfast::base {

// Where randomness comes from: a parameter, so that a test can hold it still.
class RandomSource {
 public:
  virtual ~RandomSource() = default;
  virtual void fill(MutableByteView bytes) = 0;

  [[nodiscard]] Bytes take(std::size_t count) {
    Bytes bytes(count);
    fill(bytes);
    return bytes;
  }
};

// The kernel's generator (getrandom(2)), fit for keys. Thread-safe. Aborts if the kernel has none to give,
// which Linux since 3.17 does not do to a running system.
RandomSource& system_random();

}  // namespace holdfast::base
