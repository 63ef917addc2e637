#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "base/result.h"
#include "supply/model_file.h"

namespace holdfast::cli {

struct BomEvidence {
  // What `holdfast evaluate --json` printed, signed statements, and folders that `holdfast evidence --out`
  // wrote.
  std::vector<std::filesystem::path> paths;
  std::optional<std::filesystem::path> key;  // that signed statements verify by
};

// Fills the cards of the models that the evidence is about. kNotFound where it is about none of them;
// kInvalidArgument for a statement without a key; kUnauthenticated for one that the key did not sign.
base::Result<> add_evidence(const BomEvidence& evidence, std::vector<supply::ModelFile>& models);

}  // namespace holdfast::cli
