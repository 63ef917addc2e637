#include "evaluate/evaluation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "evaluate/golden_cases.h"
#include "evaluate/performance.h"

namespace holdfast::evaluate {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Figure figure(std::string name, Scope scope = {}) {
  return {.scope = std::move(scope),
          .measurement = {.name = std::move(name),
                          .value = .25,
                          .interval = {.low = .2, .high = .3, .confidence = stats::kConfidence95},
                          .sample_size = 3000,
                          .method = "Wilson score interval (Wilson 1927)"}};
}

Evaluation evaluation(std::vector<Figure> figures) {
  Evaluation result;
  result.split = "test";
  result.rows = 3000;
  result.seed = 18'446'744'073'709'551'615ULL;
  result.minimum_group_rows = 100;
  result.figures = std::move(figures);
  result.left_out = {{.by = "sex", .group = "other", .rows = 4}};
  return result;
}

TEST(Evaluation, HasOneCanonicalForm) {
  const std::string zeros(64, '0');
  const std::string figures =
      R"x([{"confidence":"0.95","high":"0.3","low":"0.2","method":"Wilson score interval (Wilson 1927)",)x"
      R"("name":"attack_success_rate","rows":3000,"under":"pgd","value":"0.25"}])";
  const std::string expected =
      R"({"dataset":"sha256:)" + zeros + R"(","figures":)" + figures +
      R"(,"left_out":[{"by":"sex","group":"other","rows":4}],"minimum_group_rows":100,"model":"sha256:)" +
      zeros + R"(","rows":3000,"seed":"18446744073709551615","split":"test","threshold":"0.5","version":1})";
  const Scope under{.over = "", .under = "pgd", .by = "", .group = ""};
  EXPECT_EQ(to_json(evaluation({figure("attack_success_rate", under)})).value(), expected);
}

TEST(Evaluation, ReadsBackWhatWasMeasured) {
  const GoldenCase golden = golden_cases()[0];
  Evaluation before = evaluation(measure_performance(golden.answers())->figures);
  before.figures.push_back(figure("auc", {.over = "champion", .under = "pgd", .by = "s\"ex", .group = "ü"}));
  const std::string json = to_json(before).value();
  const Evaluation after = parse_evaluation(json).value();
  EXPECT_EQ(to_json(after).value(), json);
  ASSERT_EQ(after.figures.size(), before.figures.size());
  for (std::size_t i = 0; i < before.figures.size(); ++i) {
    EXPECT_EQ(after.figures[i].scope, before.figures[i].scope);
    EXPECT_EQ(after.figures[i].measurement.value, before.figures[i].measurement.value);
    EXPECT_EQ(after.figures[i].measurement.interval.high, before.figures[i].measurement.interval.high);
  }
  EXPECT_EQ(after.left_out, before.left_out);
}

TEST(Evaluation, LeavesOutWhatIsNotKnown) {
  Figure unknown = figure("auc");
  unknown.measurement.value = std::nan("");
  unknown.measurement.interval.low = -kInfinity;
  unknown.measurement.interval.high = kInfinity;
  const std::string json = to_json(evaluation({unknown})).value();
  EXPECT_EQ(json.find("\"value\""), std::string::npos);
  const Figure after = parse_evaluation(json)->figures[0];
  EXPECT_TRUE(std::isnan(after.measurement.value));
  EXPECT_EQ(after.measurement.interval.low, -kInfinity);
  EXPECT_EQ(after.measurement.interval.high, kInfinity);
}

TEST(Evaluation, IsReadStrictly) {
  const std::string good = to_json(evaluation({figure("auc")})).value();
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(parse_evaluation(std::string_view(good).substr(0, size)).has_value());
  }
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {R"("version":1)", R"("version":2)"},
           {R"("version":1)", R"("version":1,"more":true)"},
           {R"("value":"0.25")", R"("value":0.25)"},
           {R"("value":"0.25")", R"("value":"0.250")"},
           {R"("value":"0.25")", R"("value":"nan")"},
           {R"("value":"0.25")", R"("value":"0.25","group":"f")"},
           {R"("value":"0.25")", R"("value":"0.25","by":"")"},
           {R"("confidence":"0.95")", R"("confidence":"1")"},
           {R"("low":"0.2")", R"("low":"0.4")"},
           {R"("name":"auc")", R"("name":"AUC")"},
           {R"("name":"auc")", R"("name":"groups")"},
           {R"("rows":3000,"seed")", R"("rows":0,"seed")"},
           {R"("seed":"18446744073709551615")", R"("seed":"18446744073709551616")"},
           {R"("seed":"18446744073709551615")", R"("seed":"01")"},
           {R"("seed":"18446744073709551615")", R"("seed":7)"},
           {R"("threshold":"0.5")", R"("threshold":"1.5")"},
           {R"("split":"test")", R"("split":"")"},
           {R"("model":"sha256:)", R"("model":")"},
           {R"("left_out":[)", R"("left_out":[{},)"}}) {
    std::string bad = good;
    const std::size_t place = bad.find(from);
    ASSERT_NE(place, std::string::npos) << from;
    bad.replace(place, from.size(), to);
    EXPECT_FALSE(parse_evaluation(bad).has_value()) << to;
  }
}

TEST(Evaluation, RefusesTwoFiguresOfOneNameAndScope) {
  const auto twice = to_json(evaluation({figure("auc"), figure("f1"), figure("auc")}));
  ASSERT_FALSE(twice.has_value());
  EXPECT_EQ(twice.error().message, "auc is there twice");
  EXPECT_TRUE(
      to_json(evaluation({figure("auc"), figure("auc", {.over = "", .under = "x", .by = "", .group = ""})}))
          .has_value());
}

TEST(Evaluation, IsBounded) {
  EXPECT_FALSE(to_json(evaluation({figure(std::string(65, 'a'))})).has_value());
  EXPECT_TRUE(to_json(evaluation({figure(std::string(64, 'a'))})).has_value());
  EXPECT_FALSE(to_json(evaluation(std::vector<Figure>(kMaxFigures + 1, figure("auc")))).has_value());
  Figure wordy = figure("auc");
  wordy.measurement.method = std::string(kMaxMethodBytes + 1, 'a');
  EXPECT_FALSE(to_json(evaluation({wordy})).has_value());
  EXPECT_FALSE(parse_evaluation(std::string(100'000, '[')).has_value());
}

TEST(Figure, HasATitle) {
  EXPECT_EQ(title(figure("auc")), "auc");
  EXPECT_EQ(title(figure("auc", {.over = "champion", .under = "pgd", .by = "sex", .group = "f"})),
            "auc of f (sex) under pgd over champion");
  EXPECT_EQ(title(figure("equalized_odds_difference", {.over = "", .under = "", .by = "sex", .group = ""})),
            "equalized_odds_difference by sex");
}

}  // namespace
}  // namespace holdfast::evaluate
