#include "registry/model_card.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <cmath>

#include "crypto/sha256.h"

namespace holdfast::registry {
namespace {

using testing::HasSubstr;

const base::Digest kModel = crypto::sha256(base::as_bytes("model"));

evaluate::Figure figure_of(std::string name, double value, evaluate::Scope scope = {}) {
  return {.scope = std::move(scope),
          .measurement = {.name = std::move(name),
                          .value = value,
                          .interval = {value - 0.125, value + 0.125, stats::kConfidence95},
                          .sample_size = 300,
                          .method = "Wilson"}};
}

evaluate::Evaluation sample() {
  evaluate::Evaluation evaluation{.model = kModel,
                                  .dataset = crypto::sha256(base::as_bytes("rows")),
                                  .split = "test",
                                  .rows = 300,
                                  .minimum_group_rows = 100,
                                  .figures = {},
                                  .left_out = {{"sex", "other", 4}}};
  evaluation.figures = {figure_of("accuracy", 0.75), figure_of("accuracy", 0.5, {.by = "sex", .group = "f"}),
                        figure_of("equalized_odds_difference", 0.25, {.by = "sex"}),
                        figure_of("robust_accuracy", 0.5, {.under = "pgd"})};
  evaluation.figures[0].measurement.interval = stats::unbounded(stats::kConfidence95);
  return evaluation;
}

TEST(ModelCard, TellsFiguresWithSlicesAndIntervals) {
  supply::ModelCard card;
  add_evaluation(sample(), card);
  ASSERT_EQ(card.metrics.size(), 4U);
  EXPECT_EQ(card.metrics[0].value, "0.75");
  EXPECT_EQ(card.metrics[0].low, "") << "an end that is not known is not told";
  EXPECT_EQ(card.metrics[1].slice, "sex = f");
  EXPECT_EQ(card.metrics[1].low, "0.375");
  EXPECT_EQ(card.metrics[1].method, "Wilson, confidence 0.95");
  EXPECT_EQ(card.metrics[3].slice, "under pgd");
  ASSERT_EQ(card.fairness.size(), 1U);
  EXPECT_EQ(card.fairness[0].group_at_risk, "sex");
  EXPECT_EQ(card.fairness[0].harms, "equalized_odds_difference 0.25 (0.125 to 0.375)");
  ASSERT_EQ(card.risks.size(), 1U);
  EXPECT_EQ(card.risks[0].name, "Evasion by pgd: robust_accuracy 0.5 (0.375 to 0.625)");
  EXPECT_THAT(card.limitations.back(), HasSubstr("sex = other: it has 4 rows, fewer than 100"));
  EXPECT_EQ(card.datasets.at(0).used_for, "evaluation");
}

TEST(ModelCard, TakesStatementsOfItsKinds) {
  supply::ModelCard card;
  Statement statement{"credit", kModel, std::string(kEvaluationPredicate), *evaluate::to_json(sample())};
  EXPECT_TRUE(add_statement(statement, card).value());
  EXPECT_EQ(card.metrics.size(), 4U);
  statement.subject = crypto::sha256(base::as_bytes("another"));
  EXPECT_EQ(add_statement(statement, card).error().code, base::ErrorCode::kDataCorrupt);
  statement.predicate_type = std::string(kTestResultPredicate);
  EXPECT_FALSE(add_statement(statement, card).value());

  statement = {"credit", kModel, std::string(kProvenancePredicate),
               R"({"buildDefinition":{"buildType":"urn:holdfast:train:v1","resolvedDependencies":[
                  {"name":"rows/1 train","digest":{"sha256":")" +
                   kModel.hex() + R"("}}]}})"};
  supply::ModelCard trained;
  EXPECT_TRUE(add_statement(statement, trained).value());
  EXPECT_EQ(trained.architecture_family, "feed-forward network");
  EXPECT_EQ(trained.datasets.at(0).name, "rows/1 train");
  for (const auto* bad :
       {"{}", R"({"buildDefinition":1})", R"({"buildDefinition":{"buildType":"x","resolvedDependencies":1}})",
        R"({"buildDefinition":{"buildType":"x","resolvedDependencies":[{"name":"a"}]}})"}) {
    statement.predicate_json = bad;
    EXPECT_FALSE(add_statement(statement, trained)) << bad;
  }
}

}  // namespace
}  // namespace holdfast::registry
