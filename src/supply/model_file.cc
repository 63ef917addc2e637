#include "supply/model_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "crypto/sha256.h"
#include "formats/onnx.h"
#include "formats/safetensors.h"
#include "formats/sniff.h"

namespace holdfast::supply {
namespace {

base::Result<base::Digest> digest_of(const formats::Source& file) {
  crypto::Sha256 hash;
  formats::SourceStream stream(file);
  base::Bytes buffer(1UL << 20);
  while (true) {
    HF_TRY(const auto count, stream.read(buffer));
    if (count == 0) return hash.finish();
    hash.update(base::ByteView(buffer).first(count));
  }
}

template <typename T>
void add_tensor(ModelFile& model, const std::string& name, const std::string& type,
                const std::vector<T>& shape) {
  std::uint64_t elements = 1;
  for (const auto size : shape) elements *= static_cast<std::uint64_t>(size);
  model.parameters += elements;
  ++model.tensors_in_all;
  if (model.tensors.size() < ModelFile::kMaxTensors) {
    model.tensors.push_back({name, fmt::format("{} [{}]", type, fmt::join(shape, ", "))});
  }
}

ModelFile::Value value_of(const formats::OnnxValue& value) {
  std::string type = value.type;
  if (value.shape) {
    std::vector<std::string> sizes;
    for (const auto& dimension : *value.shape) {
      sizes.push_back(dimension.size ? std::to_string(*dimension.size)
                                     : (dimension.symbol.empty() ? "?" : dimension.symbol));
    }
    type += fmt::format(" [{}]", fmt::join(sizes, ", "));
  }
  return {value.name, type};
}

base::Result<> describe_onnx(const formats::Source& file, ModelFile& model) {
  HF_TRY(const auto onnx, formats::read_onnx(file));
  model.producer = onnx.producer_name;
  if (!onnx.producer_version.empty()) model.producer += " " + onnx.producer_version;
  for (const auto& input : onnx.inputs) model.inputs.push_back(value_of(input));
  for (const auto& output : onnx.outputs) model.outputs.push_back(value_of(output));
  for (const auto& tensor : onnx.initializers) {
    add_tensor(model, tensor.name, formats::to_string(tensor.element), tensor.shape);
  }
  return {};
}

base::Result<> describe_safetensors(const formats::Source& file, ModelFile& model) {
  HF_TRY(const auto header, formats::read_safetensors_header(file));
  for (const auto& tensor : header.tensors) {
    add_tensor(model, tensor.name, std::string(formats::to_string(tensor.dtype)), tensor.shape);
  }
  return {};
}

}  // namespace

base::Result<ModelFile> describe_model(const formats::Source& file, std::string name) {
  using formats::Format;
  HF_TRY(const auto taken_for, formats::sniff(file));
  const auto likeliest = taken_for.front();
  ModelFile model{.name = std::move(name), .size_bytes = file.size()};
  model.format = formats::to_string(likeliest);
  if (likeliest == Format::kOnnx) {
    HF_CHECK(describe_onnx(file, model));
  } else if (likeliest == Format::kSafetensors) {
    HF_CHECK(describe_safetensors(file, model));
  } else if (likeliest != Format::kZip && likeliest != Format::kPickle && likeliest != Format::kGguf &&
             likeliest != Format::kTflite && likeliest != Format::kSavedModel && likeliest != Format::kHdf5) {
    return base::fail(base::ErrorCode::kUnsupported,
                      fmt::format("{} is {}: neither a lock file nor a model that can be described",
                                  model.name, model.format));
  }
  HF_TRY(model.digest, digest_of(file));
  return model;
}

}  // namespace holdfast::supply
