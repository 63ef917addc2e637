#include "inspect/weight_places.h"

#include "formats/buffered.h"
#include "formats/gguf.h"
#include "formats/npy.h"
#include "formats/onnx.h"
#include "formats/safetensors.h"

namespace holdfast::inspect {
namespace {

using base::Result;
using formats::Source;

WeightType type_of(formats::SafetensorsDtype dtype) {
  switch (dtype) {
    case formats::SafetensorsDtype::kF16:
      return WeightType::kFloat16;
    case formats::SafetensorsDtype::kBf16:
      return WeightType::kBfloat16;
    case formats::SafetensorsDtype::kF32:
    case formats::SafetensorsDtype::kC64:
      return WeightType::kFloat32;
    case formats::SafetensorsDtype::kF64:
      return WeightType::kFloat64;
    default:
      return WeightType::kOpaque;
  }
}

WeightType type_of(const formats::NpyType& type) {
  if ((type.kind != 'f' && type.kind != 'c') || type.byte_order == '>' || !type.fields.empty())
    return WeightType::kOpaque;
  const std::uint64_t width = type.kind == 'c' ? type.size / 2 : type.size;
  return width == 2   ? WeightType::kFloat16
         : width == 4 ? WeightType::kFloat32
         : width == 8 ? WeightType::kFloat64
                      : WeightType::kOpaque;
}

WeightType type_of(formats::OnnxElement element) {
  switch (element) {
    case formats::OnnxElement::kFloat16:
      return WeightType::kFloat16;
    case formats::OnnxElement::kBfloat16:
      return WeightType::kBfloat16;
    case formats::OnnxElement::kFloat:
    case formats::OnnxElement::kComplex64:
      return WeightType::kFloat32;
    case formats::OnnxElement::kDouble:
    case formats::OnnxElement::kComplex128:
      return WeightType::kFloat64;
    default:
      return WeightType::kOpaque;
  }
}

// ggml.h, ggml_type; every other one is quantised or whole numbers.
WeightType type_of(std::uint32_t ggml_type) {
  switch (ggml_type) {
    case 0:
      return WeightType::kFloat32;
    case 1:
      return WeightType::kFloat16;
    case 28:
      return WeightType::kFloat64;
    case 30:
      return WeightType::kBfloat16;
    default:
      return WeightType::kOpaque;
  }
}

Result<> safetensors(const Source& file, const std::string& path, WeightInspector& inspector) {
  const auto header = formats::read_safetensors_header(file);
  if (!header) return {};
  for (const auto& tensor : header->tensors) {
    HF_CHECK(inspector.look_at(
        file, tensor.size,
        {.name = tensor.name, .path = path, .offset = tensor.offset, .type = type_of(tensor.dtype)}));
  }
  return {};
}

Result<> npy(const Source& file, const std::string& path, WeightInspector& inspector) {
  formats::SourceStream stream(file);
  formats::BufferedReader reader(stream);
  const auto header = formats::read_npy_header(reader, file.size());
  if (!header || header->type.holds_objects) return {};
  return inspector.look_at(
      file, header->data_size,
      {.name = {}, .path = path, .offset = header->data_offset, .type = type_of(header->type)});
}

Result<> gguf(const Source& file, const std::string& path, WeightInspector& inspector) {
  const auto read = formats::read_gguf(file);
  if (!read) return {};
  for (const auto& tensor : read->tensors) {
    const WeightType type = read->big_endian ? WeightType::kOpaque : type_of(tensor.type);
    HF_CHECK(inspector.look_at(file, tensor.size,
                               {.name = tensor.name, .path = path, .offset = tensor.offset, .type = type}));
  }
  return {};
}

Result<> onnx(const Source& file, const std::string& path, WeightInspector& inspector) {
  const auto model = formats::read_onnx(file);
  if (!model) return {};
  for (const auto* tensors : {&model->initializers, &model->constants}) {
    for (const auto& tensor : *tensors) {
      if (tensor.raw_bytes == 0) continue;
      HF_CHECK(inspector.look_at(
          file, tensor.raw_bytes,
          {.name = tensor.name, .path = path, .offset = tensor.raw_offset, .type = type_of(tensor.element)}));
    }
  }
  return {};
}

Result<> look(formats::Format format, const Source& file, const std::string& path,
              WeightInspector& inspector) {
  switch (format) {
    case formats::Format::kSafetensors:
      return safetensors(file, path, inspector);
    case formats::Format::kNpy:
      return npy(file, path, inspector);
    case formats::Format::kGguf:
      return gguf(file, path, inspector);
    case formats::Format::kOnnx:
      return onnx(file, path, inspector);
    case formats::Format::kHdf5:
    case formats::Format::kSavedModel:
    case formats::Format::kGraphDef:
    case formats::Format::kTflite:
    case formats::Format::kCoreMl:
    case formats::Format::kUbjson:
    case formats::Format::kCatboost:
      if (inspector.depth() != WeightDepth::kAll) return {};
      return inspector.look_at(file, file.size(),
                               {.name = {}, .path = path, .offset = 0, .type = WeightType::kOpaque});
    default:
      return {};
  }
}

}  // namespace

Gaps inspect_weights(formats::Format format, const Source& file, const std::string& path,
                     WeightInspector& inspector) {
  const auto looked = look(format, file, path, inspector);
  if (looked) return {};
  return {looked.error().message};
}

}  // namespace holdfast::inspect
