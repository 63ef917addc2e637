#pragma once

#include <string>
#include <vector>

#include "formats/source.h"
#include "inspect/finding.h"
#include "inspect/references.h"
#include "inspect/weights.h"

namespace holdfast::inspect {

// A pickle as the Python that it amounts to, for a person to read; see pickle_explain.h.
struct Program {
  std::string path;
  std::string text;
};

// What was looked at in one file, beside its findings.
struct Coverage {
  std::string format;  // "pickle", "PyTorch zip", ...
  std::vector<std::string>
      not_looked_at;              // why a part of it was not seen, a sentence each; empty when all was
  std::vector<Program> programs;  // as many as were asked for
  // Files beside this one that it is loaded with. Those of members of archives are not told.
  std::vector<Reference> references;
};

struct ArtefactOptions {
  std::size_t max_programs = 0;  // of its pickles that are written out
  WeightDepth weights = WeightDepth::kStart;
};

// Looks into one file by what it holds, never by its name, and into what that holds in turn. Executes nothing
// of it, and keeps no more of it in memory than UnpackBudget (unpacking.h) says, which also bounds what all
// that is packed in it may come to: past that it is a bomb, a finding. `path` is what findings name. Meant
// for a jailed worker: a file that attacks the readers beneath ends the process.
Coverage inspect_artefact(const formats::Source& file, const std::string& path, Findings& findings,
                          const ArtefactOptions& options = {});

inline constexpr std::size_t kMaxPrograms = 32;
inline constexpr std::size_t kMaxProgramBytes = 128UL << 10;

// Archives within archives are followed this deep.
inline constexpr int kMaxNesting = 8;

}  // namespace holdfast::inspect
