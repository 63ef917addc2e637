#include "inspect/tensor_files.h"

#include <fmt/format.h>

#include "formats/anomaly.h"
#include "formats/buffered.h"
#include "formats/npy.h"
#include "formats/onnx.h"
#include "formats/safetensors.h"
#include "inspect/references.h"

namespace holdfast::inspect {
namespace {

// Operators that ONNX Runtime itself brings (its docs/ContribOperators.md).
constexpr std::string_view kOnnxRuntimeDomain = "com.microsoft";

void check_external_data(const std::vector<formats::OnnxTensor>& tensors, const std::string& path,
                         Findings& findings) {
  for (const auto& tensor : tensors) {
    if (!tensor.external) continue;
    const auto& location = tensor.external->location;
    const auto escape = escape_of(location);
    if (escape.empty()) continue;
    findings.add("onnx.external-data-escape", path, std::nullopt,
                 fmt::format("the data of {} lies at {}, a path that {}", formats::quote(tensor.name),
                             formats::quote(location), escape));
  }
}

}  // namespace

std::optional<std::uint64_t> inspect_npy(const formats::Source& file, const std::string& path,
                                         Findings& findings) {
  formats::SourceStream stream(file);
  formats::BufferedReader reader(stream);
  const auto header = formats::read_npy_header(reader, file.size());
  if (!header) {
    findings.add("npy.malformed", path, std::nullopt, header.error().message);
    return std::nullopt;
  }
  if (header->type.holds_objects) return header->data_offset;
  if (header->trailing_size > 0) {
    findings.add("archive.hidden-data", path, header->data_offset + header->data_size,
                 fmt::format("{} bytes follow the array, which NumPy leaves unread", header->trailing_size));
  }
  return std::nullopt;
}

void inspect_safetensors(const formats::Source& file, const std::string& path, Findings& findings) {
  const auto header = formats::read_safetensors_header(file);
  if (!header) findings.add("safetensors.malformed", path, std::nullopt, header.error().message);
}

Gaps inspect_onnx(const formats::Source& file, const std::string& path, Findings& findings) {
  const auto model = formats::read_onnx(file);
  if (!model) {
    findings.add("onnx.malformed", path, std::nullopt, model.error().message);
    return {model.error().message};
  }
  check_external_data(model->initializers, path, findings);
  check_external_data(model->constants, path, findings);
  for (const auto& domain : model->custom_domains()) {
    if (domain == kOnnxRuntimeDomain) continue;
    findings.add("onnx.custom-operator", path, std::nullopt,
                 fmt::format("it has operators of the domain {}", formats::quote(domain)));
  }
  return {};
}

}  // namespace holdfast::inspect
