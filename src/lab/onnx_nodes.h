#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "formats/protobuf.h"

// The nodes and constants of an ONNX graph as its wire format has them, before anything is understood.
// Internal to this module.

namespace holdfast::lab {

struct OnnxAttribute {
  std::int64_t integer = 0;
  float real = 0;
  std::optional<formats::WireField> tensor;
};

struct OnnxNode {
  std::string operation;
  std::string domain;
  std::vector<std::string> inputs;  // "" for one that is left out
  std::vector<std::string> outputs;
  std::map<std::string, OnnxAttribute> attributes;

  [[nodiscard]] std::int64_t integer(const std::string& name, std::int64_t otherwise) const;
  [[nodiscard]] float real(const std::string& name, float otherwise) const;
};

// A tensor of float32 with its data in the model.
struct OnnxConstant {
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

class OnnxGraph {
 public:
  static constexpr std::size_t kMaxNodes = 8192;
  static constexpr std::size_t kMaxOperands = 64;  // inputs or outputs or attributes of one node
  static constexpr std::size_t kMaxTensors = 1UL << 16;
  static constexpr std::size_t kMaxNameBytes = 1024;
  static constexpr std::size_t kMaxRank = 8;

  // Of the model that fills `source`, which outlives the graph. kUnsupported for a model in more than one
  // piece.
  static base::Result<OnnxGraph> read(const formats::Source& source);

  [[nodiscard]] const std::vector<OnnxNode>& nodes() const { return nodes_; }
  // By name. A TensorProto.
  [[nodiscard]] const std::map<std::string, formats::WireField>& initializers() const {
    return initializers_;
  }
  // kUnsupported for another type of element or data outside the model, naming the tensor; kLimitExceeded
  // for more than `max_values`.
  base::Result<OnnxConstant> constant(const formats::WireField& tensor, const std::string& name,
                                      std::size_t max_values);

 private:
  explicit OnnxGraph(std::unique_ptr<formats::WireBuffer> buffer)
      : buffer_(std::move(buffer)), whole_(*buffer_) {}
  base::Result<> read_graph(formats::WireReader graph);
  base::Result<OnnxNode> read_node(formats::WireReader reader) const;
  base::Result<> read_initializer(const formats::WireReader& graph, const formats::WireField& field);

  std::unique_ptr<formats::WireBuffer> buffer_;
  formats::WireReader whole_;
  std::vector<OnnxNode> nodes_;
  std::map<std::string, formats::WireField> initializers_;
};

}  // namespace holdfast::lab
