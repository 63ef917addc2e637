#include "assess/assessment.h"

#include <fmt/format.h>
#include <gmock/gmock-matchers.h>

#include <chrono>
#include <cmath>

#include "data/survey.h"

namespace holdfast::assess {
namespace {

using base::ErrorCode;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kTask = R"(
[task]
label = "y"
features = ["x", "z"]
minimum_group_rows = 10
[[group]]
name = "sex"
column = "sex"
[[group]]
name = "age"
column = "age"
edges = [30, 50]
)";

Task task() { return parse_task(kTask, "task.toml").value(); }

// y is 1 where x is over 49; ages of 20 to 69.
std::string table() {
  std::string csv = "x,z,sex,age,y\n";
  for (int row = 0; row < 400; ++row) {
    csv += fmt::format("{},{},{},{},{}\n", row % 100, row % 7, row % 3 == 0 ? "f" : "m", 20 + row % 50,
                       row % 100 > 49 ? 1 : 0);
  }
  return csv;
}

base::Result<Rows> rows_of_csv(const std::string& csv) {
  const formats::MemorySource source(base::as_bytes(csv));
  const auto survey = data::survey_csv(source, {});
  if (!survey) return base::fail(survey.error());
  return read_rows(source, survey->profile.schema(), task(), nullptr, data::Part::kTest);
}

// Says 0.9 where x is over 49, else 0.1.
class Threshold final : public model::Predictor {
 public:
  explicit Threshold(std::size_t width, model::Datatype takes = model::Datatype::kFp32) : width_(width) {
    signature_ = {.inputs = {{.name = "input", .datatype = takes, .shape = {-1, 2}}},
                  .outputs = {{.name = "label", .datatype = model::Datatype::kInt64, .shape = {-1}},
                              {.name = "p",
                               .datatype = model::Datatype::kFp32,
                               .shape = {-1, static_cast<std::int64_t>(width)}}}};
  }
  [[nodiscard]] const model::Signature& signature() const override { return signature_; }
  base::Result<std::vector<model::Tensor>> predict(std::span<const model::Tensor> inputs,
                                                   model::Deadline /*deadline*/) override {
    HF_CHECK(model::check_inputs(signature_, inputs));
    const auto values = model::numbers(inputs[0]).value();
    std::vector<float> scores;
    for (std::size_t i = 0; i < values.size(); i += 2) {
      const float one = values[i] > 49 ? 0.9F : scale_ * 0.1F;
      if (width_ == 2) scores.push_back(1 - one);
      scores.push_back(one);
    }
    const auto rows = static_cast<std::int64_t>(values.size() / 2);
    std::vector<model::Tensor> outputs;
    outputs.push_back(model::make_tensor<float>("p", {rows, static_cast<std::int64_t>(width_)},
                                                std::span<const float>(scores)));
    return outputs;
  }
  void scale(float factor) { scale_ = factor; }

 private:
  std::size_t width_;
  float scale_ = 1;
  model::Signature signature_;
};

TEST(Rows, AreReadAsTheTaskSeesThem) {
  const auto rows = rows_of_csv(table()).value();
  EXPECT_EQ(rows.count(), 400U);
  EXPECT_EQ(rows.columns, 2U);
  EXPECT_EQ(rows.features[2], 1.0F);
  EXPECT_THAT(rows.groupings[0].groups, ElementsAre("f", "m"));
  EXPECT_THAT(rows.groupings[1].groups, ElementsAre("30 to under 50", "50 and over", "under 30"));
}

TEST(Rows, OfOnePartAreThoseOfTheSplit) {
  const auto csv = table();
  const formats::MemorySource source(base::as_bytes(csv));
  const auto survey = data::survey_csv(source, {}).value();
  const auto split = data::Split::create(survey.digest, {}).value();
  const auto rows = read_rows(source, survey.profile.schema(), task(), &split, data::Part::kTest).value();
  EXPECT_EQ(rows.count(), survey.part(data::Part::kTest).rows);
}

TEST(Rows, AMissingFeatureAndAThirdLabelAreRefusedByRow) {
  auto csv = table();
  csv += ",1,f,30,1\n";
  EXPECT_THAT(rows_of_csv(csv).error().message, HasSubstr("row 400 of the dataset has no value in x"));
  csv = table() + "1,1,f,30,2\n";
  EXPECT_THAT(rows_of_csv(csv).error().message, HasSubstr("neither 0 nor 1"));
}

TEST(Weights, MakeGroupAndLabelIndependent) {
  const auto rows = rows_of_csv(table()).value();
  const auto weights = reweighing(rows, rows.groupings[0]);
  std::vector<std::array<double, 2>> sums(2);
  for (std::size_t row = 0; row < rows.count(); ++row) {
    sums[rows.groupings[0].group_of[row]][rows.labels[row]] += static_cast<double>(weights[row]);
  }
  EXPECT_NEAR(sums[0][1] / sums[0][0], sums[1][1] / sums[1][0], 1e-4);
  const auto balanced = balancing(rows);
  double ones = 0;
  double all = 0;
  for (std::size_t row = 0; row < rows.count(); ++row) {
    ones += rows.labels[row] == 1 ? static_cast<double>(balanced[row]) : 0;
    all += static_cast<double>(balanced[row]);
  }
  EXPECT_NEAR(ones / all, 0.5, 1e-4);
}

TEST(Assessment, GivesTheModelTheKindOfNumberThatItTakes) {
  const auto rows = rows_of_csv(table()).value();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  Threshold narrow(2);
  Threshold wide(2, model::Datatype::kFp64);
  EXPECT_EQ(score(wide, rows.matrix(), deadline).value(), score(narrow, rows.matrix(), deadline).value());
  Threshold integers(2, model::Datatype::kInt64);
  EXPECT_THAT(score(integers, rows.matrix(), deadline).error().message, HasSubstr("takes INT64"));
}

TEST(Assessment, MeasuresWhatTheModelSays) {
  const auto rows = rows_of_csv(table()).value();
  for (const std::size_t width : {1UL, 2UL}) {
    Threshold model(width);
    const auto found = assess(task(), rows, model, {}, nullptr, {.split = "all"}).value();
    EXPECT_EQ(evaluate::find(found.evaluation.figures, "accuracy")->measurement.value, 1);
    EXPECT_EQ(evaluate::find(found.evaluation.figures, "equalized_odds_difference", {.by = "sex"})
                  ->measurement.value,
              0);
    EXPECT_TRUE(evaluate::check_evaluation(found.evaluation));
  }
}

TEST(Assessment, SaysThatNoRobustnessWasMeasuredWithoutALab) {
  const auto rows = rows_of_csv(table()).value();
  Threshold model(2);
  auto attacked = task();
  attacked.attacks.push_back({.name = "pgd"});
  const auto found = assess(attacked, rows, model, {}, nullptr, {}).value();
  EXPECT_EQ(evaluate::find(found.evaluation.figures, "robust_accuracy", {.under = "pgd"}), nullptr);
  EXPECT_THAT(found.warnings, ElementsAre(HasSubstr("no lab")));
}

TEST(Assessment, RefusesAModelThatGivesNoProbabilities) {
  const auto rows = rows_of_csv(table()).value();
  Threshold three(3);
  EXPECT_EQ(score(three, rows.matrix(), std::chrono::steady_clock::time_point::max()).error().code,
            ErrorCode::kInvalidArgument);
  Threshold wild(1);
  wild.scale(30);
  EXPECT_THAT(score(wild, rows.matrix(), std::chrono::steady_clock::time_point::max()).error().message,
              HasSubstr("probability from 0 to 1"));
}

TEST(Comparison, PairsTheRowsOfTwoModels) {
  const auto rows = rows_of_csv(table()).value();
  Threshold model(1);
  const auto one = assess(task(), rows, model, {}, nullptr, {}).value();
  const auto figures = compare(task(), rows, one, one, 1).value();
  const auto* accuracy = evaluate::find(figures, "accuracy", {.over = "champion"});
  ASSERT_NE(accuracy, nullptr);
  EXPECT_EQ(accuracy->measurement.value, 0);
}

}  // namespace
}  // namespace holdfast::assess
