#include "lab/feed_forward.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "formats/onnx.h"
#include "lab/onnx_nodes.h"

namespace holdfast::lab {

using base::ErrorCode;
using base::fail;
using base::Result;

namespace {

constexpr std::int64_t kOldestOpset = 7;
constexpr std::int64_t kNewestOpset = 21;

tl::unexpected<base::Error> unsupported(std::string message) {
  return fail(ErrorCode::kUnsupported, std::move(message));
}

Result<> check_opset(const formats::OnnxModel& model) {
  for (const auto& opset : model.opsets) {
    if (!opset.domain.empty() && opset.domain != "ai.onnx") continue;
    if (opset.version >= kOldestOpset && opset.version <= kNewestOpset) return {};
    return unsupported(fmt::format("the model is of ONNX opset {}; {} to {} are understood", opset.version,
                                   kOldestOpset, kNewestOpset));
  }
  return fail(ErrorCode::kDataCorrupt, "the model names no ONNX opset");
}

Result<std::string> choose_output(const formats::OnnxModel& model) {
  for (const auto& output : model.outputs) {
    if (output.name == "probabilities") return output.name;
  }
  if (model.outputs.size() == 1) return model.outputs.front().name;
  return unsupported(
      fmt::format("the model has {} outputs, and none is named \"probabilities\"", model.outputs.size()));
}

// Reads node after node and keeps what each name stands for.
class Importer {
 public:
  explicit Importer(OnnxGraph graph) : graph_(std::move(graph)), constants_(graph_.initializers()) {}

  Result<FeedForward> import(const formats::OnnxModel& model) {
    HF_CHECK(check_opset(model));
    HF_TRY(const std::string output, choose_output(model));
    HF_CHECK(take_input(model));
    HF_TRY(const std::vector<bool> needed, mark_needed(output));
    for (std::size_t i = 0; i < needed.size(); ++i) {
      if (!needed[i]) continue;
      const OnnxNode& node = graph_.nodes()[i];
      if (auto taken = take(node); !taken) {
        return fail(std::move(taken).error().within(fmt::format("the operator {}", label(node))));
      }
    }
    const auto found = values_.find(output);
    if (found == values_.end() || found->second != result_.steps.size() || result_.steps.empty()) {
      return unsupported(fmt::format("the output \"{}\" does not follow from the input", output));
    }
    return std::move(result_);
  }

 private:
  static std::string label(const OnnxNode& node) {
    return node.domain.empty() ? node.operation : fmt::format("{}.{}", node.domain, node.operation);
  }

  Result<> take_input(const formats::OnnxModel& model) {
    const formats::OnnxValue* input = nullptr;
    for (const auto& value : model.inputs) {
      if (constants_.contains(value.name)) continue;
      if (input != nullptr) return unsupported("the model has more than one input");
      input = &value;
    }
    if (input == nullptr) return unsupported("the model has no input");
    if (input->element != formats::OnnxElement::kFloat || !input->shape || input->shape->size() != 2) {
      return unsupported(fmt::format("the input \"{}\" is no table of float", input->name));
    }
    const std::int64_t columns = input->shape->back().size.value_or(0);
    if (columns < 1 || static_cast<std::uint64_t>(columns) > FeedForward::kMaxWidth) {
      return unsupported(fmt::format("the input \"{}\" has no fixed number of columns from 1 to {}",
                                     input->name, FeedForward::kMaxWidth));
    }
    result_.columns = static_cast<std::size_t>(columns);
    values_.emplace(input->name, 0);
    return {};
  }

  // Backwards from the output, since a node's operands stand before it.
  Result<std::vector<bool>> mark_needed(const std::string& output) const {
    std::set<std::string> wanted{output};
    std::vector<bool> needed(graph_.nodes().size());
    for (std::size_t i = needed.size(); i-- > 0;) {
      const OnnxNode& node = graph_.nodes()[i];
      needed[i] = std::any_of(node.outputs.begin(), node.outputs.end(), [&](const std::string& name) {
        return !name.empty() && wanted.contains(name);
      });
      if (needed[i]) wanted.insert(node.inputs.begin(), node.inputs.end());
    }
    if (std::count(needed.begin(), needed.end(), true) >
        static_cast<std::ptrdiff_t>(FeedForward::kMaxSteps)) {
      return fail(ErrorCode::kLimitExceeded,
                  fmt::format("the model has more than {} operators", FeedForward::kMaxSteps));
    }
    return needed;
  }

  Result<> take(const OnnxNode& node) {
    if (!node.domain.empty() && node.domain != "ai.onnx") return unsupported("it has no gradient here");
    if (node.outputs.empty() || node.outputs.front().empty()) {
      return fail(ErrorCode::kDataCorrupt, "it has no output");
    }
    if (values_.contains(node.outputs.front()) || constants_.contains(node.outputs.front())) {
      return fail(ErrorCode::kDataCorrupt,
                  fmt::format("its output \"{}\" exists before it", node.outputs.front()));
    }
    const std::string& operation = node.operation;
    if (operation == "Constant") return take_constant(node);
    if (operation == "Gemm" || operation == "MatMul") return take_dense(node);
    if (operation == "Add") return take_pair(node, Operation::kAdd);
    if (operation == "Sub") return take_pair(node, Operation::kSub);
    if (operation == "Mul") return take_pair(node, Operation::kMul);
    if (operation == "Div") return take_pair(node, Operation::kDiv);
    if (operation == "Relu") return take_plain(node, Operation::kRelu);
    if (operation == "Sigmoid") return take_plain(node, Operation::kSigmoid);
    if (operation == "Tanh") return take_plain(node, Operation::kTanh);
    if (operation == "Softmax") return take_along_rows(node, Operation::kSoftmax);
    if (operation == "Flatten") return take_along_rows(node, Operation::kIdentity);
    if (operation == "Identity" || operation == "Dropout") return take_identity(node);
    if (operation == "Concat") return take_concat(node);
    if (operation == "Cast") return take_cast(node);
    return unsupported("it has no gradient here");
  }

  Result<> take_constant(const OnnxNode& node) {
    const auto found = node.attributes.find("value");
    if (found == node.attributes.end() || !found->second.tensor) return unsupported("it gives no tensor");
    constants_.emplace(node.outputs.front(), *found->second.tensor);
    return {};
  }

  Result<> take_identity(const OnnxNode& node) {
    if (node.inputs.size() > 2 && !node.inputs[2].empty()) return unsupported("it may be in training mode");
    if (!node.inputs.empty()) {
      const auto constant = constants_.find(node.inputs.front());
      if (constant != constants_.end()) {
        constants_.emplace(node.outputs.front(), constant->second);
        return {};
      }
    }
    return take_plain(node, Operation::kIdentity);
  }

  Result<> take_cast(const OnnxNode& node) {
    const auto to = static_cast<formats::OnnxElement>(node.integer("to", 0) & 0xFF);
    if (to == formats::OnnxElement::kFloat) return take_plain(node, Operation::kIdentity);
    return unsupported(fmt::format("it casts to {}", formats::to_string(to)));
  }

  Result<> take_concat(const OnnxNode& node) {
    const std::int64_t axis = node.integer("axis", 0);
    if (axis != 1 && axis != -1) return unsupported(fmt::format("its axis is {}, not 1", axis));
    Step step{.operation = Operation::kConcat};
    for (std::size_t i = 0; i < std::max<std::size_t>(node.inputs.size(), 1); ++i) {
      HF_TRY(const std::size_t part, value(node, i));
      step.parts.push_back(part);
      step.width += width(part);
    }
    step.input = step.parts.front();
    if (step.width > FeedForward::kMaxWidth) return unsupported("its output is too wide");
    return keep(node, std::move(step));
  }

  Result<> take_plain(const OnnxNode& node, Operation operation) {
    HF_TRY(const std::size_t input, value(node, 0));
    return keep(node, {.operation = operation, .input = input, .width = width(input)});
  }

  Result<> take_along_rows(const OnnxNode& node, Operation operation) {
    const std::int64_t axis = node.integer("axis", 1);
    if (axis != 1 && axis != -1) return unsupported(fmt::format("its axis is {}, not 1", axis));
    return take_plain(node, operation);
  }

  Result<> take_dense(const OnnxNode& node) {
    HF_TRY(const std::size_t input, value(node, 0));
    HF_TRY(Tensor weights, constant(node, 1));
    const bool gemm = node.operation == "Gemm";
    if (gemm && node.integer("transA", 0) != 0) return unsupported("it transposes its input");
    if (gemm && node.integer("transB", 0) != 0) weights = transposed(weights);
    if (weights.rows != width(input)) {
      return fail(ErrorCode::kDataCorrupt, fmt::format("its weights take {} columns, and its input has {}",
                                                       weights.rows, width(input)));
    }
    const float alpha = gemm ? node.real("alpha", 1.0F) : 1.0F;
    for (float& weight : weights.values) weight *= alpha;
    Tensor bias{.rows = 1, .columns = weights.columns, .values = std::vector<float>(weights.columns)};
    if (gemm && node.inputs.size() > 2 && !node.inputs[2].empty()) {
      HF_TRY(const Tensor given, row_constant(node, 2, weights.columns));
      for (std::size_t i = 0; i < bias.columns; ++i) {
        bias.values[i] = node.real("beta", 1.0F) * given.values[given.columns == 1 ? 0 : i];
      }
    }
    const auto finite = [](float factor) { return std::isfinite(factor); };
    if (!std::ranges::all_of(weights.values, finite) || !std::ranges::all_of(bias.values, finite)) {
      return unsupported("its weights are not finite");
    }
    const std::size_t columns = weights.columns;
    return keep(node, {.operation = Operation::kGemm,
                       .input = input,
                       .weights = std::move(weights),
                       .bias = std::move(bias),
                       .width = columns});
  }

  Result<> take_pair(const OnnxNode& node, Operation operation) {
    if (node.inputs.size() != 2) return fail(ErrorCode::kDataCorrupt, "it has not two operands");
    Step step{.operation = operation};
    step.swapped = !values_.contains(node.inputs[0]);
    HF_TRY(step.input, value(node, step.swapped ? 1 : 0));
    step.width = width(step.input);
    const std::size_t second = step.swapped ? 0 : 1;
    if (values_.contains(node.inputs[second])) {
      HF_TRY(step.other, value(node, second));
      if (width(*step.other) != step.width) return unsupported("its operands differ in width");
    } else {
      HF_TRY(step.constant, row_constant(node, second, step.width));
    }
    return keep(node, std::move(step));
  }

  Result<std::size_t> value(const OnnxNode& node, std::size_t index) const {
    if (index >= node.inputs.size()) return fail(ErrorCode::kDataCorrupt, "an operand is missing");
    const auto found = values_.find(node.inputs[index]);
    if (found != values_.end()) return found->second;
    return unsupported(fmt::format("its operand \"{}\" does not follow from the input", node.inputs[index]));
  }

  Result<Tensor> constant(const OnnxNode& node, std::size_t index) {
    if (index >= node.inputs.size()) return fail(ErrorCode::kDataCorrupt, "an operand is missing");
    const std::string& name = node.inputs[index];
    const auto found = constants_.find(name);
    if (found == constants_.end()) return unsupported(fmt::format("its operand \"{}\" is no constant", name));
    HF_TRY(OnnxConstant read,
           graph_.constant(found->second, name, FeedForward::kMaxParameters - parameters_));
    parameters_ += read.values.size();
    const auto& shape = read.shape;
    if (shape.size() > 2)
      return unsupported(fmt::format("its operand \"{}\" has more than 2 dimensions", name));
    Tensor tensor{.rows = 1, .columns = 1, .values = std::move(read.values)};
    if (!shape.empty()) tensor.columns = static_cast<std::size_t>(shape.back());
    if (shape.size() == 2) tensor.rows = static_cast<std::size_t>(shape.front());
    if (tensor.columns > FeedForward::kMaxWidth) return unsupported("its output is too wide");
    return tensor;
  }

  Result<Tensor> row_constant(const OnnxNode& node, std::size_t index, std::size_t columns) {
    HF_TRY(Tensor tensor, constant(node, index));
    if (tensor.rows == 1 && (tensor.columns == 1 || tensor.columns == columns)) return tensor;
    return unsupported(
        fmt::format("its operand \"{}\" does not fit {} columns", node.inputs[index], columns));
  }

  static Tensor transposed(const Tensor& tensor) {
    Tensor result{
        .rows = tensor.columns, .columns = tensor.rows, .values = std::vector<float>(tensor.values.size())};
    for (std::size_t i = 0; i < tensor.rows; ++i) {
      for (std::size_t j = 0; j < tensor.columns; ++j) {
        result.values[j * result.columns + i] = tensor.values[i * tensor.columns + j];
      }
    }
    return result;
  }

  [[nodiscard]] std::size_t width(std::size_t index) const {
    return index == 0 ? result_.columns : result_.steps[index - 1].width;
  }

  Result<> keep(const OnnxNode& node, Step step) {
    result_.steps.push_back(std::move(step));
    values_.emplace(node.outputs.front(), result_.steps.size());
    return {};
  }

  OnnxGraph graph_;
  std::map<std::string, formats::WireField> constants_;
  std::map<std::string, std::size_t> values_;
  std::size_t parameters_ = 0;
  FeedForward result_;
};

}  // namespace

Result<FeedForward> read_feed_forward(const formats::Source& source) {
  HF_TRY(const auto model, formats::read_onnx(source));
  HF_TRY(auto graph, OnnxGraph::read(source));
  return Importer(std::move(graph)).import(model);
}

}  // namespace holdfast::lab
