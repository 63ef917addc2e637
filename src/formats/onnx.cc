#include "formats/onnx.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <set>

#include "formats/anomaly.h"
#include "formats/onnx_fields.h"

// Field numbers are those of onnx/onnx.proto; the message is named where they stand.

namespace holdfast::formats {

using base::ErrorCode;
using base::fail;
using base::Result;

namespace {

constexpr std::array<std::string_view, 27> kElementNames = {
    "undefined", "float",      "uint8",      "int8",         "uint16",         "int16",      "int32",
    "int64",     "string",     "bool",       "float16",      "double",         "uint32",     "uint64",
    "complex64", "complex128", "bfloat16",   "float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz",
    "uint4",     "int4",       "float4e2m1", "float8e8m0",   "uint2",          "int2"};

// Domains that the ONNX standard itself defines (onnx/defs/schema.h).
constexpr std::array<std::string_view, 5> kStandardDomains = {"", "ai.onnx", "ai.onnx.ml", "ai.onnx.training",
                                                              "ai.onnx.preview.training"};

// A repeated integer, packed or one at a time.
Result<> append_dimensions(const WireReader& reader, const WireField& field, OnnxBudget& budget,
                           std::vector<std::int64_t>& to) {
  if (field.type == WireType::kVarint) {
    return budget.append(to, static_cast<std::int64_t>(field.value));
  }
  HF_TRY(WireReader packed, reader.message(field));
  const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(field.value, OnnxModel::kMaxKeptBytes));
  HF_CHECK(budget.charge(most * sizeof(std::int64_t)));
  while (!packed.at_end()) {
    HF_TRY(const std::uint64_t value, packed.varint());
    to.push_back(static_cast<std::int64_t>(value));
  }
  return {};
}

Result<std::uint64_t> decimal(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return fail(ErrorCode::kDataCorrupt,
                fmt::format("the ONNX model places external data at {}, which is no number", quote(text)));
  }
  return value;
}

std::uint64_t payload_size(const WireField& field) {
  switch (field.type) {
    case WireType::kBytes:
      return field.value;
    case WireType::kFixed32:
      return 4;
    case WireType::kFixed64:
      return 8;
    case WireType::kVarint:
      return (static_cast<std::uint64_t>(std::bit_width(field.value | 1)) + 6) / 7;
  }
  return 0;
}

class ModelReader {
 public:
  Result<OnnxModel> read(const Source& source);

 private:
  Result<> model_field(const WireReader& reader, const WireField& field);
  Result<> graph(const WireReader& reader, bool main);
  Result<> graph_field(const WireReader& reader, const WireField& field, bool main);
  Result<> node(const WireReader& reader);
  Result<> count(OnnxOperator kind);
  Result<> attribute(const WireReader& reader);
  Result<> function(const WireReader& reader);
  Result<> training(const WireReader& reader);
  Result<> tensor(const WireReader& reader, const WireField& field, std::vector<OnnxTensor>& to);
  Result<> tensor_field(const WireReader& reader, const WireField& field, OnnxTensor& to);
  Result<> sparse_tensor(const WireReader& reader, const WireField& field, std::vector<OnnxTensor>& to);
  Result<> external(const WireReader& reader, const WireField& field, OnnxExternalData& to);
  Result<> opset(const WireReader& reader, OnnxOpset& to);
  Result<> entry(const WireReader& reader, std::pair<std::string, std::string>& to);

  OnnxModel model_;
  OnnxBudget budget_;
  bool has_graph_ = false;
};

// StringStringEntryProto
Result<> ModelReader::entry(const WireReader& reader, std::pair<std::string, std::string>& to) {
  return each_field(reader, [&](const WireReader& at, const WireField& field) -> Result<> {
    if (field.number == 1) return budget_.set(to.first, at, field);
    if (field.number == 2) return budget_.set(to.second, at, field, OnnxModel::kMaxValueBytes);
    return {};
  });
}

// OperatorSetIdProto
Result<> ModelReader::opset(const WireReader& reader, OnnxOpset& to) {
  return each_field(reader, [&](const WireReader& at, const WireField& field) -> Result<> {
    if (field.number == 1) return budget_.set(to.domain, at, field);
    if (field.number == 2) {
      HF_TRY(to.version, onnx_integer(field));
    }
    return {};
  });
}

// TensorProto.external_data
Result<> ModelReader::external(const WireReader& reader, const WireField& field, OnnxExternalData& to) {
  HF_TRY(const WireReader inner, reader.message(field));
  std::pair<std::string, std::string> said;
  HF_CHECK(entry(inner, said));
  auto& [key, value] = said;
  const bool twice = (key == "location" && !to.location.empty()) || (key == "offset" && to.offset) ||
                     (key == "length" && to.length);
  if (twice) {
    return fail(ErrorCode::kDataCorrupt,
                fmt::format("an ONNX tensor gives the {} of its external data twice", key));
  }
  if (key == "location") to.location = std::move(value);
  if (key == "offset") {
    HF_TRY(to.offset, decimal(value));
  }
  if (key == "length") {
    HF_TRY(to.length, decimal(value));
  }
  return {};
}

Result<> ModelReader::tensor_field(const WireReader& reader, const WireField& field, OnnxTensor& to) {
  switch (field.number) {
    case 1:
      return append_dimensions(reader, field, budget_, to.shape);
    case 2: {
      HF_TRY(to.element, onnx_element(field));
      return {};
    }
    case 4:   // float_data
    case 5:   // int32_data
    case 6:   // string_data
    case 7:   // int64_data
    case 10:  // double_data
    case 11:  // uint64_data
      to.stored_bytes += payload_size(field);
      return {};
    case 9:  // raw_data
      to.stored_bytes += payload_size(field);
      to.raw_offset = field.offset;
      to.raw_bytes = payload_size(field);
      return {};
    case 8:
      return budget_.set(to.name, reader, field);
    case 13:
      if (!to.external) to.external.emplace();
      return external(reader, field, *to.external);
    case 14: {
      HF_TRY(const std::int64_t location, onnx_integer(field));
      if (location == 1 && !to.external) to.external.emplace();
      if (to.external) to.external->in_use = location == 1;
      return {};
    }
    default:
      return {};
  }
}

// TensorProto
Result<> ModelReader::tensor(const WireReader& reader, const WireField& field, std::vector<OnnxTensor>& to) {
  HF_TRY(const WireReader inner, reader.message(field));
  OnnxTensor tensor;
  const auto fields = each_field(
      inner, [&](const WireReader& at, const WireField& part) { return tensor_field(at, part, tensor); });
  if (!fields) return fields;
  return budget_.append(to, std::move(tensor));
}

// SparseTensorProto
Result<> ModelReader::sparse_tensor(const WireReader& reader, const WireField& field,
                                    std::vector<OnnxTensor>& to) {
  HF_TRY(const WireReader inner, reader.message(field));
  return each_field(inner, [&](const WireReader& at, const WireField& part) -> Result<> {
    if (part.number != 1 && part.number != 2) return {};
    return tensor(at, part, to);
  });
}

// AttributeProto
Result<> ModelReader::attribute(const WireReader& reader) {
  return each_field(reader, [&](const WireReader& at, const WireField& field) -> Result<> {
    switch (field.number) {
      case 5:
      case 10:
        return tensor(at, field, model_.constants);
      case 22:
      case 23:
        return sparse_tensor(at, field, model_.constants);
      case 6:
      case 11: {
        HF_TRY(const WireReader inner, at.message(field));
        ++model_.subgraphs;
        return graph(inner, /*main=*/false);
      }
      default:
        return {};
    }
  });
}

// NodeProto
Result<> ModelReader::node(const WireReader& reader) {
  OnnxOperator kind;
  const auto fields = each_field(reader, [&](const WireReader& at, const WireField& field) -> Result<> {
    if (field.number == 4) {
      HF_TRY(kind.type, at.text(field, OnnxModel::kMaxNameBytes));
    } else if (field.number == 7) {
      HF_TRY(kind.domain, at.text(field, OnnxModel::kMaxNameBytes));
    } else if (field.number == 5) {
      HF_TRY(const WireReader inner, at.message(field));
      return attribute(inner);
    }
    return {};
  });
  if (!fields) return fields;
  return count(std::move(kind));
}

Result<> ModelReader::count(OnnxOperator kind) {
  const auto found = model_.operators.find(kind);
  if (found != model_.operators.end()) {
    ++found->second;
    return {};
  }
  HF_CHECK(budget_.charge(sizeof(OnnxOperator) + kind.type.size() + kind.domain.size()));
  model_.operators.emplace(std::move(kind), 1);
  return {};
}

Result<> ModelReader::graph_field(const WireReader& reader, const WireField& field, bool main) {
  switch (field.number) {
    case 1: {
      HF_TRY(const WireReader inner, reader.message(field));
      return node(inner);
    }
    case 2:
      return main ? budget_.set(model_.graph_name, reader, field) : Result<>{};
    case 5:
      return tensor(reader, field, model_.initializers);
    case 15:
      return sparse_tensor(reader, field, model_.initializers);
    case 11:
    case 12: {
      if (!main) return {};
      HF_TRY(const WireReader inner, reader.message(field));
      OnnxValue one;
      HF_CHECK(read_onnx_value(inner, budget_, one));
      return budget_.append(field.number == 11 ? model_.inputs : model_.outputs, std::move(one));
    }
    default:
      return {};
  }
}

// GraphProto
Result<> ModelReader::graph(const WireReader& reader, bool main) {
  return each_field(
      reader, [&](const WireReader& at, const WireField& field) { return graph_field(at, field, main); });
}

// FunctionProto
Result<> ModelReader::function(const WireReader& reader) {
  OnnxOperator defined;
  const auto fields = each_field(reader, [&](const WireReader& at, const WireField& field) -> Result<> {
    switch (field.number) {
      case 1:
        return budget_.set(defined.type, at, field);
      case 10:
        return budget_.set(defined.domain, at, field);
      case 7: {
        HF_TRY(const WireReader inner, at.message(field));
        return node(inner);
      }
      case 11: {  // defaults of attributes
        HF_TRY(const WireReader inner, at.message(field));
        return attribute(inner);
      }
      default:
        return {};
    }
  });
  if (!fields) return fields;
  return budget_.append(model_.functions, std::move(defined));
}

// TrainingInfoProto
Result<> ModelReader::training(const WireReader& reader) {
  return each_field(reader, [&](const WireReader& at, const WireField& field) -> Result<> {
    if (field.number != 1 && field.number != 2) return {};
    HF_TRY(const WireReader inner, at.message(field));
    ++model_.training_graphs;
    return graph(inner, /*main=*/false);
  });
}

// ModelProto
Result<> ModelReader::model_field(const WireReader& reader, const WireField& field) {
  switch (field.number) {
    case 1: {
      HF_TRY(model_.ir_version, onnx_integer(field));
      return {};
    }
    case 2:
      return budget_.set(model_.producer_name, reader, field);
    case 3:
      return budget_.set(model_.producer_version, reader, field);
    case 4:
      return budget_.set(model_.domain, reader, field);
    case 5: {
      HF_TRY(model_.model_version, onnx_integer(field));
      return {};
    }
    case 7: {
      HF_TRY(const WireReader inner, reader.message(field));
      has_graph_ = true;
      return graph(inner, /*main=*/true);
    }
    case 8: {
      HF_TRY(const WireReader inner, reader.message(field));
      OnnxOpset one;
      HF_CHECK(opset(inner, one));
      return budget_.append(model_.opsets, std::move(one));
    }
    case 14: {
      HF_TRY(const WireReader inner, reader.message(field));
      std::pair<std::string, std::string> one;
      HF_CHECK(entry(inner, one));
      return budget_.append(model_.metadata, std::move(one));
    }
    case 20: {
      HF_TRY(const WireReader inner, reader.message(field));
      return training(inner);
    }
    case 25: {
      HF_TRY(const WireReader inner, reader.message(field));
      return function(inner);
    }
    default:
      return {};
  }
}

Result<OnnxModel> ModelReader::read(const Source& source) {
  WireBuffer buffer(source);
  const auto fields = each_field(WireReader(buffer), [&](const WireReader& at, const WireField& field) {
    return model_field(at, field);
  });
  if (!fields) return fail(fields.error());
  if (!has_graph_) return fail(ErrorCode::kDataCorrupt, "no ONNX model: it has no graph");
  return std::move(model_);
}

}  // namespace

std::string to_string(OnnxElement element) {
  const auto number = static_cast<std::int32_t>(element);
  if (number < 0 || static_cast<std::size_t>(number) >= kElementNames.size()) {
    return fmt::format("type {}", number);
  }
  return std::string(kElementNames[static_cast<std::size_t>(number)]);
}

std::vector<std::string> OnnxModel::custom_domains() const {
  const std::set<OnnxOperator> defined(functions.begin(), functions.end());
  std::set<std::string> domains;
  for (const auto& [kind, count] : operators) {
    const bool standard = std::ranges::find(kStandardDomains, kind.domain) != kStandardDomains.end();
    if (!standard && !defined.contains(kind)) domains.insert(kind.domain);
  }
  return {domains.begin(), domains.end()};
}

Result<OnnxModel> read_onnx(const Source& source) { return ModelReader().read(source); }

}  // namespace holdfast::formats
