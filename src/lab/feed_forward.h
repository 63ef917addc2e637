#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "formats/source.h"

// Feed-forward classifiers as ONNX graphs: the part of ONNX that has gradients in the lab, read from and
// written to its wire format without a library (onnx/onnx.proto; the operators as of opset 7 to 21).

namespace holdfast::lab {

enum class Operation { kGemm, kAdd, kSub, kMul, kDiv, kRelu, kSigmoid, kTanh, kSoftmax, kConcat, kIdentity };

// Row-major. A vector has one row.
struct Tensor {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<float> values;
};

// One operation on values [n, width]. Value 0 is the graph's input, value i + 1 what step i gives.
struct Step {
  Operation operation = Operation::kIdentity;
  std::size_t input = 0;
  // Gemm, of which MatMul is a case: input * weights + bias, alpha and beta multiplied in already.
  Tensor weights;  // [width of the input, width of the output]
  Tensor bias;     // [1, width of the output], zeros where there is none
  // Add, Sub, Mul, Div: the other operand, either a value or a constant of one row.
  std::optional<std::size_t> other;
  Tensor constant;
  bool swapped = false;  // `input` is the second operand
  // Concat: the values side by side, `input` the first of them.
  std::vector<std::size_t> parts;
  std::size_t width = 0;  // of the output
};

// A checked graph: every index names an earlier value, every shape fits, every constant is finite.
struct FeedForward {
  static constexpr std::size_t kMaxSteps = 4096;
  static constexpr std::size_t kMaxParameters = 1UL << 26;
  static constexpr std::size_t kMaxWidth = 1UL << 16;

  std::size_t columns = 0;  // of the input
  std::vector<Step> steps;  // only those that the output needs; at least one
  [[nodiscard]] std::size_t width() const { return steps.back().width; }
};

// The graph behind the output "probabilities", or behind the only output. What other outputs need is
// overlooked. Gemm, MatMul, Add, Sub, Mul, Div, Relu, Sigmoid, Tanh, Softmax, Concat, Identity, Dropout (as
// at inference), Cast to float, Flatten and Constant are understood. kUnsupported names the operator, or what
// else is not; kDataCorrupt, kLimitExceeded.
base::Result<FeedForward> read_feed_forward(const formats::Source& source);

struct DenseLayer {
  std::size_t inputs = 0;
  std::size_t outputs = 0;
  std::vector<float> weights;  // outputs * inputs, row by row, as Gemm with transB takes them
  std::vector<float> bias;     // outputs
};

// (x - mean) / scale, then layers with ReLU between them, then softmax.
struct MlpClassifier {
  std::vector<float> mean;
  std::vector<float> scale;  // not zero
  std::vector<DenseLayer> layers;
};

// ONNX IR 7, opset 13; input "input" float32 [batch, columns], output "probabilities" [batch, classes]. The
// same bytes for the same classifier. Shapes fit, asserted.
base::Bytes write_onnx(const MlpClassifier& classifier);

}  // namespace holdfast::lab
