#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "inspect/references.h"
#include "inspect/report.h"

namespace holdfast::intake {

// Joins a model with the files beside it that it is loaded with: what its inspector, which has no file
// system, asked for is looked up below the model's folder, without following a link. Only whether a file is
// there and how long it is; whoever asks learns nothing.
class Relations {
 public:
  // Adds findings to `report` for what is missing, too short, or a link. Of one inspected file.
  void add(const std::vector<inspect::Reference>& references, inspect::FileReport& report);
  // Once all files were inspected: those that a model reads as bare numbers of tensors need no known format.
  void apply(inspect::Report& report) const;

 private:
  std::unordered_set<std::string> numbers_;  // paths, as reports name them
  std::unordered_set<std::string> others_;   // that some model reads otherwise
};

}  // namespace holdfast::intake
