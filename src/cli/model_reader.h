#pragma once

#include "supply/model_file.h"

namespace holdfast::cli {

// Describes models in the jailed worker, one after another.
supply::ModelReader jailed_model_reader();

}  // namespace holdfast::cli
