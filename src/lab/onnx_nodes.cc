#include "lab/onnx_nodes.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>

#include "formats/onnx.h"

namespace holdfast::lab {

using base::ErrorCode;
using base::fail;
using base::Result;
using formats::WireField;
using formats::WireReader;
using formats::WireType;

namespace {

// Field numbers of onnx/onnx.proto.
namespace model_field {
constexpr std::uint32_t kGraph = 7;
}
namespace graph_field {
constexpr std::uint32_t kNode = 1;
constexpr std::uint32_t kInitializer = 5;
}  // namespace graph_field
namespace node_field {
constexpr std::uint32_t kInput = 1;
constexpr std::uint32_t kOutput = 2;
constexpr std::uint32_t kOperation = 4;
constexpr std::uint32_t kAttribute = 5;
constexpr std::uint32_t kDomain = 7;
}  // namespace node_field
namespace attribute_field {
constexpr std::uint32_t kName = 1;
constexpr std::uint32_t kReal = 2;
constexpr std::uint32_t kInteger = 3;
constexpr std::uint32_t kTensor = 5;
}  // namespace attribute_field
namespace tensor_field {
constexpr std::uint32_t kDimensions = 1;
constexpr std::uint32_t kElement = 2;
constexpr std::uint32_t kReals = 4;
constexpr std::uint32_t kName = 8;
constexpr std::uint32_t kRaw = 9;
constexpr std::uint32_t kExternal = 13;
constexpr std::uint32_t kLocation = 14;
}  // namespace tensor_field

tl::unexpected<base::Error> too_many(std::string_view what, std::size_t limit) {
  return fail(ErrorCode::kLimitExceeded, fmt::format("the ONNX graph has more than {} {}", limit, what));
}

Result<std::pair<std::string, OnnxAttribute>> read_attribute(WireReader reader) {
  std::pair<std::string, OnnxAttribute> read;
  while (true) {
    HF_TRY(const auto field, reader.next());
    if (!field) return read;
    switch (field->number) {
      case attribute_field::kName: {
        HF_TRY(read.first, reader.text(*field, OnnxGraph::kMaxNameBytes));
        break;
      }
      case attribute_field::kReal:
        read.second.real = std::bit_cast<float>(static_cast<std::uint32_t>(field->value));
        break;
      case attribute_field::kInteger:
        read.second.integer = static_cast<std::int64_t>(field->value);
        break;
      case attribute_field::kTensor:
        read.second.tensor = *field;
        break;
      default:
        break;
    }
  }
}

Result<> append_name(std::vector<std::string>& names, const WireReader& reader, const WireField& field) {
  if (names.size() >= OnnxGraph::kMaxOperands) return too_many("operands of one node", names.size());
  HF_TRY(std::string name, reader.text(field, OnnxGraph::kMaxNameBytes));
  names.push_back(std::move(name));
  return {};
}

Result<> append_dimension(std::vector<std::int64_t>& shape, std::uint64_t value) {
  if (shape.size() >= OnnxGraph::kMaxRank) return too_many("dimensions of one tensor", shape.size());
  shape.push_back(static_cast<std::int64_t>(value));
  return {};
}

// The product of the dimensions, at most `limit`.
Result<std::size_t> count_values(const std::vector<std::int64_t>& shape, const std::string& name,
                                 std::size_t limit) {
  std::size_t count = 1;
  for (const std::int64_t size : shape) {
    if (size <= 0) {
      return fail(ErrorCode::kUnsupported, fmt::format("the constant \"{}\" is empty", name));
    }
    if (static_cast<std::uint64_t>(size) > limit / count) {
      return fail(ErrorCode::kLimitExceeded,
                  fmt::format("the constants up to \"{}\" hold too many values", name));
    }
    count *= static_cast<std::size_t>(size);
  }
  return count;
}

// What a TensorProto says, its values as little-endian float32.
struct RawTensor {
  std::vector<std::int64_t> shape;
  std::uint64_t element = 0;
  std::string values;
  bool external = false;
};

Result<> read_tensor_field(WireReader& reader, const WireField& field, std::size_t max_bytes,
                           RawTensor& tensor) {
  switch (field.number) {
    case tensor_field::kDimensions: {
      if (field.type != WireType::kBytes) return append_dimension(tensor.shape, field.value);
      HF_TRY(WireReader packed, reader.message(field));
      while (!packed.at_end()) {
        HF_TRY(const std::uint64_t value, packed.varint());
        HF_CHECK(append_dimension(tensor.shape, value));
      }
      return {};
    }
    case tensor_field::kElement:
      tensor.element = field.value;
      return {};
    case tensor_field::kReals:
    case tensor_field::kRaw: {
      if (field.number == tensor_field::kReals && field.type == WireType::kFixed32) {
        return fail(ErrorCode::kUnsupported, "a constant's values are not packed");
      }
      HF_TRY(tensor.values, reader.text(field, max_bytes));
      return {};
    }
    case tensor_field::kExternal:
      tensor.external = true;
      return {};
    case tensor_field::kLocation:
      tensor.external = tensor.external || field.value != 0;
      return {};
    default:
      return {};
  }
}

}  // namespace

std::int64_t OnnxNode::integer(const std::string& name, std::int64_t otherwise) const {
  const auto found = attributes.find(name);
  return found == attributes.end() ? otherwise : found->second.integer;
}

float OnnxNode::real(const std::string& name, float otherwise) const {
  const auto found = attributes.find(name);
  return found == attributes.end() ? otherwise : found->second.real;
}

Result<OnnxGraph> OnnxGraph::read(const formats::Source& source) {
  OnnxGraph graph(std::make_unique<formats::WireBuffer>(source));
  WireReader model = graph.whole_;
  bool found = false;
  while (true) {
    HF_TRY(const auto field, model.next());
    if (!field) break;
    if (field->number != model_field::kGraph) continue;
    if (std::exchange(found, true)) {
      return fail(ErrorCode::kUnsupported, "the ONNX model has its graph in more than one piece");
    }
    HF_TRY(const WireReader reader, model.message(*field));
    HF_CHECK(graph.read_graph(reader));
  }
  if (!found) return fail(ErrorCode::kDataCorrupt, "the ONNX model has no graph");
  return graph;
}

Result<> OnnxGraph::read_graph(WireReader graph) {
  while (true) {
    HF_TRY(const auto field, graph.next());
    if (!field) return {};
    if (field->number == graph_field::kNode) {
      if (nodes_.size() >= kMaxNodes) return too_many("nodes", kMaxNodes);
      HF_TRY(const WireReader reader, graph.message(*field));
      HF_TRY(OnnxNode node, read_node(reader));
      nodes_.push_back(std::move(node));
    } else if (field->number == graph_field::kInitializer) {
      HF_CHECK(read_initializer(graph, *field));
    }
  }
}

Result<OnnxNode> OnnxGraph::read_node(WireReader reader) const {
  OnnxNode node;
  while (true) {
    HF_TRY(const auto field, reader.next());
    if (!field) return node;
    switch (field->number) {
      case node_field::kInput:
        HF_CHECK(append_name(node.inputs, reader, *field));
        break;
      case node_field::kOutput:
        HF_CHECK(append_name(node.outputs, reader, *field));
        break;
      case node_field::kOperation: {
        HF_TRY(node.operation, reader.text(*field, kMaxNameBytes));
        break;
      }
      case node_field::kDomain: {
        HF_TRY(node.domain, reader.text(*field, kMaxNameBytes));
        break;
      }
      case node_field::kAttribute: {
        if (node.attributes.size() >= kMaxOperands) return too_many("attributes of one node", kMaxOperands);
        HF_TRY(const WireReader inner, reader.message(*field));
        HF_TRY(auto attribute, read_attribute(inner));
        node.attributes.insert(std::move(attribute));
        break;
      }
      default:
        break;
    }
  }
}

Result<> OnnxGraph::read_initializer(const WireReader& graph, const WireField& field) {
  if (initializers_.size() >= kMaxTensors) return too_many("initializers", kMaxTensors);
  HF_TRY(WireReader tensor, graph.message(field));
  std::string name;
  while (true) {
    HF_TRY(const auto part, tensor.next());
    if (!part) break;
    if (part->number != tensor_field::kName) continue;
    HF_TRY(name, tensor.text(*part, kMaxNameBytes));
  }
  if (!initializers_.emplace(name, field).second) {
    return fail(ErrorCode::kDataCorrupt, fmt::format("the ONNX graph has two initializers \"{}\"", name));
  }
  return {};
}

Result<OnnxConstant> OnnxGraph::constant(const WireField& tensor, const std::string& name,
                                         std::size_t max_values) {
  HF_TRY(WireReader reader, whole_.message(tensor));
  RawTensor raw;
  while (true) {
    HF_TRY(const auto field, reader.next());
    if (!field) break;
    HF_CHECK(read_tensor_field(reader, *field, max_values * sizeof(float), raw));
  }
  if (raw.external) {
    return fail(ErrorCode::kUnsupported, fmt::format("the constant \"{}\" lies outside of the model", name));
  }
  if (raw.element != static_cast<std::uint64_t>(formats::OnnxElement::kFloat)) {
    const auto element = static_cast<formats::OnnxElement>(raw.element & 0xFF);
    return fail(ErrorCode::kUnsupported,
                fmt::format("the constant \"{}\" is of {}, not of float", name, formats::to_string(element)));
  }
  HF_TRY(const std::size_t count, count_values(raw.shape, name, max_values));
  if (raw.values.size() != count * sizeof(float)) {
    return fail(ErrorCode::kDataCorrupt, fmt::format("the constant \"{}\" holds {} bytes for {} values", name,
                                                     raw.values.size(), count));
  }
  OnnxConstant constant{.shape = std::move(raw.shape), .values = std::vector<float>(count)};
  const auto bytes = base::as_bytes(raw.values);
  for (std::size_t i = 0; i < count; ++i) {
    constant.values[i] = std::bit_cast<float>(base::load_le<std::uint32_t>(bytes.subspan(i * 4)));
    if (!std::isfinite(constant.values[i])) {
      return fail(ErrorCode::kUnsupported, fmt::format("the constant \"{}\" is not finite", name));
    }
  }
  return constant;
}

}  // namespace holdfast::lab
