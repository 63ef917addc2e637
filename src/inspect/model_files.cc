#include "inspect/model_files.h"

#include <vector>

#include "inspect/gguf.h"

namespace holdfast::inspect {

using formats::Format;

std::optional<Gaps> inspect_model_file(Format format, const formats::Source& file, const std::string& path,
                                       Findings& findings) {
  switch (format) {
    case Format::kGguf:
      return inspect_gguf(file, path, findings);
    default:
      return std::nullopt;
  }
}

std::span<const Rule> model_file_rules() {
  static const std::vector<Rule> rules = [] {
    std::vector<Rule> all;
    for (const auto part : {gguf_rules()}) all.insert(all.end(), part.begin(), part.end());
    return all;
  }();
  return rules;
}

}  // namespace holdfast::inspect
