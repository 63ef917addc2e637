#include "gateway/inference_request.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <type_traits>

namespace holdfast::gateway {

using base::Bytes;
using base::ByteView;
using base::ErrorCode;
using base::fail;
using base::Result;
using model::Datatype;
using model::Tensor;

namespace {

namespace dom = simdjson::dom;

tl::unexpected<base::Error> refuse(std::string message) {
  return fail(ErrorCode::kInvalidArgument, std::move(message));
}

// Appends one element; gives what is wrong with it, or null.
using Append = const char* (*)(const dom::element& element, Bytes& to);

template <typename T>
void append_value(Bytes& to, T value) {
  std::array<std::uint8_t, sizeof(T)> bytes;
  std::memcpy(bytes.data(), &value, sizeof(T));
  to.insert(to.end(), bytes.begin(), bytes.end());
}

template <typename T>
const char* append_real(const dom::element& element, Bytes& to) {
  if (element.is_null()) {
    append_value(to, std::numeric_limits<T>::quiet_NaN());
    return nullptr;
  }
  double value = 0;
  if (element.get(value) != simdjson::SUCCESS) return "is not a number";
  const T narrow = static_cast<T>(value);
  if (!std::isfinite(narrow)) return "is too large for its datatype";
  append_value(to, narrow);
  return nullptr;
}

template <typename T>
const char* append_integer(const dom::element& element, Bytes& to) {
  using Wide = std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>;
  Wide value = 0;
  if (element.get(value) != simdjson::SUCCESS) return "is not an integer of its datatype";
  if (value < std::numeric_limits<T>::min() || value > std::numeric_limits<T>::max()) {
    return "does not fit its datatype";
  }
  append_value(to, static_cast<T>(value));
  return nullptr;
}

const char* append_bool(const dom::element& element, Bytes& to) {
  bool value = false;
  if (element.get(value) != simdjson::SUCCESS) return "is neither true nor false";
  to.push_back(value ? 1 : 0);
  return nullptr;
}

const char* append_text(const dom::element& element, Bytes& to) {
  std::string_view value;
  if (element.get(value) != simdjson::SUCCESS) return "is not a text";
  base::append_le(to, static_cast<std::uint32_t>(value.size()));
  base::append(to, value);
  return nullptr;
}

Append append_of(Datatype type) {
  switch (type) {
    case Datatype::kBool:
      return append_bool;
    case Datatype::kInt8:
      return append_integer<std::int8_t>;
    case Datatype::kInt16:
      return append_integer<std::int16_t>;
    case Datatype::kInt32:
      return append_integer<std::int32_t>;
    case Datatype::kInt64:
      return append_integer<std::int64_t>;
    case Datatype::kUint8:
      return append_integer<std::uint8_t>;
    case Datatype::kUint16:
      return append_integer<std::uint16_t>;
    case Datatype::kUint32:
      return append_integer<std::uint32_t>;
    case Datatype::kUint64:
      return append_integer<std::uint64_t>;
    case Datatype::kFp32:
      return append_real<float>;
    case Datatype::kFp64:
      return append_real<double>;
    case Datatype::kString:
      break;
  }
  return append_text;
}

// The members of an object that `names` lists, each at most once; others are passed over, as the protocol
// asks. A member that is not there is none.
template <std::size_t N>
using Members = std::array<std::optional<dom::element>, N>;

template <std::size_t N>
Result<Members<N>> members(const dom::element& value, std::string_view what,
                           const std::array<std::string_view, N>& names) {
  dom::object object;
  if (value.get(object) != simdjson::SUCCESS) return refuse(fmt::format("{} is not an object", what));
  Members<N> found;
  for (const auto field : object) {
    const auto name = std::ranges::find(names, field.key);
    if (name == names.end()) continue;
    auto& slot = found[static_cast<std::size_t>(name - names.begin())];
    if (slot) return refuse(fmt::format("{} has two members \"{}\"", what, *name));
    slot = field.value;
  }
  return found;
}

Result<std::string> read_name(const std::optional<dom::element>& value, std::string_view what) {
  std::string_view name;
  if (!value || value->get(name) != simdjson::SUCCESS) return refuse(fmt::format("{} has no name", what));
  if (name.empty() || name.size() > model::kMaxTensorNameBytes) {
    return refuse(fmt::format("the name of {} has {} bytes; it takes 1 to {}", what, name.size(),
                              model::kMaxTensorNameBytes));
  }
  return std::string(name);
}

Result<std::vector<std::int64_t>> read_shape(const std::optional<dom::element>& value,
                                             std::string_view what) {
  dom::array array;
  if (!value || value->get(array) != simdjson::SUCCESS) {
    return refuse(fmt::format("{} needs a shape, an array of integers", what));
  }
  std::vector<std::int64_t> shape;
  for (const dom::element dimension : array) {
    if (shape.size() == model::kMaxRank) {
      return fail(ErrorCode::kLimitExceeded,
                  fmt::format("{} has a shape of more than {} dimensions", what, model::kMaxRank));
    }
    std::int64_t size = 0;
    if (dimension.get(size) != simdjson::SUCCESS || size < 0) {
      return refuse(fmt::format("{}: shape[{}] is not an integer from 0 on", what, shape.size()));
    }
    shape.push_back(size);
  }
  return shape;
}

// Fills a tensor from flat or nested JSON arrays.
class Filler {
 public:
  Filler(Tensor& tensor, std::uint64_t count, std::string_view what)
      : tensor_(&tensor), append_(append_of(tensor.datatype)), count_(count), what_(what) {}

  Result<> fill(const dom::array& data) {
    tensor_->data.reserve(count_ * std::max<std::size_t>(model::element_bytes(tensor_->datatype), 4));
    const bool nested = tensor_->shape.size() > 1 && data.begin() != data.end() && (*data.begin()).is_array();
    if (nested) {
      HF_CHECK(level(data, 0));
    } else {
      HF_CHECK(scalars(data, count_));
    }
    return {};
  }

 private:
  // Recursion is bounded by the rank.
  Result<> level(const dom::array& data, std::size_t depth) {
    const auto wanted = static_cast<std::uint64_t>(tensor_->shape[depth]);
    if (depth + 1 == tensor_->shape.size()) return scalars(data, wanted);
    std::uint64_t found = 0;
    for (const dom::element element : data) {
      dom::array inner;
      if (element.get(inner) != simdjson::SUCCESS) {
        return refuse(fmt::format("{}: its data are nested otherwise than its shape {} says", what_,
                                  model::shape_text(tensor_->shape)));
      }
      if (++found > wanted) break;
      HF_CHECK(level(inner, depth + 1));
    }
    if (found == wanted) return {};
    return wrong_count();
  }

  Result<> scalars(const dom::array& data, std::uint64_t wanted) {
    std::uint64_t found = 0;
    for (const dom::element element : data) {
      if (++found > wanted) break;
      if (const char* wrong = append_(element, tensor_->data)) {
        return refuse(fmt::format("{}: element {} {}", what_, done_, wrong));
      }
      ++done_;
    }
    if (found == wanted) return {};
    return wrong_count();
  }

  [[nodiscard]] tl::unexpected<base::Error> wrong_count() const {
    return refuse(fmt::format("{}: its data are not the {} elements that its shape {} asks for", what_,
                              count_, model::shape_text(tensor_->shape)));
  }

  Tensor* tensor_;
  Append append_;
  std::uint64_t count_;
  std::string_view what_;
  std::uint64_t done_ = 0;
};

class RequestReader {
 public:
  RequestReader(const RequestLimits& limits, ByteView binary) : limits_(limits), binary_(binary) {}

  Result<InferenceRequest> read(const dom::element& root) {
    HF_TRY(const auto parts, members<4>(root, "the request", {"id", "inputs", "outputs", "parameters"}));
    InferenceRequest request;
    HF_TRY(request.id, read_id(parts[0]));
    HF_TRY(request.inputs, read_inputs(parts[1]));
    HF_TRY(request.binary_outputs, read_switch(parts[3], "binary_data_output"));
    HF_TRY(request.outputs, read_outputs(parts[2], request.binary_outputs));
    if (!binary_.empty()) return refuse("there are more binary data than the inputs ask for");
    return request;
  }

 private:
  static Result<std::string> read_id(const std::optional<dom::element>& value) {
    if (!value) return std::string();
    std::string_view id;
    if (value->get(id) != simdjson::SUCCESS || id.size() > kMaxRequestIdBytes) {
      return refuse(fmt::format("the id is not a text of at most {} bytes", kMaxRequestIdBytes));
    }
    return std::string(id);
  }

  // A member of `parameters` that is true or false; false where it is absent.
  static Result<bool> read_switch(const std::optional<dom::element>& parameters, std::string_view name) {
    if (!parameters) return false;
    HF_TRY(const auto found, members<1>(*parameters, "parameters", {name}));
    bool value = false;
    if (found[0] && found[0]->get(value) != simdjson::SUCCESS) {
      return refuse(fmt::format("the parameter {} is neither true nor false", name));
    }
    return value;
  }

  Result<dom::array> read_list(const std::optional<dom::element>& value, std::string_view name) const {
    dom::array array;
    if (!value || value->get(array) != simdjson::SUCCESS) {
      return refuse(fmt::format("the request needs {}, an array", name));
    }
    std::size_t count = 0;
    for (auto at = array.begin(); at != array.end(); ++at) ++count;
    if (count > limits_.max_tensors) {
      return fail(ErrorCode::kLimitExceeded,
                  fmt::format("there are {} {}; at most {} are taken", count, name, limits_.max_tensors));
    }
    return array;
  }

  Result<std::vector<Tensor>> read_inputs(const std::optional<dom::element>& value) {
    HF_TRY(const auto list, read_list(value, "inputs"));
    std::vector<Tensor> inputs;
    for (const dom::element element : list) {
      HF_TRY(Tensor input, read_input(element, fmt::format("inputs[{}]", inputs.size())));
      if (std::ranges::find(inputs, input.name, &Tensor::name) != inputs.end()) {
        return refuse(fmt::format("input \"{}\" is given twice", input.name));
      }
      inputs.push_back(std::move(input));
    }
    return inputs;
  }

  Result<Tensor> read_input(const dom::element& value, const std::string& place) {
    HF_TRY(const auto parts, members<5>(value, place, {"name", "shape", "datatype", "data", "parameters"}));
    Tensor tensor;
    HF_TRY(tensor.name, read_name(parts[0], place));
    const std::string what = fmt::format("input \"{}\"", tensor.name);
    HF_TRY(tensor.shape, read_shape(parts[1], what));
    std::string_view type;
    if (!parts[2] || parts[2]->get(type) != simdjson::SUCCESS)
      return refuse(what + " needs a datatype, a text");
    auto datatype = model::parse_datatype(type);
    if (!datatype) return fail(std::move(datatype).error().within(what));
    tensor.datatype = *datatype;
    auto count = model::element_count(tensor.shape);
    if (!count) return fail(std::move(count).error().within(what));
    elements_ += *count;
    if (elements_ > limits_.max_elements) {
      return fail(ErrorCode::kLimitExceeded,
                  fmt::format("{}: the inputs have more than {} elements; send fewer rows", what,
                              limits_.max_elements));
    }
    HF_CHECK(read_data(tensor, *count, parts[3], parts[4], what));
    return tensor;
  }

  Result<> read_data(Tensor& tensor, std::uint64_t count, const std::optional<dom::element>& data,
                     const std::optional<dom::element>& parameters, const std::string& what) {
    HF_TRY(const auto size, binary_size(parameters, what));
    if (size) {
      if (data) return refuse(what + " has data and binary data; give one of them");
      if (*size > binary_.size()) return refuse(what + ": its binary data are not all there");
      const ByteView bytes = binary_.first(*size);
      binary_ = binary_.subspan(*size);
      tensor.data.assign(bytes.begin(), bytes.end());
      return model::check_tensor(tensor);
    }
    dom::array array;
    if (!data || data->get(array) != simdjson::SUCCESS) return refuse(what + " needs data, an array");
    return Filler(tensor, count, what).fill(array);
  }

  static Result<std::optional<std::uint64_t>> binary_size(const std::optional<dom::element>& parameters,
                                                          const std::string& what) {
    if (!parameters) return std::nullopt;
    HF_TRY(const auto found, members<1>(*parameters, what + ": parameters", {"binary_data_size"}));
    if (!found[0]) return std::nullopt;
    std::uint64_t size = 0;
    if (found[0]->get(size) != simdjson::SUCCESS) {
      return refuse(what + ": binary_data_size is not an integer from 0 on");
    }
    return size;
  }

  Result<std::vector<RequestedOutput>> read_outputs(const std::optional<dom::element>& value,
                                                    bool binary_by_default) const {
    std::vector<RequestedOutput> outputs;
    if (!value) return outputs;
    HF_TRY(const auto list, read_list(value, "outputs"));
    for (const dom::element element : list) {
      const std::string place = fmt::format("outputs[{}]", outputs.size());
      HF_TRY(const auto parts, members<2>(element, place, {"name", "parameters"}));
      RequestedOutput output;
      HF_TRY(output.name, read_name(parts[0], place));
      output.binary = binary_by_default;
      if (parts[1]) {
        HF_TRY(const auto found, members<1>(*parts[1], place, {"binary_data"}));
        if (found[0] && found[0]->get(output.binary) != simdjson::SUCCESS) {
          return refuse(place + ": binary_data is neither true nor false");
        }
      }
      if (std::ranges::find(outputs, output.name, &RequestedOutput::name) != outputs.end()) {
        return refuse(fmt::format("output \"{}\" is asked for twice", output.name));
      }
      outputs.push_back(std::move(output));
    }
    return outputs;
  }

  const RequestLimits& limits_;
  ByteView binary_;
  std::uint64_t elements_ = 0;
};

tl::unexpected<base::Error> not_json(simdjson::error_code code) {
  if (code == simdjson::DEPTH_ERROR) {
    return refuse(fmt::format("the request is nested deeper than {} levels", kMaxJsonDepth));
  }
  return refuse(fmt::format("the request is not JSON: {}", simdjson::error_message(code)));
}

// A parser for a small request is kept by its thread; for a large one it is made and given up.
constexpr std::size_t kKeptParserBytes = 64UL << 10;

Result<InferenceRequest> parse_with(dom::parser& parser, ByteView json, ByteView binary,
                                    const RequestLimits& limits) {
  if (parser.capacity() < json.size()) {
    const auto code = parser.allocate(std::max(json.size(), kKeptParserBytes), kMaxJsonDepth);
    if (code != simdjson::SUCCESS) return not_json(code);
  }
  dom::element root;
  if (const auto code = parser.parse(json.data(), json.size(), true).get(root); code != simdjson::SUCCESS) {
    return not_json(code);
  }
  return RequestReader(limits, binary).read(root);
}

}  // namespace

Result<InferenceRequest> parse_inference_request(ByteView body, std::optional<std::size_t> json_bytes,
                                                 const RequestLimits& limits) {
  if (body.size() > limits.max_bytes) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("the request has {} bytes; at most {} are taken", body.size(), limits.max_bytes));
  }
  const std::size_t size = json_bytes.value_or(body.size());
  if (size > body.size()) return refuse("Inference-Header-Content-Length is larger than the request");
  if (size == 0) return refuse("the request is empty");
  const ByteView json = body.first(size);
  const ByteView binary = body.subspan(size);
  if (size > kKeptParserBytes) {
    dom::parser parser;
    return parse_with(parser, json, binary, limits);
  }
  thread_local dom::parser kept;
  return parse_with(kept, json, binary, limits);
}

}  // namespace holdfast::gateway
