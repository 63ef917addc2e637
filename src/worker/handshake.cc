#include "worker/handshake.h"

#include <limits>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "worker/stderr_tail.h"

namespace holdfast::worker {

using base::Bytes;
using base::ByteView;
using base::ErrorCode;
using base::fail;
using base::Result;
using nlohmann::json;

namespace {

constexpr base::JsonLimits kJsonLimits{.max_bytes = kMaxGreetingBytes, .max_depth = 4};
constexpr std::size_t kMaxWeaknesses = 8;

// Reads the members of one object, each of which must be there, have the right type and be in range; and
// nothing else may be there. The first error stays.
class Members {
 public:
  explicit Members(const json& object) : object_(object), right_(object.is_object()) {}

  void read(const char* name, bool& value) {
    if (const json* member = find(name, &json::is_boolean)) value = member->get<bool>();
  }

  template <typename T>
  void read(const char* name, T& value)
    requires std::is_integral_v<T>
  {
    const json* member = find(name, &json::is_number_unsigned);
    if (member == nullptr) return;
    const auto number = member->get<std::uint64_t>();
    right_ = number <= static_cast<std::uint64_t>(std::numeric_limits<T>::max());
    if (right_) value = static_cast<T>(number);
  }

  // Null says that there is no limit: a number, 0 too, is one.
  void read(const char* name, std::optional<std::chrono::seconds>& value) {
    value.reset();
    if (const auto member = object_.find(name); right_ && member != object_.end() && member->is_null()) {
      ++seen_;
      return;
    }
    std::uint32_t seconds = 0;
    read(name, seconds);
    value = std::chrono::seconds(seconds);
  }

  void read(const char* name, std::vector<std::string>& value) {
    const json* member = find(name, &json::is_array);
    if (member == nullptr) return;
    right_ = member->size() <= kMaxWeaknesses;
    for (const auto& element : *member) {
      right_ = right_ && element.is_string();
      if (right_) value.push_back(printable(element.get_ref<const std::string&>()));
    }
  }

  void read(JailLimits& limits) {
    read("memory_bytes", limits.memory_bytes);
    read("cpu_seconds", limits.cpu);
    read("descriptors", limits.descriptors);
    read("threads", limits.threads);
  }

  [[nodiscard]] bool complete() const { return right_ && seen_ == object_.size(); }

 private:
  const json* find(const char* name, bool (json::*is_right)() const noexcept) {
    if (!right_) return nullptr;
    const auto member = object_.find(name);
    right_ = member != object_.end() && ((*member).*is_right)();
    ++seen_;
    return right_ ? &*member : nullptr;
  }

  const json& object_;
  bool right_;
  std::size_t seen_ = 0;
};

json limits_json(const JailLimits& limits) {
  return {{"memory_bytes", limits.memory_bytes},
          {"cpu_seconds", limits.cpu ? json(limits.cpu->count()) : json(nullptr)},
          {"descriptors", limits.descriptors},
          {"threads", limits.threads}};
}

json report_json(const JailReport& report) {
  json value = limits_json(report.limits);
  value["namespaces"] = report.namespaces;
  value["landlock_abi"] = report.landlock_abi;
  value["executable_memory"] = report.executable_memory;
  value["weaknesses"] = report.weaknesses;
  return value;
}

bool read_report(const json& value, JailReport& report) {
  Members members(value);
  members.read(report.limits);
  members.read("namespaces", report.namespaces);
  members.read("landlock_abi", report.landlock_abi);
  members.read("executable_memory", report.executable_memory);
  members.read("weaknesses", report.weaknesses);
  return members.complete();
}

tl::unexpected<base::Error> fail_greeting() {
  return fail(ErrorCode::kDataCorrupt, "the worker's first words are not those of a worker of this version");
}

}  // namespace

// JSON of integers and ASCII, members in order: canonical as it stands (RFC 8785).
std::string JailReport::json() const { return report_json(*this).dump(); }

Result<JailReport> JailReport::parse(std::string_view text) {
  const auto value = base::parse_json(text, kJsonLimits);
  JailReport report;
  if (!value || !read_report(*value, report)) {
    return fail(ErrorCode::kDataCorrupt, "this is not the report of a worker's jail");
  }
  return report;
}

std::string encode_orders(const Orders& orders) {
  nlohmann::json value = limits_json(orders.jail.limits);
  value["parent"] = orders.parent;
  value["executable_memory"] = orders.jail.executable_memory;
  value["without_namespaces"] = orders.jail.weakest == JailStrength::kWithoutNamespaces;
  return value.dump();
}

Result<Orders> decode_orders(std::string_view text) {
  HF_TRY(const json value, base::parse_json(text, kJsonLimits));
  Orders orders;
  bool without_namespaces = false;
  Members members(value);
  members.read(orders.jail.limits);
  members.read("parent", orders.parent);
  members.read("executable_memory", orders.jail.executable_memory);
  members.read("without_namespaces", without_namespaces);
  if (!members.complete()) {
    return fail(ErrorCode::kInvalidArgument,
                "the orders of this worker are not those of a parent of this version");
  }
  if (without_namespaces) orders.jail.weakest = JailStrength::kWithoutNamespaces;
  return orders;
}

Bytes encode_greeting(const Result<JailReport>& report) {
  json greeting;
  if (report) {
    greeting["jail"] = report_json(*report);
  } else {
    greeting["refused"] = printable(report.error().message);
  }
  const std::string text = greeting.dump();
  return {text.begin(), text.end()};
}

Result<JailReport> decode_greeting(ByteView greeting) {
  const auto value = base::parse_json(base::as_text(greeting), kJsonLimits);
  if (!value || !value->is_object() || value->size() != 1) return fail_greeting();
  if (const auto refused = value->find("refused"); refused != value->end() && refused->is_string()) {
    return fail(ErrorCode::kUnsupported, printable(refused->get_ref<const std::string&>()));
  }
  JailReport report;
  const auto jail = value->find("jail");
  if (jail == value->end() || !read_report(*jail, report)) return fail_greeting();
  return report;
}

}  // namespace holdfast::worker
