#pragma once

#include <optional>
#include <span>
#include <string>

#include "formats/sniff.h"
#include "formats/source.h"
#include "inspect/finding.h"
#include "inspect/gaps.h"

namespace holdfast::inspect {

// Inspects a file of one of the formats of models that hold no pickle and no other files. Gives what could
// not be looked at, or nothing where the format is none of these.
std::optional<Gaps> inspect_model_file(formats::Format format, const formats::Source& file,
                                       const std::string& path, Findings& findings);

// The same for models that are JSON or other text, by what stands in them. A text that is no model gives
// nothing.
Gaps inspect_model_text(formats::Format format, const formats::Source& file, const std::string& path,
                        Findings& findings);

// The rules of all of them.
std::span<const Rule> model_file_rules();

}  // namespace holdfast::inspect
