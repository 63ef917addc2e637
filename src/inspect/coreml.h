#pragma once

#include <span>
#include <string>

#include "formats/source.h"
#include "inspect/finding.h"
#include "inspect/gaps.h"

namespace holdfast::inspect {

// A Core ML model (apple.github.io/coremltools, Model.proto): custom models and layers, which run code of the
// app that loads the model, and models that it links to, through pipelines. Pure.
Gaps inspect_coreml(const formats::Source& file, const std::string& path, Findings& findings);

std::span<const Rule> coreml_rules();

}  // namespace holdfast::inspect
