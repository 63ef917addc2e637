#pragma once

#include <span>
#include <string>

#include "formats/source.h"
#include "inspect/finding.h"
#include "inspect/gaps.h"

namespace holdfast::inspect {

// GGUF: chat templates that reach beyond their messages, and bytes that no tensor owns. Pure.
Gaps inspect_gguf(const formats::Source& file, const std::string& path, Findings& findings);

std::span<const Rule> gguf_rules();

}  // namespace holdfast::inspect
