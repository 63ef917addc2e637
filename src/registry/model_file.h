#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace holdfast::registry {

// How much of a file's beginning tells a model that is text from any other text.
inline constexpr std::size_t kModelHeadBytes = 4096;

// Why a file is no model, by its format as inspection tells it ("text") and by how it begins: "it is text,
// and no model". Nothing where it can be one: an archive may hold a model, and what has no format was not
// looked at in the first place.
std::optional<std::string> why_no_model(std::string_view format, base::ByteView head);

}  // namespace holdfast::registry
