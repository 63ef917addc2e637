#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/result.h"
#include "policy/value.h"

// The functions of Cedar's extension types, as data: the parser, the evaluator and the validator read one
// table.

namespace holdfast::policy {

enum class ExtensionFunction : std::uint8_t {
  kDecimal,
  kLessThan,
  kLessThanOrEqual,
  kGreaterThan,
  kGreaterThanOrEqual,
  kIp,
  kIsIpv4,
  kIsIpv6,
  kIsLoopback,
  kIsMulticast,
  kIsInRange,
  kDatetime,
  kDuration,
  kOffset,
  kDurationSince,
  kToDate,
  kToTime,
  kToMilliseconds,
  kToSeconds,
  kToMinutes,
  kToHours,
  kToDays,
};

// What a function takes or gives.
enum class ExtensionOperand : std::uint8_t {
  kText,
  kBool,
  kLong,
  kDecimal,
  kIpAddress,
  kDatetime,
  kDuration
};

struct ExtensionSignature {
  std::string_view name;
  bool is_method;  // x.name(...) with x as the first argument; otherwise name(...)
  std::span<const ExtensionOperand> arguments;
  ExtensionOperand result;

  // decimal, ip, datetime, duration: they make a value from its text.
  [[nodiscard]] bool is_constructor() const { return !is_method; }
};

const ExtensionSignature& signature(ExtensionFunction function);
// By name; of functions, or of methods.
std::optional<ExtensionFunction> find_extension_function(std::string_view name, bool method);
// Cedar's name of the type: "String", "Bool", "Long", "decimal", "ipaddr", ...
std::string_view to_string(ExtensionOperand operand);

// The value of a call. kInvalidArgument for arguments of the wrong number or type, for text that a
// constructor can't read, and for an overflow.
base::Result<Value> call_extension(ExtensionFunction function, std::span<const Value* const> arguments);

}  // namespace holdfast::policy
