#include "supply/model_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "formats/onnx.h"
#include "formats/safetensors.h"
#include "formats/sniff.h"

namespace holdfast::supply {
namespace {

using Value = ModelDescription::Value;

std::string cut(std::string text) {
  if (text.size() > ModelDescription::kMaxTextBytes) text.resize(ModelDescription::kMaxTextBytes);
  return text;
}

void add_value(std::vector<Value>& to, std::string name, std::string type) {
  if (to.size() < ModelDescription::kMaxValues) to.push_back({cut(std::move(name)), cut(std::move(type))});
}

template <typename T>
void add_tensor(ModelDescription& model, const std::string& name, const std::string& type,
                const std::vector<T>& shape) {
  std::uint64_t elements = 1;
  for (const auto size : shape) elements *= static_cast<std::uint64_t>(size);
  model.parameters += elements;
  ++model.tensors_in_all;
  add_value(model.tensors, name, fmt::format("{} [{}]", type, fmt::join(shape, ", ")));
}

void add_value(std::vector<Value>& to, const formats::OnnxValue& value) {
  std::string type = value.type;
  if (value.shape) {
    std::vector<std::string> sizes;
    for (const auto& dimension : *value.shape) {
      sizes.push_back(dimension.size ? std::to_string(*dimension.size)
                                     : (dimension.symbol.empty() ? "?" : dimension.symbol));
    }
    type += fmt::format(" [{}]", fmt::join(sizes, ", "));
  }
  add_value(to, value.name, std::move(type));
}

base::Result<> describe_onnx(const formats::Source& file, ModelDescription& model) {
  HF_TRY(const auto onnx, formats::read_onnx(file));
  model.producer =
      cut(onnx.producer_name + (onnx.producer_version.empty() ? "" : " " + onnx.producer_version));
  for (const auto& input : onnx.inputs) add_value(model.inputs, input);
  for (const auto& output : onnx.outputs) add_value(model.outputs, output);
  for (const auto& tensor : onnx.initializers) {
    add_tensor(model, tensor.name, formats::to_string(tensor.element), tensor.shape);
  }
  return {};
}

base::Result<> describe_safetensors(const formats::Source& file, ModelDescription& model) {
  HF_TRY(const auto header, formats::read_safetensors_header(file));
  for (const auto& tensor : header.tensors) {
    add_tensor(model, tensor.name, std::string(formats::to_string(tensor.dtype)), tensor.shape);
  }
  return {};
}

}  // namespace

base::Result<ModelDescription> describe_model(const formats::Source& file, const std::string& name) {
  using formats::Format;
  HF_TRY(const auto taken_for, formats::sniff(file));
  const auto likeliest = taken_for.front();
  ModelDescription model;
  model.format = formats::to_string(likeliest);
  if (likeliest == Format::kOnnx) {
    HF_CHECK(describe_onnx(file, model));
  } else if (likeliest == Format::kSafetensors) {
    HF_CHECK(describe_safetensors(file, model));
  } else if (likeliest != Format::kZip && likeliest != Format::kPickle && likeliest != Format::kGguf &&
             likeliest != Format::kTflite && likeliest != Format::kSavedModel && likeliest != Format::kHdf5) {
    return base::fail(
        base::ErrorCode::kUnsupported,
        fmt::format("{} is {}: neither a lock file nor a model that can be described", name, model.format));
  }
  return model;
}

}  // namespace holdfast::supply
