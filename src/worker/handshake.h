#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "worker/jail.h"

// How a worker begins: its parent's orders come in one variable of an otherwise empty environment; its first
// frame is a greeting that says what is in force, or why it could not start. Both are JSON. Internal to this
// module.

namespace holdfast::worker {

inline constexpr const char* kOrdersVariable = "HOLDFAST_WORKER";
// The worker's end of the connection.
inline constexpr int kChannelDescriptor = 3;
inline constexpr std::size_t kMaxGreetingBytes = 16UL << 10;

struct Orders {
  pid_t parent = 0;
  JailOptions jail;

  friend bool operator==(const Orders&, const Orders&) = default;
};

std::string encode_orders(const Orders& orders);
// kInvalidArgument for what encode_orders does not give.
base::Result<Orders> decode_orders(std::string_view text);

base::Bytes encode_greeting(const base::Result<JailReport>& report);
// The report; kUnsupported with the worker's own words where it could not start; kDataCorrupt for anything
// else.
base::Result<JailReport> decode_greeting(base::ByteView greeting);

}  // namespace holdfast::worker
