#include "model/tensor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace holdfast::model {

using base::ByteView;
using base::ErrorCode;
using base::fail;
using base::Result;

namespace {

struct DatatypeRow {
  Datatype type;
  std::string_view name;
  std::size_t bytes;
};

// Names: Open Inference Protocol version 2, "Tensor Data Types".
constexpr std::array<DatatypeRow, 12> kDatatypes{{{Datatype::kBool, "BOOL", 1},
                                                  {Datatype::kInt8, "INT8", 1},
                                                  {Datatype::kInt16, "INT16", 2},
                                                  {Datatype::kInt32, "INT32", 4},
                                                  {Datatype::kInt64, "INT64", 8},
                                                  {Datatype::kUint8, "UINT8", 1},
                                                  {Datatype::kUint16, "UINT16", 2},
                                                  {Datatype::kUint32, "UINT32", 4},
                                                  {Datatype::kUint64, "UINT64", 8},
                                                  {Datatype::kFp32, "FP32", 4},
                                                  {Datatype::kFp64, "FP64", 8},
                                                  {Datatype::kString, "BYTES", 0}}};

const DatatypeRow& row_of(Datatype type) { return kDatatypes.at(static_cast<std::size_t>(type) - 1); }

template <typename T>
void append_numbers(ByteView data, std::vector<double>& to) {
  for (std::size_t at = 0; at < data.size(); at += sizeof(T)) {
    T value;
    std::memcpy(&value, data.data() + at, sizeof(T));
    to.push_back(static_cast<double>(value));
  }
}

// Calls `use` with each element of a kString tensor's data; false where the data do not end with one.
template <typename Use>
bool for_each_string(ByteView data, Use use) {
  while (!data.empty()) {
    if (data.size() < sizeof(std::uint32_t)) return false;
    const std::size_t length = base::load_le<std::uint32_t>(data);
    data = data.subspan(sizeof(std::uint32_t));
    if (length > data.size()) return false;
    use(base::as_text(data.first(length)));
    data = data.subspan(length);
  }
  return true;
}

Result<> check_data(const Tensor& tensor, std::uint64_t count) {
  if (tensor.datatype == Datatype::kString) {
    std::uint64_t found = 0;
    if (!for_each_string(tensor.data, [&](std::string_view) { ++found; }) || found != count) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("the data of tensor \"{}\" are not the {} texts that its shape {} asks for",
                              tensor.name, count, shape_text(tensor.shape)));
    }
    return {};
  }
  const std::uint64_t wanted = count * element_bytes(tensor.datatype);
  if (tensor.data.size() != wanted) {
    return fail(
        ErrorCode::kInvalidArgument,
        fmt::format("tensor \"{}\" of {} and shape {} takes {} bytes of data, not {}", tensor.name,
                    to_string(tensor.datatype), shape_text(tensor.shape), wanted, tensor.data.size()));
  }
  if (tensor.datatype == Datatype::kBool && std::ranges::any_of(tensor.data, [](auto b) { return b > 1; })) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("tensor \"{}\" of BOOL holds a byte that is neither 0 nor 1", tensor.name));
  }
  return {};
}

const TensorSpec* find(const std::vector<TensorSpec>& specs, std::string_view name) {
  const auto found = std::ranges::find(specs, name, &TensorSpec::name);
  return found == specs.end() ? nullptr : &*found;
}

std::string names_of(const std::vector<TensorSpec>& specs) {
  std::vector<std::string_view> names;
  for (const auto& spec : specs) names.emplace_back(spec.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

Result<> check_input(const Signature& signature, const Tensor& input) {
  const TensorSpec* spec = signature.find_input(input.name);
  if (spec == nullptr) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("the model has no input \"{}\"; it takes {}",
                                                         input.name, names_of(signature.inputs)));
  }
  if (input.datatype != spec->datatype) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("input \"{}\" is {}, and the model takes {}", input.name,
                            to_string(input.datatype), to_string(spec->datatype)));
  }
  if (!spec->accepts(input.shape)) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("input \"{}\" has shape {}, and the model takes {}", input.name,
                            shape_text(input.shape), shape_text(spec->shape)));
  }
  return check_tensor(input);
}

}  // namespace

std::string_view to_string(Datatype type) { return row_of(type).name; }

Result<Datatype> parse_datatype(std::string_view text) {
  const auto found = std::ranges::find(kDatatypes, text, &DatatypeRow::name);
  if (found != kDatatypes.end()) return found->type;
  std::vector<std::string_view> names;
  for (const auto& row : kDatatypes) names.push_back(row.name);
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("there is no such datatype; there are {}", fmt::join(names, ", ")));
}

std::size_t element_bytes(Datatype type) { return row_of(type).bytes; }

Result<std::uint64_t> element_count(std::span<const std::int64_t> shape) {
  if (shape.size() > kMaxRank) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("a shape has {} dimensions; at most {} are taken", shape.size(), kMaxRank));
  }
  bool none = false;
  std::uint64_t count = 1;
  for (const std::int64_t dimension : shape) {
    if (dimension < 0) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("a shape has the dimension {}", dimension));
    }
    none |= dimension == 0;
    // At most kMaxElements each, so that the product of two fits 64 bits.
    if (static_cast<std::uint64_t>(dimension) > kMaxElements) count = kMaxElements + 1;
    if (count <= kMaxElements && dimension > 0) count *= static_cast<std::uint64_t>(dimension);
  }
  if (none) return 0;
  if (count > kMaxElements) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("shape {} has more than {} elements", shape_text(shape), kMaxElements));
  }
  return count;
}

Result<> check_tensor(const Tensor& tensor) {
  if (tensor.name.empty() || tensor.name.size() > kMaxTensorNameBytes) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("the name of a tensor has {} bytes; it takes 1 to {}", tensor.name.size(),
                            kMaxTensorNameBytes));
  }
  auto count = element_count(tensor.shape);
  if (!count) return fail(std::move(count).error().within(fmt::format("tensor \"{}\"", tensor.name)));
  if (tensor.data.size() > kMaxTensorBytes) {
    return fail(ErrorCode::kLimitExceeded, fmt::format("tensor \"{}\" has {} bytes; at most {} are taken",
                                                       tensor.name, tensor.data.size(), kMaxTensorBytes));
  }
  return check_data(tensor, *count);
}

Tensor make_string_tensor(std::string name, std::vector<std::int64_t> shape,
                          std::span<const std::string> values) {
  Tensor tensor{std::move(name), Datatype::kString, std::move(shape), {}};
  for (const auto& value : values) {
    base::append_le(tensor.data, static_cast<std::uint32_t>(value.size()));
    base::append(tensor.data, value);
  }
  return tensor;
}

Result<std::vector<double>> numbers(const Tensor& tensor) {
  HF_CHECK(check_tensor(tensor));
  std::vector<double> values;
  if (tensor.datatype == Datatype::kString) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("tensor \"{}\" holds texts", tensor.name));
  }
  values.reserve(tensor.data.size() / element_bytes(tensor.datatype));
  switch (tensor.datatype) {
    case Datatype::kBool:
    case Datatype::kUint8:
      append_numbers<std::uint8_t>(tensor.data, values);
      break;
    case Datatype::kInt8:
      append_numbers<std::int8_t>(tensor.data, values);
      break;
    case Datatype::kInt16:
      append_numbers<std::int16_t>(tensor.data, values);
      break;
    case Datatype::kInt32:
      append_numbers<std::int32_t>(tensor.data, values);
      break;
    case Datatype::kInt64:
      append_numbers<std::int64_t>(tensor.data, values);
      break;
    case Datatype::kUint16:
      append_numbers<std::uint16_t>(tensor.data, values);
      break;
    case Datatype::kUint32:
      append_numbers<std::uint32_t>(tensor.data, values);
      break;
    case Datatype::kUint64:
      append_numbers<std::uint64_t>(tensor.data, values);
      break;
    case Datatype::kFp32:
      append_numbers<float>(tensor.data, values);
      break;
    case Datatype::kFp64:
      append_numbers<double>(tensor.data, values);
      break;
    case Datatype::kString:
      break;
  }
  return values;
}

Result<std::vector<std::string_view>> strings(const Tensor& tensor) {
  HF_CHECK(check_tensor(tensor));
  if (tensor.datatype != Datatype::kString) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("tensor \"{}\" holds no texts", tensor.name));
  }
  std::vector<std::string_view> values;
  for_each_string(tensor.data, [&](std::string_view text) { values.push_back(text); });
  return values;
}

bool TensorSpec::accepts(std::span<const std::int64_t> other) const {
  if (open_rank) return true;
  return std::ranges::equal(
      shape, other, [](std::int64_t wanted, std::int64_t given) { return wanted == -1 || wanted == given; });
}

const TensorSpec* Signature::find_input(std::string_view name) const { return find(inputs, name); }
const TensorSpec* Signature::find_output(std::string_view name) const { return find(outputs, name); }

std::string shape_text(std::span<const std::int64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ","));
}

Result<> check_inputs(const Signature& signature, std::span<const Tensor> inputs) {
  std::vector<std::string_view> seen;
  for (const Tensor& input : inputs) {
    if (std::ranges::find(seen, input.name) != seen.end()) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("input \"{}\" is given twice", input.name));
    }
    HF_CHECK(check_input(signature, input));
    seen.emplace_back(input.name);
  }
  for (const TensorSpec& spec : signature.inputs) {
    if (std::ranges::find(seen, spec.name) == seen.end()) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("input \"{}\" ({} {}) is missing", spec.name,
                                                           to_string(spec.datatype), shape_text(spec.shape)));
    }
  }
  return {};
}

}  // namespace holdfast::model
