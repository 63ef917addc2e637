#include "supply/json_document.h"

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace holdfast::supply {

base::Result<nlohmann::json> parse_document(std::string_view text, std::size_t max_bytes) {
  auto document = base::parse_json(text, {.max_bytes = max_bytes, .max_depth = 64});
  if (!document && document.error().code == base::ErrorCode::kInvalidArgument) {
    return base::fail(base::ErrorCode::kDataCorrupt, std::move(document).error().message);
  }
  if (document && !document->is_object()) {
    return base::fail(base::ErrorCode::kDataCorrupt, "it is no JSON object");
  }
  return document;
}

std::string text_of(const nlohmann::json& object, std::string_view name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace holdfast::supply
