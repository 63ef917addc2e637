#include "inspect/python_source.h"

#include <fmt/format.h>

#include "inspect/python_reader.h"

namespace holdfast::inspect {

Gaps inspect_python(std::string_view text, const PythonPlace& place, Findings& findings) {
  if (PythonReader(text, place, 0, findings).run()) return {};
  return {fmt::format("{}Python source beyond {} tokens or {} MiB is not read", place.part, kMaxPythonTokens,
                      kMaxPythonBytes >> 20)};
}

}  // namespace holdfast::inspect
