#include "gateway/inference_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include "formats/entry_names.h"

namespace holdfast::gateway {

using base::ErrorCode;
using base::fail;
using base::Result;
using model::Datatype;
using model::Tensor;

namespace {

void append_escaped(std::string& to, std::string_view text) {
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      to.push_back('\\');
      to.push_back(c);
    } else if (static_cast<unsigned char>(c) < ' ') {
      to += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      to.push_back(c);
    }
  }
}

void append_string(std::string& to, std::string_view text) {
  to.push_back('"');
  if (formats::is_utf8(text)) {
    append_escaped(to, text);
  } else {
    for (const char c : text) {
      const bool ascii = static_cast<unsigned char>(c) < 0x80;
      append_escaped(to, ascii ? std::string_view(&c, 1) : "\xef\xbf\xbd");
    }
  }
  to.push_back('"');
}

template <typename T>
void append_numbers(std::string& to, base::ByteView data) {
  std::array<char, 32> text;
  for (std::size_t at = 0; at < data.size(); at += sizeof(T)) {
    T value;
    std::memcpy(&value, data.data() + at, sizeof(T));
    if (at > 0) to.push_back(',');
    if constexpr (std::is_floating_point_v<T>) {
      if (!std::isfinite(value)) {
        to += "null";
        continue;
      }
    }
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    to.append(text.data(), end);
  }
}

void append_bools(std::string& to, base::ByteView data) {
  for (std::size_t at = 0; at < data.size(); ++at) {
    if (at > 0) to.push_back(',');
    to += data[at] != 0 ? "true" : "false";
  }
}

Result<> append_texts(std::string& to, const Tensor& tensor) {
  HF_TRY(const auto texts, model::strings(tensor));
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (!formats::is_utf8(texts[i])) {
      return fail(
          ErrorCode::kUnsupported,
          fmt::format("output \"{}\" holds bytes that are no text; ask for it as binary data", tensor.name));
    }
    if (i > 0) to.push_back(',');
    append_string(to, texts[i]);
  }
  return {};
}

Result<> append_data(std::string& to, const Tensor& tensor) {
  switch (tensor.datatype) {
    case Datatype::kBool:
      append_bools(to, tensor.data);
      break;
    case Datatype::kInt8:
      append_numbers<std::int8_t>(to, tensor.data);
      break;
    case Datatype::kInt16:
      append_numbers<std::int16_t>(to, tensor.data);
      break;
    case Datatype::kInt32:
      append_numbers<std::int32_t>(to, tensor.data);
      break;
    case Datatype::kInt64:
      append_numbers<std::int64_t>(to, tensor.data);
      break;
    case Datatype::kUint8:
      append_numbers<std::uint8_t>(to, tensor.data);
      break;
    case Datatype::kUint16:
      append_numbers<std::uint16_t>(to, tensor.data);
      break;
    case Datatype::kUint32:
      append_numbers<std::uint32_t>(to, tensor.data);
      break;
    case Datatype::kUint64:
      append_numbers<std::uint64_t>(to, tensor.data);
      break;
    case Datatype::kFp32:
      append_numbers<float>(to, tensor.data);
      break;
    case Datatype::kFp64:
      append_numbers<double>(to, tensor.data);
      break;
    case Datatype::kString:
      return append_texts(to, tensor);
  }
  return {};
}

bool goes_as_binary(const InferenceRequest* request, std::string_view output) {
  if (request == nullptr) return false;
  const auto named = std::ranges::find(request->outputs, output, &RequestedOutput::name);
  return named == request->outputs.end() ? request->binary_outputs : named->binary;
}

void append_shape(std::string& to, std::span<const std::int64_t> shape) {
  to += "\"shape\":";
  to += model::shape_text(shape);
}

void append_specs(std::string& to, std::span<const model::TensorSpec> specs) {
  to.push_back('[');
  for (const auto& spec : specs) {
    if (to.back() != '[') to.push_back(',');
    to += "{\"name\":";
    append_string(to, spec.name);
    to += fmt::format(",\"datatype\":\"{}\",", model::to_string(spec.datatype));
    append_shape(to, spec.open_rank ? std::vector<std::int64_t>{-1} : spec.shape);
    to.push_back('}');
  }
  to.push_back(']');
}

}  // namespace

std::string json_string(std::string_view text) {
  std::string out;
  append_string(out, text);
  return out;
}

Result<EncodedAnswer> encode_answer(const InferenceAnswer& answer) {
  std::string json = "{\"model_name\":";
  append_string(json, answer.model_name);
  json += ",\"model_version\":";
  append_string(json, answer.model_version);
  json += ",\"id\":";
  append_string(json, answer.id);
  json += ",\"parameters\":{";
  for (const Parameter& parameter : answer.parameters) {
    if (json.back() != '{') json.push_back(',');
    append_string(json, parameter.name);
    json.push_back(':');
    append_string(json, parameter.value);
  }
  json += "},\"outputs\":[";
  std::string binary;
  bool any_binary = false;
  for (const Tensor* output : answer.outputs) {
    if (json.back() != '[') json.push_back(',');
    json += "{\"name\":";
    append_string(json, output->name);
    json += fmt::format(",\"datatype\":\"{}\",", model::to_string(output->datatype));
    append_shape(json, output->shape);
    if (goes_as_binary(answer.request, output->name)) {
      any_binary = true;
      json += fmt::format(",\"parameters\":{{\"binary_data_size\":{}}}}}", output->data.size());
      binary += base::as_text(output->data);
      continue;
    }
    json += ",\"data\":[";
    HF_CHECK(append_data(json, *output));
    json += "]}";
  }
  json += "]}";
  EncodedAnswer encoded{std::move(json), std::nullopt};
  if (any_binary) {
    encoded.json_bytes = encoded.body.size();
    encoded.body += binary;
  }
  return encoded;
}

std::string encode_error(std::string_view message) {
  return fmt::format("{{\"error\":{}}}", json_string(message));
}

std::string encode_model_metadata(std::string_view name, std::span<const std::string> versions,
                                  std::string_view platform, std::span<const model::TensorSpec> inputs,
                                  std::span<const model::TensorSpec> outputs) {
  std::string json = "{\"name\":";
  append_string(json, name);
  json += ",\"versions\":[";
  for (const std::string& version : versions) {
    if (json.back() != '[') json.push_back(',');
    append_string(json, version);
  }
  json += "],\"platform\":";
  append_string(json, platform);
  json += ",\"inputs\":";
  append_specs(json, inputs);
  json += ",\"outputs\":";
  append_specs(json, outputs);
  json.push_back('}');
  return json;
}

}  // namespace holdfast::gateway
