#include "intake/model_wire.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "intake/wire_error.h"

namespace holdfast::intake {
namespace {

using base::ErrorCode;
using nlohmann::json;
using supply::ModelDescription;

// JSON writes a byte that is no UTF-8 as three.
constexpr std::size_t kMaxText = 3 * ModelDescription::kMaxTextBytes;

tl::unexpected<base::Error> malformed() {
  return base::fail(ErrorCode::kDataCorrupt, "the worker gave a description that makes no sense");
}

json list_of(const std::vector<ModelDescription::Value>& values) {
  json list = json::array();
  for (const auto& value : values) list.push_back({value.name, value.type});
  return list;
}

bool take(const json& object, const char* name, std::string& to) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return false;
  to = found->get<std::string>();
  return to.size() <= kMaxText;
}

bool take(const json& object, const char* name, std::uint64_t& to) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number_unsigned()) return false;
  to = found->get<std::uint64_t>();
  return true;
}

bool take(const json& object, const char* name, std::vector<ModelDescription::Value>& to) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_array() || found->size() > ModelDescription::kMaxValues)
    return false;
  for (const auto& value : *found) {
    if (!value.is_array() || value.size() != 2 || !value[0].is_string() || !value[1].is_string())
      return false;
    to.push_back({value[0].get<std::string>(), value[1].get<std::string>()});
    if (to.back().name.size() > kMaxText || to.back().type.size() > kMaxText) return false;
  }
  return true;
}

}  // namespace

std::string encode(const base::Result<ModelDescription>& description) {
  json object;
  if (description) {
    object = {{"is", "model"},
              {"format", description->format},
              {"producer", description->producer},
              {"inputs", list_of(description->inputs)},
              {"outputs", list_of(description->outputs)},
              {"tensors", list_of(description->tensors)},
              {"tensors_in_all", description->tensors_in_all},
              {"parameters", description->parameters}};
  } else {
    object = {{"is", "no model"}};
    put_error(object, description.error());
  }
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

base::Result<ModelDescription> decode_description(base::ByteView frame) {
  const auto object = base::parse_json(base::as_text(frame));
  std::string is;
  if (!object || !object->is_object() || !take(*object, "is", is)) return malformed();
  if (is == "no model") {
    return base::fail(
        take_error(*object, {ErrorCode::kDataCorrupt, ErrorCode::kUnsupported, ErrorCode::kLimitExceeded}));
  }
  ModelDescription description;
  const bool whole =
      is == "model" && object->size() == 8 && take(*object, "format", description.format) &&
      take(*object, "producer", description.producer) && take(*object, "inputs", description.inputs) &&
      take(*object, "outputs", description.outputs) && take(*object, "tensors", description.tensors) &&
      take(*object, "tensors_in_all", description.tensors_in_all) &&
      take(*object, "parameters", description.parameters);
  if (!whole) return malformed();
  return description;
}

}  // namespace holdfast::intake
