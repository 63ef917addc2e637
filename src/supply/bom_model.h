#pragma once

#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "supply/model_file.h"

// Models in a CycloneDX bill: the component with its modelCard, and the datasets it was made with.

namespace holdfast::supply {

// Models of the same bytes become one. Datasets that have a digest are components of their own, to which the
// cards refer.
nlohmann::ordered_json model_components(const std::vector<ModelFile>& models);

}  // namespace holdfast::supply
