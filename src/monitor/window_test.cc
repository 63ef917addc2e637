#include "monitor/window.h"

#include <gtest/gtest.h>

#include <limits>

#include "monitor/drift.h"
#include "monitor/test_traffic.h"

namespace holdfast::monitor {
namespace {

TEST(Window, OfShardsIsThatOfTheWhole) {
  const auto reference = reference_of(1, 1000);
  Window whole(reference);
  std::vector<Window> shards(3, Window(reference));
  stats::PhiloxStream random(9, 9);
  Traffic traffic(2, {.amount = 1.3, .missing = .1, .new_grade = true});
  for (int i = 0; i < 3000; ++i) {
    const TrafficRow row = traffic.next();
    add(whole, row);
    add(shards[random.next() % 3], row);
  }
  Window merged(reference);
  for (const std::size_t shard : {2UL, 0UL, 1UL}) ASSERT_TRUE(merged.merge(shards[shard]).has_value());
  EXPECT_TRUE(merged.same_as(whole));
  EXPECT_FALSE(shards[0].same_as(whole));
  EXPECT_EQ(merged.rows(), 3000U);
  EXPECT_EQ(measure_drift(merged)->columns[0].p_value, measure_drift(whole)->columns[0].p_value);
}

TEST(Window, OfTheReferencesRowsCountsWhatTheReferenceCounts) {
  const auto reference = reference_of(1, 1000);
  const Window window = window_of(reference, 1, 1000);
  for (std::size_t i = 0; i < 3; ++i) {
    const ReferenceColumn& column = reference->columns()[i];
    EXPECT_EQ(window.columns()[i].bins(column), column.bins.reference_counts()) << column.name;
  }
  EXPECT_EQ(window.score().bins(reference->score()), reference->score().bins.reference_counts());
}

TEST(Window, CountsWhatIsMissingOrUnknown) {
  const auto reference = reference_of(1, 1000);
  Window window(reference);
  window.add_row(std::array<Cell, 3>{std::numeric_limits<double>::infinity(), Cell("old"), 7.0});
  window.add_row(std::array<Cell, 3>{Cell(), 30.0, Cell()});
  window.add_row(std::array<Cell, 3>{5.0, 31.0, std::numeric_limits<double>::quiet_NaN()});
  const auto amount = window.columns()[0].bins(reference->columns()[0]);
  const auto age = window.columns()[1].bins(reference->columns()[1]);
  EXPECT_EQ(amount.back(), 2U);
  EXPECT_EQ(age.back(), 1U);
  EXPECT_EQ(window.columns()[2].bins(reference->columns()[2]),
            (std::vector<std::uint64_t>{0, 0, 0, 0, 1, 2}));
  for (const double score : {-.1, 1.1, std::numeric_limits<double>::quiet_NaN(), .7}) window.add_score(score);
  EXPECT_EQ(window.scores(), 1U);
  EXPECT_EQ(window.score().bins(reference->score()).back(), 3U);
  EXPECT_EQ(window.answer(true).rows, 1U);
}

TEST(Window, HasOneCanonicalForm) {
  for (const bool with_labels : {true, false}) {
    const auto reference = reference_of(1, 500, with_labels);
    Window window = window_of(reference, 2, 300, {.missing = .1, .new_grade = true});
    window.add_score(7);
    const std::string json = to_json(window);
    auto again = parse_window(reference, json);
    ASSERT_TRUE(again.has_value()) << again.error().message;
    EXPECT_TRUE(again->same_as(window));
    EXPECT_EQ(to_json(*again), json);
    ASSERT_TRUE(again->merge(window).has_value());
    EXPECT_EQ(again->rows(), 600U);
    for (std::size_t size = 0; size < json.size(); size += 7) {
      EXPECT_FALSE(parse_window(reference, std::string_view(json).substr(0, size)).has_value());
    }
    EXPECT_TRUE(parse_window(reference, to_json(Window(reference))).has_value()) << "empty";
  }
}

TEST(Window, IsReadStrictly) {
  const auto reference = reference_of(1, 500);
  const std::string good = to_json(window_of(reference, 2, 300));
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{{R"("version":1)", R"("version":2)"},
                                                        {R"("version":1)", R"("version":1,"more":1)"},
                                                        {R"("rows":300,"score")", R"("rows":301,"score")"},
                                                        {R"("scores":300)", R"("scores":299)"},
                                                        {R"("missing":0)", R"("missing":1)"},
                                                        {R"("missing":0)", R"("missing":-1)"},
                                                        {R"("missing":0)", R"("missing":281474976710657)"},
                                                        {R"("categories":[)", R"("categories":[0,)"},
                                                        {R"("categories":[)", R"("categories":["1",)"},
                                                        {R"("histogram":")", R"("histogram":"AAAA)"},
                                                        {R"("columns":[{)", R"("columns":[{},{)"}}) {
    std::string bad = good;
    const std::size_t place = bad.find(from);
    ASSERT_NE(place, std::string::npos) << from;
    bad.replace(place, from.size(), to);
    EXPECT_FALSE(parse_window(reference, bad).has_value()) << to;
  }
  EXPECT_FALSE(parse_window(reference_of(1, 500, /*with_labels=*/false), good).has_value());
}

TEST(Window, RefusesToMergeAnotherRelease) {
  Window one(reference_of(1, 500));
  const Window same(reference_of(1, 500));
  const Window other(reference_of(2, 500));
  EXPECT_TRUE(one.merge(same).has_value());
  EXPECT_EQ(one.merge(other).error().code, base::ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace holdfast::monitor
