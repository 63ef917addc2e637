#include "inspect/model_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "inspect/coreml.h"
#include "inspect/gguf.h"
#include "inspect/keras.h"
#include "inspect/references.h"
#include "inspect/tensor_files.h"
#include "inspect/tensorflow.h"
#include "inspect/torch_ops.h"
#include "inspect/tree_models.h"
#include "inspect/weights.h"

namespace holdfast::inspect {

using formats::Format;

namespace {

// A JSON model is read whole, up to this size.
constexpr std::uint64_t kMaxJsonBytes = 32UL << 20;

}  // namespace

std::optional<Gaps> inspect_model_file(Format format, const formats::Source& file, const std::string& path,
                                       Findings& findings) {
  switch (format) {
    case Format::kOnnx:
      return inspect_onnx(file, path, findings);
    case Format::kGguf:
      return inspect_gguf(file, path, findings);
    case Format::kHdf5:
      return inspect_hdf5(file, path, findings);
    case Format::kSavedModel:
    case Format::kGraphDef:
    case Format::kKerasMetadata:
      return inspect_tensorflow(format, file, path, findings);
    case Format::kTflite:
      return inspect_tflite(file, path, findings);
    case Format::kCoreMl:
      return inspect_coreml(file, path, findings);
    case Format::kUbjson:
      return inspect_xgboost_ubjson(file, path, findings);
    case Format::kCatboost:
      return inspect_catboost(file, path, findings);
    default:
      return std::nullopt;
  }
}

Gaps inspect_model_text(Format format, const formats::Source& file, const std::string& path,
                        Findings& findings) {
  if (format != Format::kJson && format != Format::kText) return {};
  const auto head = formats::read_exactly(
      file, 0, static_cast<std::size_t>(std::min<std::uint64_t>(file.size(), formats::kSniffBytes)));
  if (!head) return {head.error().message};
  if (format == Format::kText) inspect_pmml(base::as_text(*head), path, findings);
  if (format == Format::kText || !is_keras_config(base::as_text(*head))) {
    return inspect_tree_text(base::as_text(*head), file, path, findings);
  }
  if (file.size() > kMaxJsonBytes) {
    return {fmt::format("its configuration is larger than the {} MiB that are read", kMaxJsonBytes >> 20)};
  }
  const auto text = formats::read_exactly(file, 0, static_cast<std::size_t>(file.size()));
  if (!text) return {text.error().message};
  return inspect_keras_config(base::as_text(*text), path, findings);
}

std::span<const Rule> model_file_rules() {
  static const std::vector<Rule> rules = [] {
    std::vector<Rule> all;
    for (const auto part : {coreml_rules(), gguf_rules(), keras_rules(), reference_rules(),
                            tensorflow_rules(), torch_rules(), tree_model_rules(), weight_rules()})
      all.insert(all.end(), part.begin(), part.end());
    return all;
  }();
  return rules;
}

}  // namespace holdfast::inspect
