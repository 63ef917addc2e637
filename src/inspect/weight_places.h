#pragma once

#include <string>

#include "formats/sniff.h"
#include "formats/source.h"
#include "inspect/gaps.h"
#include "inspect/weights.h"

namespace holdfast::inspect {

// Shows the inspector of weights every tensor of a file of this format whose place in it is known:
// safetensors, NumPy, GGUF, and the initializers that an ONNX model keeps as raw data. Of other models it is
// shown the whole file as bytes, where it is to look at all of them. What is wrong with the file itself is
// left to the format's own inspector. Gives what could not be read.
Gaps inspect_weights(formats::Format format, const formats::Source& file, const std::string& path,
                     WeightInspector& inspector);

}  // namespace holdfast::inspect
