#pragma once

#include <span>
#include <string>
#include <string_view>

#include "formats/source.h"
#include "inspect/finding.h"
#include "inspect/gaps.h"

namespace holdfast::inspect {

// Whether a JSON text begins like the configuration of a Keras model: of a .keras archive, or by to_json().
bool is_keras_config(std::string_view beginning);

// The configuration of a Keras model (keras/src/saving/serialization_lib.py): every class, function and file
// that making the model would name, decided by data/keras_allow.list. Pure.
Gaps inspect_keras_config(std::string_view text, const std::string& path, Findings& findings);

// An HDF5 file: data that it would fetch from other files, and the Keras configuration in its root. Pure.
Gaps inspect_hdf5(const formats::Source& file, const std::string& path, Findings& findings);

std::span<const Rule> keras_rules();

}  // namespace holdfast::inspect
