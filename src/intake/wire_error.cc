#include "intake/wire_error.h"

#include <nlohmann/json.hpp>

namespace holdfast::intake {

using base::ErrorCode;
using nlohmann::json;

namespace {

constexpr std::size_t kMaxMessageBytes = 1024;
constexpr std::size_t kMaxCodeBytes = 64;

const std::string* text_of(const json& object, const char* name, std::size_t max_bytes) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return nullptr;
  const auto& text = found->get_ref<const std::string&>();
  return text.size() <= max_bytes ? &text : nullptr;
}

}  // namespace

void put_error(json& object, const base::Error& error) {
  object["code"] = base::to_string(error.code);
  object["message"] = error.message.substr(0, kMaxMessageBytes);
}

base::Error take_error(const json& object, std::initializer_list<ErrorCode> believed) {
  const std::string* code = text_of(object, "code", kMaxCodeBytes);
  // JSON writes a byte that is no UTF-8 as three.
  const std::string* message = text_of(object, "message", 3 * kMaxMessageBytes);
  if (code == nullptr || message == nullptr) {
    return {ErrorCode::kDataCorrupt, "the worker gave an answer that makes no sense"};
  }
  for (const auto one : believed) {
    if (*code == base::to_string(one)) return {one, *message};
  }
  return {ErrorCode::kDataCorrupt, *message};
}

}  // namespace holdfast::intake
