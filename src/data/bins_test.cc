#include "data/bins.h"

#include <gtest/gtest.h>

#include <numeric>

#include "data/csv_text.h"
#include "stats/distance.h"

namespace holdfast::data {
namespace {

Profile numbers(int first, int last) {
  std::string csv = "x\n";
  for (int i = first; i < last; ++i) csv += std::to_string(i) + "\n";
  return profile_of(csv + "NA\n").value();
}

TEST(ReferenceBins, HoldAboutEqualCounts) {
  const ReferenceBins bins = ReferenceBins::of(numbers(1, 1001).columns()[0]).value();
  const auto& counts = bins.reference_counts();
  ASSERT_EQ(counts.size(), bins.edges().size() + 2);
  EXPECT_EQ(counts.back(), 1U) << "missing";
  EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}), 1001U);
  EXPECT_GE(bins.edges().size(), 8U);
  for (std::size_t i = 0; i + 1 < counts.size(); ++i)
    EXPECT_NEAR(static_cast<double>(counts[i]), 100, 25) << i;
}

TEST(ReferenceBins, CountEveryValueOnItsSideOfAnEdge) {
  const ReferenceBins bins = ReferenceBins::of(numbers(1, 1001).columns()[0]).value();
  const auto counts = bins.counts(numbers(501, 1501).columns()[0]);
  std::vector<std::uint64_t> expected(bins.edges().size() + 2);
  for (int value = 501; value < 1501; ++value) {
    const auto bin = std::upper_bound(bins.edges().begin(), bins.edges().end(), value) - bins.edges().begin();
    ++expected[static_cast<std::size_t>(bin)];
  }
  expected.back() = 1;
  EXPECT_EQ(counts, expected);
  EXPECT_EQ(stats::population_stability_index(bins.reference_counts(), bins.reference_counts()).value(), 0);
  EXPECT_GT(stats::population_stability_index(bins.reference_counts(), counts).value(), 1);
}

TEST(ReferenceBins, CountCategoriesOthersAndMissing) {
  const ReferenceBins bins =
      ReferenceBins::of(profile_of("x\nred\nred\nblue\nblue\n").value().columns()[0]).value();
  EXPECT_EQ(bins.categories(), (std::vector<std::string>{"blue", "red"}));
  EXPECT_EQ(bins.reference_counts(), (std::vector<std::uint64_t>{2, 2, 0, 0}));
  EXPECT_EQ(bins.counts(profile_of("x\nred\ngreen\ngreen\nNA\n").value().columns()[0]),
            (std::vector<std::uint64_t>{0, 1, 2, 1}));
}

TEST(ReferenceBins, OfAConstantAreTwo) {
  const ReferenceBins bins = ReferenceBins::of(profile_of("x\n5\n5\n5\n").value().columns()[0]).value();
  EXPECT_TRUE(bins.edges().empty());
  EXPECT_EQ(bins.reference_counts(), (std::vector<std::uint64_t>{3, 0}));
}

TEST(ReferenceBins, NeedValuesThatRepeat) {
  EXPECT_EQ(ReferenceBins::of(profile_of("x\na\nb\n").value().columns()[0]).error().code,
            base::ErrorCode::kUnsupported);
  EXPECT_EQ(ReferenceBins::of(profile_of("x\nNA\n").value().columns()[0]).error().code,
            base::ErrorCode::kInvalidArgument);
}

TEST(ReferenceBins, HaveOneCanonicalForm) {
  for (const auto& bins : {ReferenceBins::of(numbers(-50, 700).columns()[0]).value(),
                           ReferenceBins::of(profile_of("x\nu\nu\n").value().columns()[0]).value()}) {
    const std::string json = to_json(bins);
    EXPECT_EQ(parse_reference_bins(json).value(), bins);
    for (std::size_t size = 0; size < json.size(); ++size) {
      EXPECT_FALSE(parse_reference_bins(std::string_view(json).substr(0, size)).has_value());
    }
  }
  for (const char* json :
       {R"({"counts":[1,2],"edges":["1"]})", R"({"counts":[1,2,3],"edges":["1.0"]})",
        R"({"counts":[1,2,3,4],"edges":["2","1"]})", R"({"counts":[1,-2,3],"edges":["1"]})",
        R"({"counts":[1,2],"categories":[]})", R"({"counts":[1,2,3],"edges":["1"],"more":1})"}) {
    EXPECT_FALSE(parse_reference_bins(json).has_value()) << json;
  }
}

}  // namespace
}  // namespace holdfast::data
