#pragma once

#include <span>
#include <string>
#include <string_view>

#include "inspect/finding.h"
#include "inspect/gaps.h"

// What Python source would do when it runs: a model's code under trust_remote_code, a notebook's cells, a
// helper beside the weights. Names are followed through imports, simple assignments and getattr; nothing is
// executed. What it can't see: names that are put together while the program runs, and what other modules do.

namespace holdfast::inspect {

struct PythonPlace {
  std::string path;
  // Where in the file the text stands, for messages: "in cell 3, ". Findings have offsets where it is empty.
  std::string part;
  // Whether what stands outside of functions runs as soon as a program imports the file.
  bool imported = true;
};

Gaps inspect_python(std::string_view text, const PythonPlace& place, Findings& findings);

std::span<const Rule> python_rules();

}  // namespace holdfast::inspect
