#include "cli/model_reader.h"

#include <memory>

#include "intake/model_describer.h"

namespace holdfast::cli {

supply::ModelReader jailed_model_reader() {
  // Shared, since a std::function is copied.
  const auto describer = std::make_shared<intake::ModelDescriber>(intake::DescribeOptions());
  return [describer](const formats::FileSource& file, const std::string& name) {
    return describer->describe(file, name);
  };
}

}  // namespace holdfast::cli
