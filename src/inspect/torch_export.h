#pragma once

#include <set>
#include <string>
#include <string_view>

#include "inspect/finding.h"
#include "inspect/gaps.h"

// Programs of torch.export (torch/_export/serde/schema.py): a graph as JSON, whose nodes name what they call
// and whose sizes are expressions that the loader runs as Python.

namespace holdfast::inspect {

// Judges every operation, expression, guard and described input by what torch.export writes; what is more is
// found. Gives what could not be looked at. Pure.
Gaps inspect_exported_program(std::string_view json, const std::string& path, Findings& findings);

// Which files of an archive hold a tensor's bare numbers, as its files data/**/*_config.json tell the loader
// (torch/export/pt2_archive/_package.py); all others it unpickles.
class RawTensors {
 public:
  // One such description. What can't be read of it names none.
  void add(std::string_view json);
  // By the file's name without folders.
  [[nodiscard]] bool contains(std::string_view name) const;

 private:
  std::set<std::string, std::less<>> raw_;
  std::set<std::string, std::less<>> pickled_;
};

}  // namespace holdfast::inspect
