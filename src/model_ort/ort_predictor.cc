#include "model_ort/ort_predictor.h"

#include <fmt/format.h>
#include <onnxruntime_cxx_api.h>
#include <onnxruntime_session_options_config_keys.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "formats/onnx.h"

namespace holdfast::model_ort {

using base::ByteView;
using base::ErrorCode;
using base::fail;
using base::Result;
using model::Datatype;
using model::Tensor;
using model::TensorSpec;

namespace {

struct TypeRow {
  ONNXTensorElementDataType theirs;
  Datatype ours;
};

constexpr std::array<TypeRow, 12> kTypes{{{ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL, Datatype::kBool},
                                          {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8, Datatype::kInt8},
                                          {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16, Datatype::kInt16},
                                          {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32, Datatype::kInt32},
                                          {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, Datatype::kInt64},
                                          {ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8, Datatype::kUint8},
                                          {ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16, Datatype::kUint16},
                                          {ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32, Datatype::kUint32},
                                          {ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64, Datatype::kUint64},
                                          {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, Datatype::kFp32},
                                          {ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE, Datatype::kFp64},
                                          {ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING, Datatype::kString}}};

ONNXTensorElementDataType theirs(Datatype type) {
  for (const TypeRow& row : kTypes) {
    if (row.ours == type) return row.theirs;
  }
  return ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
}

std::optional<Datatype> ours(ONNXTensorElementDataType type) {
  for (const TypeRow& row : kTypes) {
    if (row.theirs == type) return row.ours;
  }
  return std::nullopt;
}

// Calls `work`, whose library throws, and gives what was thrown as an error of `code`.
template <typename Work>
auto guarded(ErrorCode code, Work work) -> decltype(work()) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::kLimitExceeded, "the memory that the engine may take does not suffice");
  } catch (const std::exception& error) {
    return fail(code, error.what());
  }
}

// By the file alone, before ONNX Runtime sees it.
Result<> check_model(ByteView bytes) {
  const formats::MemorySource source(bytes);
  HF_TRY(const auto onnx, formats::read_onnx(source));
  for (const auto* tensors : {&onnx.initializers, &onnx.constants}) {
    for (const auto& tensor : *tensors) {
      if (!tensor.external) continue;
      return fail(ErrorCode::kUnsupported,
                  fmt::format("tensor \"{}\" lies in another file; save the model as one file", tensor.name));
    }
  }
  if (const auto domains = onnx.custom_domains(); !domains.empty()) {
    return fail(
        ErrorCode::kUnsupported,
        fmt::format("it needs a library for the operators of \"{}\"; none is ever loaded", domains.front()));
  }
  return {};
}

TensorSpec tensor_spec(std::string name, Datatype datatype, const Ort::ConstTensorTypeAndShapeInfo& info) {
  TensorSpec spec{.name = std::move(name), .datatype = datatype, .shape = {}};
  spec.open_rank = !info.HasShape();
  if (spec.open_rank) return spec;
  spec.shape = info.GetShape();
  for (auto& dimension : spec.shape) dimension = std::max<std::int64_t>(dimension, -1);
  return spec;
}

// Whether it is a list of maps from a label to an FP32 number.
bool is_list_of_maps(const Ort::TypeInfo& type) {
  if (type.GetONNXType() != ONNX_TYPE_SEQUENCE) return false;
  const auto element = type.GetSequenceTypeInfo().GetSequenceElementType();
  if (element.GetONNXType() != ONNX_TYPE_MAP) return false;
  const auto value = element.GetMapTypeInfo().GetMapValueType();
  return value.GetONNXType() == ONNX_TYPE_TENSOR &&
         value.GetTensorTypeAndShapeInfo().GetElementType() == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
}

Result<TensorSpec> spec_of(std::string name, const Ort::TypeInfo& type, bool output) {
  if (name.empty() || name.size() > model::kMaxTensorNameBytes) {
    return fail(ErrorCode::kUnsupported,
                fmt::format("the name of an input or output has {} bytes; 1 to {} are taken", name.size(),
                            model::kMaxTensorNameBytes));
  }
  if (output && is_list_of_maps(type)) return TensorSpec{.name = std::move(name), .shape = {-1, -1}};
  if (type.GetONNXType() != ONNX_TYPE_TENSOR) {
    return fail(ErrorCode::kUnsupported, fmt::format("\"{}\" is no tensor", name));
  }
  const auto info = type.GetTensorTypeAndShapeInfo();
  const auto datatype = ours(info.GetElementType());
  if (!datatype || info.GetDimensionsCount() > model::kMaxRank) {
    return fail(
        ErrorCode::kUnsupported,
        fmt::format(
            "\"{}\" has a datatype (16-bit or complex numbers) or a rank that the engine does not take",
            name));
  }
  return tensor_spec(std::move(name), *datatype, info);
}

void fill_strings(Ort::Value& value, const std::vector<std::string_view>& texts) {
  for (std::size_t i = 0; i < texts.size(); ++i) {
    char* buffer = value.GetResizedStringTensorElementBuffer(i, texts[i].size());
    if (!texts[i].empty()) std::memcpy(buffer, texts[i].data(), texts[i].size());
  }
}

// Over the tensor's own data, except for texts, which are copied.
Result<Ort::Value> to_value(const Tensor& tensor, Ort::AllocatorWithDefaultOptions& allocator,
                            const Ort::MemoryInfo& memory) {
  if (tensor.datatype == Datatype::kString) {
    HF_TRY(const auto texts, model::strings(tensor));
    auto value = Ort::Value::CreateTensor(allocator, tensor.shape.data(), tensor.shape.size(),
                                          ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING);
    fill_strings(value, texts);
    return value;
  }
  // ONNX Runtime never writes to an input, though it takes it by a pointer that could.
  auto* data = const_cast<std::uint8_t*>(tensor.data.data());
  return Ort::Value::CreateTensor(memory, data, tensor.data.size(), tensor.shape.data(), tensor.shape.size(),
                                  theirs(tensor.datatype));
}

base::Bytes strings_of(const Ort::Value& value, std::size_t count) {
  std::string all(value.GetStringTensorDataLength(), '\0');
  std::vector<std::size_t> offsets(count);
  if (count > 0) value.GetStringTensorContent(all.data(), all.size(), offsets.data(), offsets.size());
  base::Bytes data;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t end = i + 1 < count ? offsets[i + 1] : all.size();
    base::append_le(data, static_cast<std::uint32_t>(end - offsets[i]));
    base::append(data, std::string_view(all).substr(offsets[i], end - offsets[i]));
  }
  return data;
}

Result<Tensor> from_tensor(const Ort::Value& value, const TensorSpec& spec) {
  const auto info = value.GetTensorTypeAndShapeInfo();
  Tensor tensor{spec.name, spec.datatype, info.GetShape(), {}};
  if (info.GetElementType() != theirs(spec.datatype) || !spec.accepts(tensor.shape)) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("output \"{}\" has shape {}, and not the one that the model declares, {}",
                            spec.name, model::shape_text(tensor.shape), model::shape_text(spec.shape)));
  }
  HF_TRY(const std::uint64_t count, model::element_count(tensor.shape));
  if (spec.datatype == Datatype::kString) {
    tensor.data = strings_of(value, count);
  } else {
    tensor.data.resize(count * model::element_bytes(spec.datatype));
    if (count > 0) std::memcpy(tensor.data.data(), value.GetTensorRawData(), tensor.data.size());
  }
  return tensor;
}

Result<Tensor> from_list_of_maps(const Ort::Value& list, const TensorSpec& spec,
                                 Ort::AllocatorWithDefaultOptions& allocator) {
  const std::size_t rows = list.GetCount();
  std::vector<float> all;
  std::size_t labels = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    const Ort::Value map = list.GetValue(static_cast<int>(row), allocator);
    const Ort::Value values = map.GetValue(1, allocator);
    const std::size_t count = values.GetTensorTypeAndShapeInfo().GetElementCount();
    if (row == 0) labels = count;
    if (count != labels || all.size() + count > model::kMaxElements) {
      return fail(
          ErrorCode::kInvalidArgument,
          fmt::format("output \"{}\" has too many numbers, or not the same labels in each row", spec.name));
    }
    const auto* numbers = values.GetTensorData<float>();
    all.insert(all.end(), numbers, numbers + count);
  }
  const std::vector<std::int64_t> shape{static_cast<std::int64_t>(rows), static_cast<std::int64_t>(labels)};
  return model::make_tensor<float>(spec.name, shape, all);
}

Result<Tensor> from_value(const Ort::Value& value, const TensorSpec& spec,
                          Ort::AllocatorWithDefaultOptions& allocator) {
  if (!value.HasValue()) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("the model gives no output \"{}\" here", spec.name));
  }
  if (value.IsTensor()) return from_tensor(value, spec);
  return from_list_of_maps(value, spec, allocator);
}

Ort::SessionOptions session_options() {
  Ort::SessionOptions options;
  options.SetIntraOpNumThreads(1);
  options.SetInterOpNumThreads(1);
  options.SetExecutionMode(ORT_SEQUENTIAL);
  options.SetGraphOptimizationLevel(ORT_ENABLE_ALL);
  // Never ORT's own format, which it would recognise by itself: nobody has inspected that.
  options.AddConfigEntry(kOrtSessionOptionsConfigLoadModelFormat, "ONNX");
  return options;
}

}  // namespace

struct Runtime::Impl {
  Ort::Env env{ORT_LOGGING_LEVEL_FATAL, "holdfast-engine"};
};

Runtime::Runtime(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Runtime::Runtime(Runtime&&) noexcept = default;
Runtime::~Runtime() = default;

Result<Runtime> Runtime::create() {
  // Since 1.29 ONNX Runtime sends telemetry to its maker on Linux too: without this it starts a thread and
  // writes an identifier and a database into the home folder (onnxruntime pull requests 27379 and 29843).
  if (::setenv("ORT_DISABLE_TELEMETRY", "1", 1) != 0) {
    return base::fail_errno("cannot turn off ONNX Runtime's telemetry", errno);
  }
  return guarded(ErrorCode::kUnavailable, []() -> Result<Runtime> {
    auto impl = std::make_unique<Impl>();
    impl->env.DisableTelemetryEvents();
    return Runtime(std::move(impl));
  });
}

struct OrtPredictor::Session {
  Ort::Session session;
  Ort::AllocatorWithDefaultOptions allocator;
  Ort::MemoryInfo memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
  model::Signature signature;

  Result<> read_signature() {
    if (session.GetInputCount() > model::kMaxTensors || session.GetOutputCount() > model::kMaxTensors) {
      return fail(ErrorCode::kLimitExceeded,
                  fmt::format("it has more than {} inputs or outputs", model::kMaxTensors));
    }
    for (std::size_t i = 0; i < session.GetInputCount(); ++i) {
      HF_TRY(auto spec,
             spec_of(session.GetInputNameAllocated(i, allocator).get(), session.GetInputTypeInfo(i), false));
      signature.inputs.push_back(std::move(spec));
    }
    for (std::size_t i = 0; i < session.GetOutputCount(); ++i) {
      HF_TRY(auto spec,
             spec_of(session.GetOutputNameAllocated(i, allocator).get(), session.GetOutputTypeInfo(i), true));
      signature.outputs.push_back(std::move(spec));
    }
    return {};
  }

  Result<std::vector<Tensor>> run(std::span<const Tensor> inputs) {
    std::vector<const char*> input_names;
    std::vector<const char*> output_names;
    std::vector<Ort::Value> values;
    for (const Tensor& input : inputs) {
      HF_TRY(Ort::Value value, to_value(input, allocator, memory));
      values.push_back(std::move(value));
      input_names.push_back(input.name.c_str());
    }
    for (const TensorSpec& output : signature.outputs) output_names.push_back(output.name.c_str());
    const auto results = session.Run(Ort::RunOptions{nullptr}, input_names.data(), values.data(),
                                     values.size(), output_names.data(), output_names.size());
    std::vector<Tensor> outputs;
    for (std::size_t i = 0; i < results.size(); ++i) {
      HF_TRY(Tensor output, from_value(results[i], signature.outputs[i], allocator));
      outputs.push_back(std::move(output));
    }
    return outputs;
  }
};

OrtPredictor::OrtPredictor(std::unique_ptr<Session> session) : session_(std::move(session)) {}
OrtPredictor::OrtPredictor(OrtPredictor&&) noexcept = default;
OrtPredictor::~OrtPredictor() = default;

Result<OrtPredictor> OrtPredictor::load(Runtime& runtime, ByteView bytes) {
  HF_CHECK(check_model(bytes));
  return guarded(ErrorCode::kDataCorrupt, [&]() -> Result<OrtPredictor> {
    auto session = std::make_unique<Session>(
        Session{.session = Ort::Session(runtime.impl_->env, bytes.data(), bytes.size(), session_options())});
    HF_CHECK(session->read_signature());
    return OrtPredictor(std::move(session));
  });
}

const model::Signature& OrtPredictor::signature() const { return session_->signature; }

Result<std::vector<Tensor>> OrtPredictor::predict(std::span<const Tensor> inputs,
                                                  model::Deadline /*deadline*/) {
  HF_CHECK(model::check_inputs(session_->signature, inputs));
  return guarded(ErrorCode::kInvalidArgument, [&] { return session_->run(inputs); });
}

}  // namespace holdfast::model_ort
