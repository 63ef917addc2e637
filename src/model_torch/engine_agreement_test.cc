// What LibTorch computes here and what ONNX Runtime computes in the engine, on the same graphs and rows.

#include <gmock/gmock-matchers.h>

#include <chrono>
#include <cmath>

#include "formats/source.h"
#include "lab/feed_forward.h"
#include "lab/lab.h"
#include "lab/onnx_test_builder.h"
#include "model/engine.h"
#include "stats/philox.h"

namespace holdfast::model_torch {
namespace {

using base::Bytes;
using lab::Lab;
using lab::MatrixView;
using namespace lab::onnx_builder;

worker::Deadline patience() { return worker::deadline_in(std::chrono::seconds(200)); }

class EngineAgreement : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!model::find_engine())
      GTEST_SKIP() << "holdfast-engine was not built, since ONNX Runtime was not found";
  }
};

std::vector<float> random_rows(std::size_t count, double scale) {
  stats::PhiloxStream random(29, 0);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(scale * random.normal());
  return values;
}

std::vector<double> engine_outputs(const Bytes& onnx, const MatrixView& rows) {
  auto sealed = model::SealedModel::copy(formats::MemorySource(onnx));
  auto engine = model::Engine::start(*sealed);
  if (!engine) {
    ADD_FAILURE() << engine.error().message;
    return {};
  }
  const std::vector<std::int64_t> shape{static_cast<std::int64_t>(rows.rows),
                                        static_cast<std::int64_t>(rows.columns)};
  const std::vector<model::Tensor> inputs{
      model::make_tensor(engine->signature().inputs.at(0).name, shape, rows.values)};
  const auto outputs = engine->predict(inputs, patience());
  if (!outputs) {
    ADD_FAILURE() << outputs.error().message;
    return {};
  }
  return model::numbers(outputs->at(0)).value();
}

void expect_agreement(Lab& lab, const Bytes& onnx, const MatrixView& rows, const char* what) {
  const auto ours = lab.outputs(onnx, rows, patience());
  ASSERT_TRUE(ours) << what << ": " << ours.error().message;
  const auto theirs = engine_outputs(onnx, rows);
  ASSERT_EQ(ours->values.size(), theirs.size()) << what;
  for (std::size_t i = 0; i < theirs.size(); ++i) {
    EXPECT_NEAR(static_cast<double>(ours->values[i]), theirs[i], 1e-6 + 1e-5 * std::abs(theirs[i]))
        << what << " at " << i;
  }
}

struct Graph {
  const char* what;
  Bytes onnx;
};

std::vector<Graph> graphs() {
  const Bytes matrix = initializer("w", {2, 2}, {1, 2, 3, -4});
  const Bytes row = initializer("c", {2}, {2, -4});
  const Bytes first = attribute("axis", number(3, 1));
  return {
      {"Add", onnx_model({row, node("Add", {"x", "c"}, "y")})},
      {"Sub", onnx_model({row, node("Sub", {"c", "x"}, "y")})},
      {"Mul", onnx_model({row, node("Mul", {"x", "c"}, "y")})},
      {"Div", onnx_model({row, node("Div", {"x", "c"}, "y")})},
      {"Div by the input", onnx_model({row, node("Div", {"c", "x"}, "y")})},
      {"Mul with itself", onnx_model({node("Mul", {"x", "x"}, "y")})},
      {"a scalar", onnx_model({initializer("c", {}, {5}), node("Sub", {"x", "c"}, "y")})},
      {"Relu", onnx_model({node("Relu", {"x"}, "y")})},
      {"Sigmoid", onnx_model({node("Sigmoid", {"x"}, "y")})},
      {"Tanh", onnx_model({node("Tanh", {"x"}, "y")})},
      {"Softmax", onnx_model({node("Softmax", {"x"}, "y", {attribute("axis", minus_one(3))})})},
      {"Softmax of opset 12", onnx_model({node("Softmax", {"x"}, "y")}, 12)},
      {"Flatten", onnx_model({node("Flatten", {"x"}, "y")})},
      {"Dropout", onnx_model({node("Dropout", {"x"}, "y")})},
      {"Cast", onnx_model({node("Cast", {"x"}, "y", {attribute("to", number(3, 1))})})},
      {"MatMul", onnx_model({matrix, node("MatMul", {"x", "w"}, "y")})},
      {"Gemm", onnx_model({matrix, row,
                           node("Gemm", {"x", "w", "c"}, "y",
                                {attribute("alpha", real(2, 2)), attribute("beta", real(2, 0.5F)),
                                 attribute("transB", number(3, 1))})})},
      {"Concat", onnx_model({matrix, initializer("one", {1}, {1}), initializer("v", {2, 1}, {1, -1}),
                             node("MatMul", {"x", "v"}, "z"), node("Sigmoid", {"z"}, "p"),
                             node("Sub", {"one", "p"}, "q"), node("Concat", {"q", "p"}, "y", {first})})},
  };
}

TEST_F(EngineAgreement, OnEachOperator) {
  auto lab = Lab::start({});
  ASSERT_TRUE(lab) << lab.error().message;
  const auto values = random_rows(60, 3);
  for (const auto& [what, onnx] : graphs()) {
    expect_agreement(*lab, onnx, {.rows = 30, .columns = 2, .values = values}, what);
  }
}

struct Table {
  std::vector<float> values;  // 5 columns
  std::vector<std::int32_t> labels;
  [[nodiscard]] MatrixView matrix() const { return {labels.size(), 5, values}; }
};

Table table_of(std::size_t rows) {
  Table table{.values = random_rows(rows * 5, 1e4)};
  for (std::size_t i = 0; i < rows; ++i) {
    table.labels.push_back(table.values[5 * i] > table.values[5 * i + 1] ? 1 : 0);
  }
  return table;
}

TEST_F(EngineAgreement, OnWhatIsTrainedAndOnWhatFoolsIt) {
  auto lab = Lab::start({});
  ASSERT_TRUE(lab) << lab.error().message;
  const Table table = table_of(2000);
  const auto trained = lab->train({.features = table.matrix(), .labels = table.labels}, {},
                                  {.batch_size = 64, .epochs = 5}, patience());
  ASSERT_TRUE(trained) << trained.error().message;
  expect_agreement(*lab, trained->onnx, table.matrix(), "what was trained");

  lab::AttackSpec spec{.columns = {{.can_change = true, .max_change = 4e3, .integer = true}}};
  spec.columns.resize(5);
  const auto attacked = lab->attack(trained->onnx, table.matrix(), table.labels, spec, patience());
  ASSERT_TRUE(attacked) << attacked.error().message;
  ASSERT_GT(attacked->count(lab::RowOutcome::kFooled), 100U);
  const auto answers = engine_outputs(trained->onnx, {table.labels.size(), 5, attacked->rows});
  std::size_t confirmed = 0;
  for (std::size_t i = 0; i < table.labels.size(); ++i) {
    const bool right = answers[2 * i + static_cast<std::size_t>(table.labels[i])] > 0.5;
    confirmed += right == (attacked->outcomes[i] == lab::RowOutcome::kHeld) ? 1U : 0U;
  }
  EXPECT_GE(confirmed, table.labels.size() - 2);  // a row on the very border may fall to either side
}

}  // namespace
}  // namespace holdfast::model_torch
