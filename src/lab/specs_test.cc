#include "lab/specs.h"

#include <gmock/gmock-matchers.h>

#include <cmath>
#include <functional>
#include <limits>

namespace holdfast::lab {
namespace {

using base::ErrorCode;
using ::testing::HasSubstr;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

AttackSpec attack() { return {.columns = {{.can_change = true, .max_change = 1.0}, {}}}; }

struct BadTraining {
  const char* words;
  std::function<void(TrainSpec&)> spoil;
};

TEST(Specs, TakesTheDefaults) {
  EXPECT_TRUE(check(TrainSpec{}));
  EXPECT_TRUE(check(attack(), 2));
  EXPECT_TRUE(check(HardenSpec{.training = {}, .attack = attack()}, 2));
}

TEST(Specs, NamesWhatIsWrongWithTraining) {
  const std::vector<BadTraining> cases{
      {"classes is 1", [](auto& s) { s.classes = 1; }},
      {"hidden layer is 0", [](auto& s) { s.hidden = {8, 0}; }},
      {"number of hidden layers is 17", [](auto& s) { s.hidden = std::vector<std::size_t>(17, 2); }},
      {"dropout is 1", [](auto& s) { s.dropout = 1; }},
      {"dropout is nan", [](auto& s) { s.dropout = kNaN; }},
      {"learning_rate is 0", [](auto& s) { s.learning_rate = 0; }},
      {"learning_rate is nan", [](auto& s) { s.learning_rate = kNaN; }},
      {"weight_decay is -1", [](auto& s) { s.weight_decay = -1; }},
      {"batch_size is 0", [](auto& s) { s.batch_size = 0; }},
      {"epochs is 0", [](auto& s) { s.epochs = 0; }},
      {"class_weights has 3", [](auto& s) { s.class_weights = {1, 2, 3}; }},
      {"class weight is 0", [](auto& s) { s.class_weights = {1, 0}; }},
  };
  for (const auto& [words, spoil] : cases) {
    TrainSpec spec;
    spoil(spec);
    const auto checked = check(spec);
    ASSERT_FALSE(checked) << words;
    EXPECT_EQ(checked.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(checked.error().message, HasSubstr(words));
  }
}

struct BadAttack {
  const char* words;
  std::function<void(AttackSpec&)> spoil;
};

TEST(Specs, NamesWhatIsWrongWithAnAttack) {
  const std::vector<BadAttack> cases{
      {"constrains 3 columns, and the rows have 2", [](auto& s) { s.columns.push_back({}); }},
      {"may change no column", [](auto& s) { s.columns[0].can_change = false; }},
      {"column 0 may change without limit", [](auto& s) { s.columns[0].max_change.reset(); }},
      {"column 0 may change without limit",
       [](auto& s) { s.columns[0] = {.can_change = true, .direction = Direction::kFall, .upper = 1.0}; }},
      {"max_change of column 0's constraint is -1", [](auto& s) { s.columns[0].max_change = -1; }},
      {"lower of column 1's constraint is 2, above its upper 1",
       [](auto& s) {
         s.columns[1].lower = 2;
         s.columns[1].upper = 1;
       }},
      {"upper of column 0's constraint is no finite", [](auto& s) { s.columns[0].upper = kNaN; }},
      {"unit_cost of column 0's", [](auto& s) { s.columns[0].unit_cost = kNaN; }},
      {"strength is -0.5", [](auto& s) { s.strength = -0.5; }},
      {"cost_budget is inf", [](auto& s) { s.cost_budget = std::numeric_limits<double>::infinity(); }},
      {"steps is 0", [](auto& s) { s.steps = 0; }},
      {"restarts is 1001", [](auto& s) { s.restarts = 1001; }},
  };
  for (const auto& [words, spoil] : cases) {
    AttackSpec spec = attack();
    spoil(spec);
    const auto checked = check(spec, 2);
    ASSERT_FALSE(checked) << words;
    EXPECT_THAT(checked.error().message, HasSubstr(words));
  }
}

TEST(Specs, ADirectionIsABound) {
  AttackSpec spec = attack();
  spec.columns[0] = {.can_change = true, .direction = Direction::kRise, .upper = 1.0};
  EXPECT_TRUE(check(spec, 2));
}

TEST(Specs, NamesTheRowThatIsWrong) {
  std::vector<float> values{1, 2, 3, 4};
  std::vector<std::int32_t> labels{0, 1};
  const std::vector<float> weights{1, 1};
  const auto words = [&](const LabelledRows& rows) {
    const auto checked = check(rows, 2, "training");
    return checked ? std::string() : checked.error().message;
  };
  const MatrixView matrix{.rows = 2, .columns = 2, .values = values};
  EXPECT_EQ(words({matrix, labels, weights}), "");
  EXPECT_THAT(words({{3, 2, values}, labels}), HasSubstr("hold 4 values, not 3 times 2"));
  EXPECT_THAT(words({{1UL << 62, 4, values}, labels}), HasSubstr("more than"));
  EXPECT_THAT(words({{2, 0, {}}, labels}), HasSubstr("0 columns"));
  EXPECT_THAT(words({matrix, std::span(labels).first(1)}), HasSubstr("1 labels for 2 training rows"));
  EXPECT_THAT(words({matrix, labels, std::span(weights).first(1)}), HasSubstr("1 weights"));
  const std::vector<float> zeros{0, 0};
  EXPECT_THAT(words({matrix, labels, zeros}), HasSubstr("all weights"));
  labels[1] = 2;
  EXPECT_THAT(words({matrix, labels}), HasSubstr("label of the training row 1 is 2"));
  values[3] = std::numeric_limits<float>::infinity();
  EXPECT_THAT(words({matrix, labels}), HasSubstr("column 1 of the training row 1 is missing"));
}

}  // namespace
}  // namespace holdfast::lab
