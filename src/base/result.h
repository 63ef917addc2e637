#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

// Failures are values. A function that can fail for a reason outside the program returns Result<T>; the Error
// in it has a code for the program and a message for the person who must act. Messages are whole sentences
// without a full stop at the end, name the field or file, and say the remedy where there is one.

namespace holdfast::base {

enum class ErrorCode {
  kInvalidArgument,   // what was asked for makes no sense, now or ever
  kNotFound,          // the thing named is not there
  kAlreadyExists,     // the thing to be made is there
  kConflict,          // somebody else changed it first; read again and retry
  kPermissionDenied,  // known, and not allowed
  kUnauthenticated,   // not known
  kDataCorrupt,       // bytes that are not what they must be: damaged, truncated or tampered with
  kLimitExceeded,     // over a bound that this program sets
  kUnsupported,       // understood, but this program can't do it
  kUnavailable,       // could work later: no space, no network, a process that is not there
  kDeadline,          // took longer than allowed
  kIo,                // the operating system refused
  kInternal,          // a fault in this program
};

std::string_view to_string(ErrorCode code);

struct [[nodiscard]] Error {
  ErrorCode code;
  std::string message;

  // The same error seen from further out: "context: message".
  Error within(std::string_view context) &&;
};

// tl::expected, which a caller may not drop: 1.0's own class lacks [[nodiscard]].
template <typename T = void>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
};

inline tl::unexpected<Error> fail(ErrorCode code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message)});
}

inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

// kIo (kUnavailable for a full disk or an exhausted table, kNotFound for ENOENT, kPermissionDenied for
// EACCES) with errno's own text: "<doing>: No space left on device".
tl::unexpected<Error> fail_errno(std::string_view doing, int errno_value);

}  // namespace holdfast::base

#define HF_CONCAT_(a, b) a##b
#define HF_CONCAT(a, b) HF_CONCAT_(a, b)
#define HF_TRY_(result, declaration, ...)               \
  auto result = (__VA_ARGS__);                          \
  if (!result) {                                        \
    return ::tl::unexpected(std::move(result).error()); \
  }                                                     \
  declaration = *std::move(result)

// HF_TRY(auto size, file_size(path)): binds the value, or returns the error to the caller.
#define HF_TRY(declaration, ...) HF_TRY_(HF_CONCAT(hf_try_, __LINE__), declaration, __VA_ARGS__)

// HF_CHECK(write(path, bytes)): for a Result whose value is void or of no interest.
#define HF_CHECK(...)                                       \
  do {                                                      \
    if (auto hf_check = (__VA_ARGS__); !hf_check) {         \
      return ::tl::unexpected(std::move(hf_check).error()); \
    }                                                       \
  } while (false)
