#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

// Bounds that changes, jobs and messages have in common.

namespace holdfast::store {

inline constexpr std::size_t kMaxNameBytes = 256;  // of a workspace, a kind, a subject, a key, a destination
inline constexpr std::size_t kMaxPayloadBytes = 1UL << 20;
inline constexpr std::size_t kMaxKeptErrorBytes = 2'000;  // longer errors are cut
inline constexpr std::int64_t kMaxForgotten = 1'000;      // at once

// kInvalidArgument for an empty name or one over kMaxNameBytes; `what` says whose it is.
base::Result<> check_name(std::string_view what, std::string_view name);
// kLimitExceeded over kMaxPayloadBytes.
base::Result<> check_payload(std::string_view what, base::ByteView payload);
// At most kMaxKeptErrorBytes of the text, cut between characters of UTF-8.
std::string_view kept_error(std::string_view text);

}  // namespace holdfast::store
