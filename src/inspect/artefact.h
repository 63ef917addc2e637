#pragma once

#include <string>
#include <vector>

#include "formats/source.h"
#include "inspect/finding.h"

namespace holdfast::inspect {

// What was looked at in one file, beside its findings.
struct Coverage {
  std::string format;  // "pickle", "PyTorch zip", ...
  std::vector<std::string>
      not_looked_at;  // why a part of it was not seen, a sentence each; empty when all was
};

// Looks into one file by what it holds, never by its name, and into what that holds in turn. Executes nothing
// of it, and keeps no more of it in memory than UnpackBudget (unpacking.h) says, which also bounds what all
// that is packed in it may come to: past that it is a bomb, a finding. `path` is what findings name. Meant
// for a jailed worker: a file that attacks the readers beneath ends the process.
Coverage inspect_artefact(const formats::Source& file, const std::string& path, Findings& findings);

// Archives within archives are followed this deep.
inline constexpr int kMaxNesting = 8;

}  // namespace holdfast::inspect
