#include "monitor/reference.h"

#include <gtest/gtest.h>

#include <numeric>

#include "monitor/test_traffic.h"

namespace holdfast::monitor {
namespace {

using base::ErrorCode;

TEST(Reference, KeepsWhatCanBeWatched) {
  const auto reference = reference_of(1);
  ASSERT_EQ(reference->columns().size(), 3U);
  EXPECT_EQ(reference->unwatched(), std::vector<std::string>{"note"});
  EXPECT_EQ(reference->place_of("grade"), 2U);
  EXPECT_FALSE(reference->place_of("note").has_value());
  EXPECT_TRUE(reference->columns()[0].numbers.has_value());
  EXPECT_EQ(reference->columns()[2].bins.categories(), (std::vector<std::string>{"A", "B", "C", "D"}));
  const auto& scores = reference->score().bins.reference_counts();
  EXPECT_EQ(std::accumulate(scores.begin(), scores.end(), std::uint64_t{0}), 4000U);
  EXPECT_EQ(reference->calibration()->confusion.rows(), 4000U);
  EXPECT_FALSE(reference_of(1, 4000, /*with_labels=*/false)->calibration().has_value());
}

TEST(Reference, HasOneCanonicalForm) {
  for (const bool with_labels : {true, false}) {
    const auto reference = reference_of(2, 300, with_labels);
    const std::string json = to_json(*reference);
    const auto again = parse_reference(json);
    ASSERT_TRUE(again.has_value()) << again.error().message;
    EXPECT_EQ(*again, *reference);
    EXPECT_EQ(to_json(*again), json);
    for (std::size_t size = 0; size < json.size(); size += 7) {
      EXPECT_FALSE(parse_reference(std::string_view(json).substr(0, size)).has_value());
    }
  }
}

TEST(Reference, IsReadStrictly) {
  const std::string good = to_json(*reference_of(2, 300));
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {R"("version":1)", R"("version":2)"},
           {R"("version":1)", R"("version":1,"more":1)"},
           {R"("threshold":"0.5")", R"("threshold":"1.5")"},
           {R"("threshold":"0.5")", R"("threshold":0.5)"},
           {R"("name":"grade")", R"("name":"age")"},
           {R"("name":"grade")", R"("name":"")"},
           {R"("unwatched":["note"])", R"("unwatched":["age"])"},
           {R"("unwatched":["note"])", R"("unwatched":[1])"},
           {R"("categories":["A")", R"("categories":["Z")"},
           {R"("counts":[)", R"("counts":[1.5,)"},
           {R"("counts":[)", R"("counts":[18446744073709551615,)"},
           {R"("histogram":")", R"("histogram":"AAAA)"},
           {R"("true_positive":)", R"("true_positive":9)"},
           {R"("true_positive":)", R"("true_positive":99999999999999)"},
           {R"("knots":[[)", R"("knots":[["2","0.1"],[)"},
           {R"("knots":[[)", R"("knots":[["0.1"],[)"},
           {R"("knots":[[)", R"("knots":[[0.1,0.2],[)"}}) {
    std::string bad = good;
    const std::size_t place = bad.find(from);
    ASSERT_NE(place, std::string::npos) << from;
    bad.replace(place, from.size(), to);
    if (to == R"("true_positive":9)") {
      EXPECT_TRUE(parse_reference(bad).has_value()) << "another count, and as good";
    } else {
      EXPECT_FALSE(parse_reference(bad).has_value()) << to;
    }
  }
  EXPECT_FALSE(parse_reference(std::string(1000, '[')).has_value());
}

TEST(Reference, RefusesHistogramsThatItsBinsDoNotCount) {
  const std::string one = to_json(*reference_of(3, 300));
  const std::string other = to_json(*reference_of(4, 300));
  const auto bins_of = [](const std::string& json) {
    const std::size_t begin = json.find(R"("counts":)");
    return json.substr(begin, json.find('}', begin) - begin);
  };
  std::string mixed = one;
  mixed.replace(mixed.find(bins_of(one)), bins_of(one).size(), bins_of(other));
  const auto parsed = parse_reference(mixed);
  ASSERT_FALSE(parsed.has_value());
  EXPECT_EQ(parsed.error().message, "\"bins\" of column 0 of the reference do not count the histogram");
}

TEST(Reference, RefusesWhatMakesNoSense) {
  auto profile = data::Profile::create({"x"}).value();
  const std::vector<double> scores{.2, .8};
  const std::vector<double> wrong{.2, 1.2};
  const std::vector<std::uint8_t> one{1};
  EXPECT_EQ(Reference::freeze(profile, {.scores = scores, .labels = {}}).error().code,
            ErrorCode::kInvalidArgument)
      << "a column without values";
  for (const std::string_view value : {"1", "2", "3", "4"}) {
    profile.add(std::array<std::string_view, 1>{value});
  }
  EXPECT_TRUE(Reference::freeze(profile, {.scores = scores, .labels = {}}).has_value());
  EXPECT_FALSE(Reference::freeze(profile, {.scores = scores, .labels = one}).has_value());
  EXPECT_FALSE(Reference::freeze(profile, {.scores = wrong, .labels = {}}).has_value());
  EXPECT_FALSE(Reference::freeze(profile, {.scores = {}, .labels = {}}).has_value());
  EXPECT_FALSE(Reference::freeze(profile, {.scores = scores, .labels = {}, .threshold = -1}).has_value());
  EXPECT_FALSE(Reference::freeze(profile, {.scores = scores, .labels = {}}, 1).has_value());
  EXPECT_FALSE(Reference::freeze(profile, {.scores = scores, .labels = {}}, 101).has_value());
}

}  // namespace
}  // namespace holdfast::monitor
