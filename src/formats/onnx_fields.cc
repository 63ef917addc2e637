#include "formats/onnx_fields.h"

#include <fmt/format.h>

namespace holdfast::formats {

using base::ErrorCode;
using base::fail;
using base::Result;

namespace {

// TensorShapeProto.Dimension
Result<> read_dimension(const WireReader& reader, OnnxBudget& budget, OnnxDimension& to) {
  return each_field(reader, [&](const WireReader& at, const WireField& field) -> Result<> {
    if (field.number == 1) {
      HF_TRY(to.size, onnx_integer(field));
      to.symbol.clear();
    } else if (field.number == 2) {
      HF_CHECK(budget.set(to.symbol, at, field));
      to.size.reset();
    }
    return {};
  });
}

// TensorShapeProto
Result<> read_shape(const WireReader& reader, OnnxBudget& budget, std::vector<OnnxDimension>& to) {
  return each_field(reader, [&](const WireReader& at, const WireField& field) -> Result<> {
    if (field.number != 1) return {};
    HF_TRY(const WireReader inner, at.message(field));
    OnnxDimension dimension;
    HF_CHECK(read_dimension(inner, budget, dimension));
    return budget.append(to, std::move(dimension));
  });
}

// TypeProto.Tensor and TypeProto.SparseTensor
Result<> read_tensor_type(const WireReader& reader, OnnxBudget& budget, OnnxValue& to) {
  return each_field(reader, [&](const WireReader& at, const WireField& field) -> Result<> {
    if (field.number == 1) {
      HF_TRY(to.element, onnx_element(field));
    } else if (field.number == 2) {
      HF_TRY(const WireReader inner, at.message(field));
      if (!to.shape) to.shape.emplace();
      HF_CHECK(read_shape(inner, budget, *to.shape));
    }
    return {};
  });
}

Result<> read_type(const WireReader& reader, OnnxBudget& budget, OnnxValue& to);

// TypeProto.Sequence, .Map and .Optional: a type around another, which stands in field `inner_at`.
Result<> read_container(const WireReader& reader, OnnxBudget& budget, std::uint32_t inner_at,
                        std::string& to) {
  return each_field(reader, [&](const WireReader& at, const WireField& field) -> Result<> {
    if (field.number == inner_at) {
      HF_TRY(const WireReader inner, at.message(field));
      OnnxValue nested;
      HF_CHECK(read_type(inner, budget, nested));
      to += nested.type;
    } else if (field.number == 1) {  // a map's key, which writers put first
      HF_TRY(const OnnxElement key, onnx_element(field));
      to += to_string(key) + ", ";
    }
    return {};
  });
}

// TypeProto
Result<> read_type(const WireReader& reader, OnnxBudget& budget, OnnxValue& to) {
  return each_field(reader, [&](const WireReader& at, const WireField& field) -> Result<> {
    const bool sparse = field.number == 8;
    if (field.number == 1 || sparse) {
      HF_TRY(const WireReader inner, at.message(field));
      HF_CHECK(read_tensor_type(inner, budget, to));
      to.type = fmt::format("{}({})", sparse ? "sparse_tensor" : "tensor", to_string(to.element));
    } else if (field.number == 7) {
      to.type = "opaque";
    } else if (field.number == 4 || field.number == 5 || field.number == 9) {
      HF_TRY(const WireReader inner, at.message(field));
      std::string nested;
      HF_CHECK(read_container(inner, budget, field.number == 5 ? 2 : 1, nested));
      to.type = fmt::format("{}({})",
                            field.number == 4   ? "seq"
                            : field.number == 5 ? "map"
                                                : "optional",
                            nested);
    }
    return {};
  });
}

}  // namespace

Result<std::int64_t> onnx_integer(const WireField& field) {
  if (field.type == WireType::kVarint) return static_cast<std::int64_t>(field.value);
  return fail(ErrorCode::kDataCorrupt,
              fmt::format("the ONNX model's field {} at byte {} is no integer", field.number, field.offset));
}

Result<OnnxElement> onnx_element(const WireField& field) {
  HF_TRY(const std::int64_t number, onnx_integer(field));
  return static_cast<OnnxElement>(static_cast<std::int32_t>(number));
}

Result<> OnnxBudget::charge(std::size_t size) {
  if (size > left_) {
    return fail(
        ErrorCode::kLimitExceeded,
        fmt::format("the names, texts and tensors that the ONNX model describes take more than {} bytes",
                    OnnxModel::kMaxKeptBytes));
  }
  left_ -= size;
  return {};
}

Result<> OnnxBudget::set(std::string& to, const WireReader& reader, const WireField& field,
                         std::size_t max_size) {
  HF_TRY(to, reader.text(field, max_size));
  return charge(to.size());
}

Result<> read_onnx_value(const WireReader& reader, OnnxBudget& budget, OnnxValue& to) {
  return each_field(reader, [&](const WireReader& at, const WireField& field) -> Result<> {
    if (field.number == 1) return budget.set(to.name, at, field);
    if (field.number != 2) return {};
    HF_TRY(const WireReader inner, at.message(field));
    return read_type(inner, budget, to);
  });
}

}  // namespace holdfast::formats
