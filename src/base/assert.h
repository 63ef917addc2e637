#pragma once

// HF_ASSERT checks what only a programmer can get wrong, and is kept in release builds. It is never used on
// input: what can go wrong outside is a Result (base/result.h).

namespace holdfast::base {
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);
}

#define HF_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::holdfast::base::assertion_failed(#condition, __FILE__, __LINE__))
