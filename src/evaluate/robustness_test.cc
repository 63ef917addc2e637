#include "evaluate/robustness.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <cmath>

namespace holdfast::evaluate {
namespace {

using Labels = std::vector<std::uint8_t>;
using ::testing::HasSubstr;

//                           right before attack: all but the last of each class
const Labels kLabels{1, 1, 1, 1, 0, 0, 0, 0, 0, 0};
const Labels kClean{1, 1, 1, 0, 0, 0, 0, 0, 0, 1};
const Labels kFgsm{1, 1, 0, 0, 0, 0, 0, 0, 1, 1};
const Labels kPgd{1, 0, 1, 1, 0, 0, 0, 1, 1, 0};  // rows 3 and 9 come out right by accident

Attacked attack(std::string name, const Labels& predicted) {
  return {.name = std::move(name),
          .description = "L-infinity 0.1, 40 steps",
          .constraints = base::Digest(),
          .predicted = predicted};
}

const stats::Measurement& figure(const std::vector<Figure>& figures, std::string_view name,
                                 const std::string& under) {
  return find(figures, name, {.over = "", .under = under, .by = "", .group = ""})->measurement;
}

TEST(Robustness, CountsRowsThatHoldBothWays) {
  const std::vector<Attacked> attacks{attack("fgsm", kFgsm), attack("pgd", kPgd)};
  const auto figures = measure_robustness(kLabels, kClean, attacks).value();
  ASSERT_EQ(figures.size(), 9U);
  EXPECT_DOUBLE_EQ(figure(figures, "robust_accuracy", "fgsm").value, .6);
  EXPECT_DOUBLE_EQ(figure(figures, "robust_balanced_accuracy", "fgsm").value, (2. / 4 + 4. / 6) / 2);
  EXPECT_DOUBLE_EQ(figure(figures, "attack_success_rate", "fgsm").value, 2. / 8);
  EXPECT_DOUBLE_EQ(figure(figures, "robust_accuracy", "pgd").value, .5) << "rows 3 and 9 stay lost";
  EXPECT_DOUBLE_EQ(figure(figures, "attack_success_rate", "pgd").value, 3. / 8);
  EXPECT_DOUBLE_EQ(figure(figures, "robust_accuracy", "all").value, .4);
  EXPECT_DOUBLE_EQ(figure(figures, "attack_success_rate", "all").value, 4. / 8);
  for (const Figure& one : figures) {
    EXPECT_LT(one.measurement.interval.low, one.measurement.value);
    EXPECT_GT(one.measurement.interval.high, one.measurement.value);
    EXPECT_TRUE(check_figure(one).has_value());
  }
  EXPECT_THAT(figure(figures, "robust_accuracy", "pgd").method,
              HasSubstr("attack: L-infinity 0.1, 40 steps, constraints sha256:0000"));
  EXPECT_THAT(figure(figures, "robust_accuracy", "all").method, HasSubstr("the worst of fgsm, pgd"));
}

TEST(Robustness, OfAnAttackThatDoesNothingIsTheAccuracy) {
  const std::vector<Attacked> attacks{attack("none", kClean)};
  const auto figures = measure_robustness(kLabels, kClean, attacks).value();
  ASSERT_EQ(figures.size(), 3U) << "one attack alone is all there is";
  EXPECT_DOUBLE_EQ(figure(figures, "robust_accuracy", "none").value, .8);
  EXPECT_DOUBLE_EQ(figure(figures, "attack_success_rate", "none").value, 0);
}

TEST(Robustness, OfAModelThatIsAlwaysWrongHasNoSuccessRate) {
  Labels wrong = kLabels;
  for (auto& answer : wrong) answer = answer == 0 ? 1 : 0;
  const std::vector<Attacked> attacks{attack("fgsm", kFgsm)};
  const auto figures = measure_robustness(kLabels, wrong, attacks).value();
  EXPECT_DOUBLE_EQ(figure(figures, "robust_accuracy", "fgsm").value, 0);
  EXPECT_TRUE(std::isnan(figure(figures, "attack_success_rate", "fgsm").value));
}

TEST(Robustness, RefusesWhatMakesNoSense) {
  const Labels few{1, 0};
  const Labels strange(10, 2);
  const auto refused = [&](std::vector<Attacked> attacks) {
    const auto measured = measure_robustness(kLabels, kClean, attacks);
    return !measured.has_value() && measured.error().code == base::ErrorCode::kInvalidArgument;
  };
  EXPECT_TRUE(refused({}));
  EXPECT_TRUE(refused({attack("", kFgsm)}));
  EXPECT_TRUE(refused({attack("all", kFgsm)}));
  EXPECT_TRUE(refused({attack("fgsm", kFgsm), attack("fgsm", kPgd)}));
  EXPECT_TRUE(refused({attack("fgsm", few)}));
  EXPECT_TRUE(refused({attack("fgsm", strange)}));
  const std::vector<Attacked> attacks{attack("fgsm", kFgsm)};
  EXPECT_FALSE(measure_robustness(kLabels, few, attacks).has_value());
}

}  // namespace
}  // namespace holdfast::evaluate
