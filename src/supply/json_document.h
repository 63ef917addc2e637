#pragma once

#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"

namespace holdfast::supply {

// The JSON object that a file is, within bounds; kDataCorrupt where it is none.
base::Result<nlohmann::json> parse_document(std::string_view text, std::size_t max_bytes);

// The text of that name; empty where there is none.
std::string text_of(const nlohmann::json& object, std::string_view name);

}  // namespace holdfast::supply
