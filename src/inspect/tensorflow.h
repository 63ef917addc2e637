#pragma once

#include <span>
#include <string>
#include <string_view>

#include "formats/sniff.h"
#include "formats/source.h"
#include "inspect/finding.h"
#include "inspect/gaps.h"

namespace holdfast::inspect {

// What an operation of TensorFlow may do beyond computing, by data/tensorflow_ops.list.
enum class TensorflowReach { kNothing, kPython, kFile, kNetwork, kCheckpoint, kAsset, kPrint, kUnknown };

TensorflowReach tensorflow_reach(std::string_view operation);

// Whether that list may have this word before an operation: "python", "file".
bool is_tensorflow_kind(std::string_view word);

// A SavedModel, a frozen graph or Keras 2's metadata beside a SavedModel (the formats kSavedModel, kGraphDef
// and kKerasMetadata): operations that reach files, hosts or Python, custom ones, names of assets, and Keras
// layers that hold code. Pure.
Gaps inspect_tensorflow(formats::Format format, const formats::Source& file, const std::string& path,
                        Findings& findings);

// A TensorFlow Lite model: custom operators, TensorFlow's own by the Flex delegate, and references that lead
// outside. Pure.
Gaps inspect_tflite(const formats::Source& file, const std::string& path, Findings& findings);

std::span<const Rule> tensorflow_rules();

}  // namespace holdfast::inspect
