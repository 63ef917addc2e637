#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "formats/source.h"
#include "inspect/finding.h"
#include "inspect/gaps.h"

// Files of tensors that hold no program of their own: what in them could still reach beyond the file.

namespace holdfast::inspect {

// Where the pickle of an array of Python objects begins, if the array is one; its contents are for the pickle
// inspector.
std::optional<std::uint64_t> inspect_npy(const formats::Source& file, const std::string& path,
                                         Findings& findings);

void inspect_safetensors(const formats::Source& file, const std::string& path, Findings& findings);

// Gives what could not be looked at.
Gaps inspect_onnx(const formats::Source& file, const std::string& path, Findings& findings);

}  // namespace holdfast::inspect
