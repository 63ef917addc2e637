#include "assess/task.h"

#include <fmt/format.h>
#include <gmock/gmock-matchers.h>

#include "base/file.h"

namespace holdfast::assess {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kSmall = R"(
[task]
label = "y"
features = ["a", "b"]
)";

std::string refusal(std::string_view more, std::string_view start = kSmall) {
  const auto task = parse_task(std::string(start) + std::string(more), "task.toml");
  return task ? "no refusal" : task.error().message;
}

TEST(Task, TheCreditExampleIsOne) {
  const auto text = base::read_file(HOLDFAST_EXAMPLES "/credit/credit.toml", kMaxTaskBytes).value();
  const auto task = parse_task(base::as_text(text), "credit.toml").value();
  EXPECT_EQ(task.features.size(), 20U);
  EXPECT_EQ(task.groups.size(), 2U);
  EXPECT_EQ(task.attacks.size(), 2U);
  EXPECT_FALSE(task.constraints[0].can_change);
  EXPECT_EQ(task.constraints[14].direction, lab::Direction::kRise);
  EXPECT_EQ(task.attack_spec(task.attacks[1], 7).cost_budget, 20000);
}

TEST(Task, HasDefaultsForAllButItsQuestion) {
  const auto task = parse_task(kSmall, "task.toml").value();
  EXPECT_EQ(task.threshold, 0.5);
  EXPECT_EQ(task.minimum_group_rows, 100U);
  EXPECT_THAT(task.features, ElementsAre("a", "b"));
  EXPECT_EQ(task.constraints.size(), 2U);
}

TEST(Task, RefusalsNameThePlaceAndTheRemedy) {
  EXPECT_THAT(refusal("x = 1"), HasSubstr("[task], x: there is no such key"));
  EXPECT_THAT(refusal("[tsk]"), HasSubstr("there is no table [tsk]"));
  EXPECT_THAT(refusal("threshold = 2.0"), HasSubstr("between 0 and 1"));
  EXPECT_THAT(refusal("[[group]]\nname = \"g\""), HasSubstr("task.toml:5: [[group]], column"));
  EXPECT_THAT(refusal("[[group]]\nname='g'\ncolumn='a'\nedges=[2,1]"), HasSubstr("they must rise"));
  EXPECT_THAT(refusal("[group]"), HasSubstr("write [[group]]"));
  EXPECT_THAT(refusal("[[change]]\ncolumns=['z']\ndirection='rise'"), HasSubstr("z is no feature"));
  EXPECT_THAT(refusal("[[change]]\ncolumns=['a','a']\ndirection='rise'\nmax_change=1"),
              HasSubstr("a stands in two changes"));
  EXPECT_THAT(refusal("[[change]]\ncolumns=['a']\ndirection='up'"), HasSubstr("rise, fall or either"));
  EXPECT_THAT(refusal("[[attack]]\nname='x'\nmethod='bim'"), HasSubstr("fgsm or pgd"));
  EXPECT_THAT(refusal("= ="), HasSubstr("task.toml:5"));
  EXPECT_THAT(refusal("", "[task]\nlabel='y'\nfeatures=['y']"), HasSubstr("told the answer"));
  EXPECT_THAT(refusal("", "[task]\nlabel='y'\nfeatures=['a','a']"), HasSubstr("twice"));
  EXPECT_THAT(refusal("", ""), HasSubstr("[task] is missing"));
}

TEST(Task, AnAttackerWithoutLimitIsRefused) {
  EXPECT_NE(refusal("[[change]]\ncolumns=['a']\ndirection='rise'\n[[attack]]\nname='p'\nmethod='pgd'"),
            "no refusal");
}

TEST(Task, SpeaksOfTheColumnsOfItsDataset) {
  const auto task = parse_task(kSmall, "task.toml").value();
  data::Schema schema{.columns = {{.name = "a", .type = data::ColumnType::kReal},
                                  {.name = "b", .type = data::ColumnType::kText},
                                  {.name = "y", .type = data::ColumnType::kBoolean}}};
  EXPECT_THAT(check_columns(task, schema).error().message, HasSubstr("b holds text"));
  schema.columns[1].type = data::ColumnType::kInteger;
  EXPECT_TRUE(check_columns(task, schema));
  schema.columns.pop_back();
  EXPECT_THAT(check_columns(task, schema).error().message, HasSubstr("the column y"));
}

}  // namespace
}  // namespace holdfast::assess
