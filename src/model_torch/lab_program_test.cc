// The client of lab/ against the real program in its jail.

#include <gmock/gmock-matchers.h>

#include <chrono>
#include <cmath>

#include "formats/onnx.h"
#include "formats/source.h"
#include "lab/feasible.h"
#include "lab/feed_forward.h"
#include "lab/lab.h"
#include "lab/onnx_test_builder.h"
#include "lab/reference_forward.h"
#include "stats/philox.h"

namespace holdfast::model_torch {
namespace {

using base::ErrorCode;
using lab::AttackMethod;
using lab::AttackSpec;
using lab::HardenSpec;
using lab::Lab;
using lab::LabelledRows;
using lab::MatrixView;
using lab::RowOutcome;
using lab::TrainResult;
using lab::TrainSpec;
using ::testing::HasSubstr;

worker::Deadline patience() { return worker::deadline_in(std::chrono::seconds(200)); }

Lab start() {
  auto started = Lab::start({});
  EXPECT_TRUE(started.has_value()) << started.error().message;
  return std::move(started).value();
}

struct Data {
  std::size_t columns = 0;
  std::vector<float> values;
  std::vector<std::int32_t> labels;
  std::vector<float> weights = {};

  [[nodiscard]] MatrixView matrix() const { return {labels.size(), columns, values}; }
  [[nodiscard]] LabelledRows rows() const { return {matrix(), labels, weights}; }
  [[nodiscard]] std::vector<float> row(std::size_t index) const {
    const auto first = values.begin() + static_cast<std::ptrdiff_t>(index * columns);
    return {first, first + static_cast<std::ptrdiff_t>(columns)};
  }
};

// Two classes that a ring parts, in units far apart: column 0 around 1e5, column 1 around 0.
Data ring(std::size_t rows, std::uint64_t stream) {
  stats::PhiloxStream random(11, stream);
  Data data{.columns = 2};
  for (std::size_t i = 0; i < rows; ++i) {
    const double x = random.normal();
    const double y = random.normal();
    const bool inside = x * x + y * y < 1.2;
    data.values.push_back(static_cast<float>(1e5 + 2e4 * x));
    data.values.push_back(static_cast<float>(0.01 * y));
    data.labels.push_back(inside ? 1 : 0);
  }
  return data;
}

// One column decides and can't be reached; 30 decide a little each, and an attacker may move them: together
// they are a better guide than the first, until somebody moves them (after Tsipras et al. 2019).
Data weak_and_strong(std::size_t rows, std::uint64_t stream) {
  stats::PhiloxStream random(13, stream);
  Data data{.columns = 31};
  for (std::size_t i = 0; i < rows; ++i) {
    const bool positive = random.uniform() < 0.5;
    const double sign = positive ? 1 : -1;
    data.values.push_back(static_cast<float>(random.uniform() < 0.9 ? sign : -sign));
    for (int j = 0; j < 30; ++j) data.values.push_back(static_cast<float>(0.5 * sign + random.normal()));
    data.labels.push_back(positive ? 1 : 0);
  }
  return data;
}

AttackSpec weak_columns_move(double by) {
  AttackSpec spec{.columns = {{}}, .steps = 10};
  spec.columns.resize(31, {.can_change = true, .max_change = by});
  return spec;
}

double accuracy(const base::Bytes& onnx, const Data& data) {
  const auto graph = lab::read_feed_forward(formats::MemorySource(onnx)).value();
  std::size_t right = 0;
  for (std::size_t i = 0; i < data.labels.size(); ++i) {
    const auto answer = lab::forward(graph, data.row(i));
    const auto best = std::ranges::max_element(answer) - answer.begin();
    right += best == data.labels[i] ? 1U : 0U;
  }
  return static_cast<double>(right) / static_cast<double>(data.labels.size());
}

double robust_accuracy(const lab::AttackResult& result) {
  return static_cast<double>(result.count(RowOutcome::kHeld)) / static_cast<double>(result.outcomes.size());
}

TrainSpec quick() { return {.hidden = {32, 32}, .learning_rate = 5e-3, .batch_size = 64, .epochs = 30}; }

TrainResult trained(Lab& lab, const Data& training, const Data& validation, const TrainSpec& spec) {
  auto result = lab.train(training.rows(), validation.rows(), spec, patience());
  EXPECT_TRUE(result.has_value()) << result.error().message;
  return std::move(result).value();
}

TEST(LabProgram, LearnsARingFromRawColumns) {
  Lab lab = start();
  EXPECT_TRUE(lab.jail().namespaces);
  std::vector<lab::Progress> seen;
  const Data training = ring(3000, 1);
  const Data validation = ring(800, 2);
  const auto result = lab.train(training.rows(), validation.rows(), quick(), patience(),
                                [&](const lab::Progress& progress) { seen.push_back(progress); });
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_GT(accuracy(result->onnx, ring(1000, 3)), 0.95);
  ASSERT_EQ(seen.size(), result->epochs.size());
  EXPECT_EQ(seen.back().epoch, result->epochs.back());
  EXPECT_LT(result->epochs.back().training_loss, result->epochs.front().training_loss);
  EXPECT_GT(result->epochs[result->best_epoch - 1].validation_accuracy.value(), 0.95);
  for (const auto& epoch : result->epochs) {
    EXPECT_GE(*epoch.validation_loss, *result->epochs[result->best_epoch - 1].validation_loss);
  }
  EXPECT_EQ(result->jail, lab.jail());
}

TEST(LabProgram, GivesTheSameBytesForTheSameSeed) {
  const Data training = ring(500, 1);
  TrainSpec spec = quick();
  spec.epochs = 3;
  spec.dropout = 0.2;
  Lab first = start();
  Lab second = start();
  const auto once = trained(first, training, {}, spec).onnx;
  EXPECT_EQ(once, trained(first, training, {}, spec).onnx);
  EXPECT_EQ(once, trained(second, training, {}, spec).onnx);
  spec.seed = 2;
  EXPECT_NE(once, trained(first, training, {}, spec).onnx);
}

TEST(LabProgram, ComputesWithMoreThreads) {
  auto lab = Lab::start({.threads = 3});
  ASSERT_TRUE(lab) << lab.error().message;
  TrainSpec spec = quick();
  spec.hidden = {256, 256};
  spec.batch_size = 2000;
  spec.epochs = 20;
  const auto result = trained(*lab, ring(4000, 1), {}, spec);
  EXPECT_GT(accuracy(result.onnx, ring(500, 3)), 0.9);
}

TEST(LabProgram, WritesAModelThatOthersRead) {
  Lab lab = start();
  TrainSpec spec = quick();
  spec.epochs = 2;
  const auto result = trained(lab, ring(300, 1), {}, spec);
  const auto said = formats::read_onnx(formats::MemorySource(result.onnx));
  ASSERT_TRUE(said) << said.error().message;
  EXPECT_EQ(said->inputs.at(0).name, "input");
  EXPECT_EQ(said->outputs.at(0).name, "probabilities");
  EXPECT_EQ(said->outputs.at(0).shape->at(1).size, 2);
  EXPECT_EQ(result.best_epoch, 2U);
  EXPECT_FALSE(result.epochs.at(0).validation_loss);
}

TEST(LabProgram, ComputesWhatTheGraphSays) {
  Lab lab = start();
  const Data data = ring(200, 4);
  const auto result = trained(lab, ring(300, 1), {}, quick());
  const auto outputs = lab.outputs(result.onnx, data.matrix(), patience());
  ASSERT_TRUE(outputs) << outputs.error().message;
  ASSERT_EQ(outputs->columns, 2U);
  const auto graph = lab::read_feed_forward(formats::MemorySource(result.onnx)).value();
  for (std::size_t i = 0; i < data.labels.size(); ++i) {
    const auto expected = lab::forward(graph, data.row(i));
    EXPECT_NEAR(outputs->values[2 * i], expected[0], 1e-5F);
    EXPECT_NEAR(outputs->values[2 * i + 1], expected[1], 1e-5F);
  }
}

TEST(LabProgram, WeightsOfRowsAndClassesCount) {
  Lab lab = start();
  Data data{.columns = 1};  // the same row with both labels: what weighs more is predicted
  for (int i = 0; i < 400; ++i) {
    data.values.push_back(static_cast<float>(i % 4));
    data.labels.push_back(i % 8 < 4 ? 1 : 0);
  }
  TrainSpec spec{.hidden = {}, .learning_rate = 0.05, .batch_size = 32, .epochs = 20};
  const auto probability = [&](const TrainResult& result) {
    return lab.outputs(result.onnx, MatrixView{1, 1, std::span(data.values).first(1)}, patience())->values[1];
  };
  EXPECT_NEAR(probability(trained(lab, data, {}, spec)), 0.5F, 0.1F);
  spec.class_weights = {1, 9};
  EXPECT_NEAR(probability(trained(lab, data, {}, spec)), 0.9F, 0.05F);
  spec.class_weights = {};
  for (const auto label : data.labels) data.weights.push_back(label == 1 ? 1.0F : 9.0F);
  EXPECT_NEAR(probability(trained(lab, data, {}, spec)), 0.1F, 0.05F);
}

TEST(LabProgram, StopsEarlyWhereNothingIsLearned) {
  Lab lab = start();
  stats::PhiloxStream random(17, 0);
  Data training = ring(200, 1);
  Data validation = ring(200, 2);
  for (auto& label : training.labels) label = static_cast<std::int32_t>(random.next() % 2);
  for (auto& label : validation.labels) label = static_cast<std::int32_t>(random.next() % 2);
  TrainSpec spec = quick();
  spec.epochs = 200;
  spec.patience = 3;
  const auto result = trained(lab, training, validation, spec);
  EXPECT_LT(result.epochs.size(), 60U);
  EXPECT_EQ(result.epochs.size(), result.best_epoch + 3);
}

TEST(LabProgram, AStrongerStepFoolsMore) {
  Lab lab = start();
  const Data data = weak_and_strong(1000, 3);
  const auto model = trained(lab, weak_and_strong(2000, 1), weak_and_strong(500, 2), quick());
  std::size_t before = 0;
  for (const double strength : {0.0, 0.1, 0.3, 0.6}) {
    AttackSpec spec = weak_columns_move(1.0);
    spec.method = AttackMethod::kFgsm;
    spec.strength = strength;
    const auto result = lab.attack(model.onnx, data.matrix(), data.labels, spec, patience());
    ASSERT_TRUE(result) << result.error().message;
    const std::size_t fooled = result->count(RowOutcome::kFooled);
    EXPECT_TRUE(strength == 0.0 ? fooled == 0 : fooled > before) << strength;
    before = fooled;
  }
  EXPECT_GT(before, 500U);
}

TEST(LabProgram, ManyStepsFoolAtLeastAsMuchAsOne) {
  Lab lab = start();
  const Data data = ring(1000, 3);
  const auto model = trained(lab, ring(3000, 1), ring(500, 2), quick());
  AttackSpec spec{
      .columns = {{.can_change = true, .max_change = 8e3}, {.can_change = true, .max_change = 4e-3}}};
  const auto count = [&] {
    return lab.attack(model.onnx, data.matrix(), data.labels, spec, patience())->count(RowOutcome::kFooled);
  };
  const std::size_t many = count();
  spec.restarts = 4;
  const std::size_t more = count();
  spec.method = AttackMethod::kFgsm;
  EXPECT_GE(many + 5, count());
  EXPECT_GE(more, many);
  EXPECT_GT(many, 50U);
}

// The client checks every row, so that an answer at all says it; here by another hand.
TEST(LabProgram, AttacksStayWithinRandomConstraints) {
  Lab lab = start();
  const Data data = ring(200, 5);
  const auto model = trained(lab, ring(1000, 1), {}, quick());
  stats::PhiloxStream random(19, 0);
  for (int round = 0; round < 40; ++round) {
    AttackSpec spec{.strength = 2 * random.uniform(), .steps = 8, .restarts = 2, .seed = random.next()};
    for (const double unit : {2e4, 1e-2}) {
      spec.columns.push_back({.can_change = spec.columns.empty() || random.uniform() < 0.7,
                              .direction = lab::Direction{static_cast<int>(random.next() % 3)},
                              .max_change = unit * random.uniform(),
                              .integer = random.uniform() < 0.5,
                              .unit_cost = random.uniform() / unit});
    }
    if (random.uniform() < 0.5) spec.columns[0].upper = 1e5;
    if (random.uniform() < 0.5) spec.cost_budget = 0.5 * random.uniform();
    const auto result = lab.attack(model.onnx, data.matrix(), data.labels, spec, patience());
    ASSERT_TRUE(result) << result.error().message;
    for (std::size_t i = 0; i < result->rows.size(); ++i) {
      const auto& column = spec.columns[i % 2];
      const double from = static_cast<double>(data.values[i]);
      const double to = static_cast<double>(result->rows[i]);
      if (from == to) continue;
      EXPECT_TRUE(column.can_change);
      EXPECT_LE(std::abs(to - from), *column.max_change * spec.strength);
      EXPECT_TRUE(column.direction != lab::Direction::kRise || to > from);
      EXPECT_TRUE(column.direction != lab::Direction::kFall || to < from);
      EXPECT_TRUE(!column.integer || std::trunc(to) == to);
      EXPECT_TRUE(!column.upper || to <= std::max(from, *column.upper));
    }
  }
}

TEST(LabProgram, AFooledRowFoolsTheGraph) {
  Lab lab = start();
  const Data data = ring(300, 5);
  const auto model = trained(lab, ring(1000, 1), {}, quick());
  const AttackSpec spec{.columns = {{.can_change = true, .max_change = 8e3, .integer = true}, {}}};
  const auto result = lab.attack(model.onnx, data.matrix(), data.labels, spec, patience());
  ASSERT_TRUE(result) << result.error().message;
  const auto graph = lab::read_feed_forward(formats::MemorySource(model.onnx)).value();
  const Data changed{.columns = 2, .values = result->rows, .labels = data.labels};
  ASSERT_GT(result->count(RowOutcome::kFooled), 10U);
  for (std::size_t i = 0; i < data.labels.size(); ++i) {
    const auto answer = lab::forward(graph, changed.row(i));
    const bool right = answer[static_cast<std::size_t>(data.labels[i])] > 0.5F;
    if (std::abs(answer[0] - 0.5F) < 1e-4F) continue;  // rounding decides
    EXPECT_EQ(right, result->outcomes[i] == RowOutcome::kHeld) << i;
  }
}

TEST(LabProgram, HardeningHolds) {
  Lab lab = start();
  const Data training = weak_and_strong(3000, 1);
  const Data validation = weak_and_strong(800, 2);
  const Data held_out = weak_and_strong(1500, 3);
  const AttackSpec attack = weak_columns_move(0.6);
  TrainSpec spec = quick();
  spec.epochs = 12;
  const auto plain = trained(lab, training, validation, spec);
  const auto hardened =
      lab.harden(training.rows(), validation.rows(),
                 HardenSpec{.training = spec, .attack = attack, .adversarial_share = 1}, patience());
  ASSERT_TRUE(hardened) << hardened.error().message;
  const auto against = [&](const base::Bytes& onnx) {
    return robust_accuracy(lab.attack(onnx, held_out.matrix(), held_out.labels, attack, patience()).value());
  };
  EXPECT_GT(accuracy(plain.onnx, held_out), 0.95);
  const double before = against(plain.onnx);
  const double after = against(hardened->onnx);
  EXPECT_GT(after, before + 0.2) << before << " before, " << after << " after";
  EXPECT_GT(after, 0.8);
}

TEST(LabProgram, WarnsWhereThereIsNoGradient) {
  Lab lab = start();
  const Data data = ring(100, 5);
  lab::MlpClassifier dead{.mean = {0, 0},
                          .scale = {1, 1},
                          .layers = {{.inputs = 2, .outputs = 1, .weights = {1, 1}, .bias = {-1e9F}},
                                     {.inputs = 1, .outputs = 2, .weights = {1, -1}, .bias = {1, 0}}}};
  const AttackSpec spec{.columns = {{.can_change = true, .max_change = 8e3}, {}}};
  const auto result = lab.attack(lab::write_onnx(dead), data.matrix(), data.labels, spec, patience());
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->zero_gradient_share, 1);
  ASSERT_EQ(result->warnings.size(), 1U);
  EXPECT_THAT(result->warnings[0], HasSubstr("zero at 100.0% of the attacked rows"));
  EXPECT_EQ(result->count(RowOutcome::kFooled), 0U);
}

// As skl2onnx writes a network for two classes: the gradient comes from before the Sigmoid, which is flat
// here.
TEST(LabProgram, AttacksWhatIsWrittenByOthers) {
  using namespace lab::onnx_builder;
  Lab lab = start();
  const base::Bytes onnx = onnx_model({initializer("w", {2, 1}, {50, 0}), initializer("one", {1}, {1}),
                                       node("MatMul", {"x", "w"}, "z"), node("Sigmoid", {"z"}, "p"),
                                       node("Sub", {"one", "p"}, "q"),
                                       node("Concat", {"q", "p"}, "y", {attribute("axis", number(3, 1))})});
  const std::vector<float> values{4, 0, -4, 0};
  const std::vector<std::int32_t> labels{1, 0};
  const AttackSpec spec{.columns = {{.can_change = true, .max_change = 5.0}, {}}};
  const auto result = lab.attack(onnx, {.rows = 2, .columns = 2, .values = values}, labels, spec, patience());
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->zero_gradient_share, 0);
  EXPECT_EQ(result->count(RowOutcome::kFooled), 2U);
}

TEST(LabProgram, RefusesByNameAndGoesOn) {
  Lab lab = start();
  const Data data = ring(50, 5);
  TrainSpec bad = quick();
  bad.learning_rate = -1;
  EXPECT_THAT(lab.train(data.rows(), {}, bad, patience()).error().message, HasSubstr("learning_rate is -1"));
  TrainSpec wild = quick();
  wild.learning_rate = 1e30;
  EXPECT_THAT(lab.train(data.rows(), {}, wild, patience()).error().message, HasSubstr("loss is not finite"));
  const auto garbage = lab.outputs(base::as_bytes("no model"), data.matrix(), patience());
  EXPECT_FALSE(garbage.has_value());
  const auto good = trained(lab, data, {}, quick());
  const Data wide = weak_and_strong(5, 1);
  EXPECT_THAT(lab.outputs(good.onnx, wide.matrix(), patience()).error().message,
              HasSubstr("the model takes 2 columns, and the rows have 31"));
  const std::vector<std::int32_t> strangers(50, 7);
  const AttackSpec spec{.columns = {{.can_change = true, .max_change = 1.0}, {}}};
  EXPECT_THAT(lab.attack(good.onnx, data.matrix(), strangers, spec, patience()).error().message,
              HasSubstr("label 7"));
  EXPECT_TRUE(lab.attack(good.onnx, data.matrix(), data.labels, spec, patience()));
}

TEST(LabProgram, IsGoneAfterItsDeadline) {
  Lab lab = start();
  TrainSpec endless = quick();
  endless.epochs = 10'000;
  endless.patience = 0;
  const Data data = ring(5000, 1);
  const auto late = lab.train(data.rows(), {}, endless, worker::deadline_in(std::chrono::milliseconds(500)));
  EXPECT_EQ(late.error().code, ErrorCode::kDeadline);
  EXPECT_EQ(lab.outputs({}, data.matrix(), patience()).error().code, ErrorCode::kUnavailable);
}

// About what the credit example trains on; an idle machine takes one second.
TEST(LabProgram, TrainsATableOfTheCreditSetsSizeInSeconds) {
  Lab lab = start();
  stats::PhiloxStream random(23, 0);
  Data data{.columns = 23};
  for (int i = 0; i < 18'000; ++i) {
    double sum = 0;
    for (int j = 0; j < 23; ++j) {
      const double value = random.normal();
      sum += j < 5 ? value : 0;
      data.values.push_back(static_cast<float>(value));
    }
    data.labels.push_back(sum > 0 ? 1 : 0);
  }
  const auto begin = std::chrono::steady_clock::now();
  trained(lab, data, {}, {});
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
}

}  // namespace
}  // namespace holdfast::model_torch
