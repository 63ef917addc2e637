#include "lab/feasible.h"

#include <gmock/gmock-matchers.h>

#include <cmath>
#include <limits>
#include <random>

namespace holdfast::lab {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

AttackSpec spec_of(std::vector<ColumnConstraint> columns) { return {.columns = std::move(columns)}; }

FeasibleBox box_of(const std::vector<float>& row, const AttackSpec& spec) {
  return feasible_box({.rows = 1, .columns = row.size(), .values = row}, spec);
}

std::vector<float> settled(std::vector<float> changed, const std::vector<float>& original,
                           const AttackSpec& spec) {
  const auto box = box_of(original, spec);
  settle(changed, {original, box.lower, box.upper}, spec);
  EXPECT_EQ(violation(changed, {original, box.lower, box.upper}, spec), std::nullopt);
  return changed;
}

TEST(Feasible, NothingMovesThatMayNot) {
  const auto box = box_of({3, -2}, spec_of({{}, {.max_change = 5.0}}));
  EXPECT_THAT(box.lower, ElementsAre(3, -2));
  EXPECT_THAT(box.upper, ElementsAre(3, -2));
}

TEST(Feasible, RoomIsCutByEveryConstraint) {
  const auto spec = spec_of({{.can_change = true, .max_change = 2.0},
                             {.can_change = true, .direction = Direction::kRise, .max_change = 2.0},
                             {.can_change = true, .direction = Direction::kFall, .max_change = 2.0},
                             {.can_change = true, .lower = 0.0, .upper = 4.0},
                             {.can_change = true, .max_change = 2.0, .lower = 2.5}});
  const auto box = box_of({3, 3, 3, 3, 3}, spec);
  EXPECT_THAT(box.lower, ElementsAre(1, 3, 1, 0, 2.5F));
  EXPECT_THAT(box.upper, ElementsAre(5, 5, 3, 4, 5));
}

TEST(Feasible, StrengthWidensChangesAndNotBounds) {
  auto spec = spec_of({{.can_change = true, .max_change = 2.0, .upper = 6.0}});
  spec.strength = 2;
  const auto box = box_of({3}, spec);
  EXPECT_THAT(box.lower, ElementsAre(-1));
  EXPECT_THAT(box.upper, ElementsAre(6));
}

TEST(Feasible, ARowBeyondItsBoundsMayStayOrComeBack) {
  const auto box =
      box_of({10, -10}, spec_of({{.can_change = true, .max_change = 2.0, .lower = 0.0, .upper = 5.0},
                                 {.can_change = true, .lower = 0.0, .upper = 5.0}}));
  EXPECT_THAT(box.lower, ElementsAre(8, -10));
  EXPECT_THAT(box.upper, ElementsAre(10, 5));
}

TEST(Feasible, WholeNumbersAreTheNearestWithinTheRoom) {
  const auto spec = spec_of({{.can_change = true, .max_change = 1.6, .integer = true},
                             {.can_change = true, .max_change = 0.4, .integer = true},
                             {.can_change = true, .max_change = 1.0, .integer = true}});
  EXPECT_THAT(settled({9, 9, 9}, {3, 3, 2.5F}, spec), ElementsAre(4, 3, 3));
  EXPECT_THAT(settled({3.4F, 3.3F, 2.5F}, {3, 3, 2.5F}, spec), ElementsAre(3, 3, 2.5F));
}

TEST(Feasible, AChangeOverTheBudgetIsShrunk) {
  auto spec = spec_of({{.can_change = true, .max_change = 10.0, .unit_cost = 1},
                       {.can_change = true, .max_change = 10.0, .integer = true, .unit_cost = 2},
                       {.can_change = true, .max_change = 10.0}});
  spec.cost_budget = 6;
  const auto row = settled({4, -4, 10}, {0, 0, 0}, spec);  // costs 12
  EXPECT_NEAR(row[0], 2, 1e-4);
  EXPECT_NEAR(row[1], -1, 1.001);
  EXPECT_EQ(row[2], 10);
  spec.cost_budget = 0;
  EXPECT_THAT(settled({4, -4, 10}, {0, 0, 0}, spec), ElementsAre(0, 0, 10));
}

TEST(Feasible, WhatIsNoNumberDoesNotMove) {
  const auto spec = spec_of({{.can_change = true, .max_change = 1.0}});
  EXPECT_THAT(settled({std::numeric_limits<float>::quiet_NaN()}, {3}, spec), ElementsAre(3));
}

TEST(Feasible, TellsWhatIsWrong) {
  auto spec = spec_of({{.can_change = true, .max_change = 1.0, .integer = true, .unit_cost = 1}, {}});
  const std::vector<float> original{3, 3};
  const auto box = box_of(original, spec);
  const auto wrong = [&](const std::vector<float>& changed) {
    return violation(changed, {original, box.lower, box.upper}, spec).value_or("");
  };
  EXPECT_THAT(wrong({4.5F, 3}), HasSubstr("column 0 was changed from 3 to 4.5, beyond [2, 4]"));
  EXPECT_THAT(wrong({3, 4}), HasSubstr("column 1"));
  EXPECT_THAT(wrong({3.5F, 3}), HasSubstr("not whole"));
  EXPECT_THAT(wrong({std::numeric_limits<float>::quiet_NaN(), 3}), HasSubstr("beyond"));
  spec.cost_budget = 0.5;
  EXPECT_THAT(wrong({4, 3}), HasSubstr("costs 1, over the budget of 0.5"));
}

// Whatever the constraints and wherever a search has ended.
TEST(Feasible, SettlingMeetsEveryConstraint) {
  std::mt19937_64 random(7);
  const auto uniform = [&] { return std::uniform_real_distribution<double>()(random); };
  const auto normal = [&] { return std::normal_distribution<double>()(random); };
  const auto maybe = [&](double value) {
    return uniform() < 0.5 ? std::optional<double>(value) : std::nullopt;
  };
  for (int round = 0; round < 3000; ++round) {
    const double size = std::pow(10, 8 * uniform() - 3);
    AttackSpec spec{.strength = 3 * uniform(), .cost_budget = maybe(size * uniform())};
    std::vector<float> original;
    std::vector<float> changed;
    for (int i = 0; i < 6; ++i) {
      ColumnConstraint column{.can_change = uniform() < 0.7,
                              .direction = Direction{static_cast<int>(random() % 3)},
                              .max_change = size * uniform(),
                              .lower = maybe(-size * uniform()),
                              .upper = maybe(size * uniform()),
                              .integer = uniform() < 0.4,
                              .unit_cost = uniform() < 0.3 ? 0 : uniform()};
      spec.columns.push_back(column);
      original.push_back(static_cast<float>(size * normal()));
      if (column.integer && uniform() < 0.8) original.back() = std::nearbyint(original.back());
      changed.push_back(original.back() + static_cast<float>(size * normal()));
    }
    settled(changed, original, spec);
    const auto box = box_of(original, spec);
    for (std::size_t i = 0; i < 6; ++i) {
      const double reach = *spec.columns[i].max_change * spec.strength;
      EXPECT_LE(static_cast<double>(box.upper[i]) - static_cast<double>(original[i]), reach);
      EXPECT_LE(static_cast<double>(original[i]) - static_cast<double>(box.lower[i]), reach);
    }
  }
}

}  // namespace
}  // namespace holdfast::lab
