#include "policy/extensions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace holdfast::policy {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using Operand = ExtensionOperand;
using Function = ExtensionFunction;

constexpr std::array kText{Operand::kText};
constexpr std::array kDecimals{Operand::kDecimal, Operand::kDecimal};
constexpr std::array kIp{Operand::kIpAddress};
constexpr std::array kIps{Operand::kIpAddress, Operand::kIpAddress};
constexpr std::array kDatetime{Operand::kDatetime};
constexpr std::array kDatetimes{Operand::kDatetime, Operand::kDatetime};
constexpr std::array kDatetimeDuration{Operand::kDatetime, Operand::kDuration};
constexpr std::array kDuration{Operand::kDuration};

// In the order of ExtensionFunction.
constexpr std::array<ExtensionSignature, 22> kSignatures{{
    {"decimal", false, kText, Operand::kDecimal},
    {"lessThan", true, kDecimals, Operand::kBool},
    {"lessThanOrEqual", true, kDecimals, Operand::kBool},
    {"greaterThan", true, kDecimals, Operand::kBool},
    {"greaterThanOrEqual", true, kDecimals, Operand::kBool},
    {"ip", false, kText, Operand::kIpAddress},
    {"isIpv4", true, kIp, Operand::kBool},
    {"isIpv6", true, kIp, Operand::kBool},
    {"isLoopback", true, kIp, Operand::kBool},
    {"isMulticast", true, kIp, Operand::kBool},
    {"isInRange", true, kIps, Operand::kBool},
    {"datetime", false, kText, Operand::kDatetime},
    {"duration", false, kText, Operand::kDuration},
    {"offset", true, kDatetimeDuration, Operand::kDatetime},
    {"durationSince", true, kDatetimes, Operand::kDuration},
    {"toDate", true, kDatetime, Operand::kDatetime},
    {"toTime", true, kDatetime, Operand::kDuration},
    {"toMilliseconds", true, kDuration, Operand::kLong},
    {"toSeconds", true, kDuration, Operand::kLong},
    {"toMinutes", true, kDuration, Operand::kLong},
    {"toHours", true, kDuration, Operand::kLong},
    {"toDays", true, kDuration, Operand::kLong},
}};

bool fits(const Value& value, Operand operand) {
  switch (operand) {
    case Operand::kText:
      return value.as_text() != nullptr;
    case Operand::kBool:
      return value.as_bool() != nullptr;
    case Operand::kLong:
      return value.as_integer() != nullptr;
    case Operand::kDecimal:
      return value.as<Decimal>() != nullptr;
    case Operand::kIpAddress:
      return value.as<IpAddress>() != nullptr;
    case Operand::kDatetime:
      return value.as<Datetime>() != nullptr;
    case Operand::kDuration:
      return value.as<Duration>() != nullptr;
  }
  return false;
}

Result<> check_arguments(const ExtensionSignature& wanted, std::span<const Value* const> given) {
  const std::size_t own = wanted.is_method ? 1 : 0;  // the value before the dot is not counted for the reader
  if (given.size() != wanted.arguments.size()) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("{} takes {} argument(s), not {}", wanted.name,
                                                         wanted.arguments.size() - own, given.size() - own));
  }
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (!fits(*given[i], wanted.arguments[i])) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("{} takes a value of type {}, not {}", wanted.name,
                              to_string(wanted.arguments[i]), given[i]->type_name()));
    }
  }
  return {};
}

template <typename T>
Result<Value> made(std::optional<T> value, const char* why) {
  if (!value) return fail(ErrorCode::kInvalidArgument, why);
  return Value(*value);
}

Result<Value> construct(Function function, const std::string& text) {
  switch (function) {
    case Function::kDecimal:
      return made(
          Decimal::parse(text),
          "decimal takes text such as \"12.34\": digits on both sides of the point, at most four after it");
    case Function::kIp:
      return made(IpAddress::parse(text),
                  "ip takes text such as \"10.0.0.1\", \"10.0.0.0/8\" or \"fe80::/10\"");
    case Function::kDatetime:
      return made(Datetime::parse(text),
                  "datetime takes text such as \"2026-11-23\", \"2026-11-23T12:00:00Z\" or "
                  "\"2026-11-23T12:00:00.123+0100\"");
    default:
      return made(Duration::parse(text), "duration takes text such as \"1d2h3m4s5ms\", units in this order");
  }
}

bool compare_decimals(Function function, Decimal a, Decimal b) {
  switch (function) {
    case Function::kLessThan:
      return a < b;
    case Function::kLessThanOrEqual:
      return a <= b;
    case Function::kGreaterThan:
      return a > b;
    default:
      return a >= b;
  }
}

Value call_ip(Function function, const IpAddress& address, std::span<const Value* const> arguments) {
  switch (function) {
    case Function::kIsIpv4:
      return Value::boolean(address.is_ipv4());
    case Function::kIsIpv6:
      return Value::boolean(address.is_ipv6());
    case Function::kIsLoopback:
      return Value::boolean(address.is_loopback());
    case Function::kIsMulticast:
      return Value::boolean(address.is_multicast());
    default:
      return Value::boolean(address.is_in_range(*arguments[1]->as<IpAddress>()));
  }
}

Result<Value> call_datetime(Function function, Datetime moment, std::span<const Value* const> arguments) {
  switch (function) {
    case Function::kOffset:
      return made(moment.offset(*arguments[1]->as<Duration>()), "offset overflows");
    case Function::kDurationSince:
      return made(moment.since(*arguments[1]->as<Datetime>()), "durationSince overflows");
    case Function::kToDate:
      return made(moment.date(), "toDate overflows");
    default:
      return Value(moment.time());
  }
}

std::int64_t in_unit(Function function, std::int64_t milliseconds) {
  switch (function) {
    case Function::kToMilliseconds:
      return milliseconds;
    case Function::kToSeconds:
      return milliseconds / 1'000;
    case Function::kToMinutes:
      return milliseconds / 60'000;
    case Function::kToHours:
      return milliseconds / 3'600'000;
    default:
      return milliseconds / 86'400'000;
  }
}

}  // namespace

const ExtensionSignature& signature(ExtensionFunction function) {
  return kSignatures.at(static_cast<std::size_t>(function));
}

std::optional<ExtensionFunction> find_extension_function(std::string_view name, bool method) {
  const auto at =
      std::find_if(kSignatures.begin(), kSignatures.end(), [&](const ExtensionSignature& candidate) {
        return candidate.name == name && candidate.is_method == method;
      });
  if (at == kSignatures.end()) return std::nullopt;
  return static_cast<ExtensionFunction>(at - kSignatures.begin());
}

std::string_view to_string(ExtensionOperand operand) {
  static constexpr std::array<std::string_view, 7> kNames{"String", "Bool",     "Long",    "decimal",
                                                          "ipaddr", "datetime", "duration"};
  return kNames.at(static_cast<std::size_t>(operand));
}

Result<Value> call_extension(ExtensionFunction function, std::span<const Value* const> arguments) {
  HF_CHECK(check_arguments(signature(function), arguments));
  const Value& first = *arguments[0];
  if (const std::string* text = first.as_text()) return construct(function, *text);
  if (const auto* decimal = first.as<Decimal>()) {
    return Value::boolean(compare_decimals(function, *decimal, *arguments[1]->as<Decimal>()));
  }
  if (const auto* address = first.as<IpAddress>()) return call_ip(function, *address, arguments);
  if (const auto* moment = first.as<Datetime>()) return call_datetime(function, *moment, arguments);
  return Value::integer(in_unit(function, first.as<Duration>()->milliseconds));
}

}  // namespace holdfast::policy
