#include "stats/tests.h"

#include <gtest/gtest.h>

#include <cmath>

#include "stats/golden_data.h"

namespace holdfast::stats {
namespace {

// The samples that monitoring tools are compared by.
const std::vector<double> kReference{38.7, 41.5, 43.8, 44.5, 45.5, 46, 47.7, 58};
const std::vector<double> kCurrent{39.2, 39.3, 39.7, 41.4, 41.8, 42.9, 43.3, 45.8};
const std::vector<std::uint64_t> kReferenceCounts{16, 18, 16, 14, 12, 12};
const std::vector<std::uint64_t> kCurrentCounts{16, 16, 16, 16, 16, 8};

TEST(KolmogorovSmirnov, GivesTheParitySample) {
  const TestResult result = kolmogorov_smirnov(kReference, kCurrent).value();
  EXPECT_DOUBLE_EQ(result.statistic, .625);
  EXPECT_NEAR(result.p_value, .0870240870, 5e-11);
  EXPECT_TRUE(result.exact);
}

TEST(KolmogorovSmirnov, AgreesWithScipy) {
  for (const auto& c : golden("samples")) {
    const TestResult result = kolmogorov_smirnov(values_of(c["first"]), values_of(c["second"])).value();
    EXPECT_NEAR(result.statistic, c["ks"][0], 1e-14);
    EXPECT_NEAR(result.p_value / c["ks"][1].get<double>(), 1, 1e-9);
    const TestResult swapped = kolmogorov_smirnov(values_of(c["second"]), values_of(c["first"])).value();
    EXPECT_NEAR(swapped.p_value / result.p_value, 1, 1e-12);
  }
}

TEST(KolmogorovSmirnov, LargeSamplesByTheLimit) {
  const auto& c = golden("large_sample");
  std::vector<double> first(12'000);
  std::vector<double> second(9'000);
  for (std::size_t i = 0; i < first.size(); ++i)
    first[i] = std::fmod(static_cast<double>(i) * c["g"].get<double>(), 1);
  for (std::size_t i = 0; i < second.size(); ++i) {
    second[i] = 1.02 * std::fmod(static_cast<double>(i) * c["r"].get<double>(), 1);
  }
  const TestResult limit = kolmogorov_smirnov(first, second).value();
  EXPECT_FALSE(limit.exact);
  EXPECT_NEAR(limit.statistic, c["ks"][0], 1e-14);
  EXPECT_NEAR(limit.p_value, c["ks"][1], 1e-9);
  first.resize(kKsExactRows);
  const TestResult exact = kolmogorov_smirnov(first, second).value();
  EXPECT_TRUE(exact.exact);
  EXPECT_NEAR(exact.p_value, limit.p_value, .02);
}

TEST(KolmogorovSmirnov, RefusesSamplesWithoutValues) {
  EXPECT_FALSE(kolmogorov_smirnov({}, kCurrent).has_value());
  const auto bad = kolmogorov_smirnov(kReference, std::vector<double>{1, kNan});
  ASSERT_FALSE(bad.has_value());
  EXPECT_NE(bad.error().message.find("value 1 of the second sample"), std::string::npos);
}

TEST(MannWhitney, AgreesWithScipy) {
  for (const auto& c : golden("samples")) {
    const TestResult result = mann_whitney(values_of(c["first"]), values_of(c["second"])).value();
    EXPECT_DOUBLE_EQ(result.statistic, c["mann_whitney"][0]);
    EXPECT_NEAR(result.p_value / c["mann_whitney"][1].get<double>(), 1, 1e-9);
  }
  EXPECT_TRUE(mann_whitney(std::vector<double>{1, 3}, std::vector<double>{2, 4})->exact);
  EXPECT_FALSE(mann_whitney(std::vector<double>{1, 2}, std::vector<double>{2, 4})->exact) << "there is a tie";
}

TEST(ChiSquared, GivesTheParitySample) {
  EXPECT_NEAR(chi_squared_to_reference(kReferenceCounts, kCurrentCounts)->p_value, .67309, 5e-6);
}

TEST(ChiSquared, AReferenceIsASampleToo) {
  for (const auto& c : golden("counts")) {
    const TestResult result = chi_squared_two_sample(values_of<std::uint64_t>(c["reference"]),
                                                     values_of<std::uint64_t>(c["current"]))
                                  .value();
    EXPECT_NEAR(result.statistic, c["chi_squared"][0], 1e-9);
    EXPECT_NEAR(result.p_value, c["chi_squared"][1], 1e-12);
  }
}

TEST(ChiSquared, AtTheEdges) {
  using Counts = std::vector<std::uint64_t>;
  EXPECT_EQ(chi_squared_two_sample(Counts{5, 0}, Counts{9, 0})->p_value, 1);
  EXPECT_EQ(chi_squared_to_reference(Counts{5, 0}, Counts{5, 1})->p_value, 0);
  EXPECT_FALSE(chi_squared_two_sample(Counts{0, 0}, Counts{1, 1}).has_value());
  EXPECT_FALSE(chi_squared_two_sample(Counts{1}, Counts{1, 1}).has_value());
  EXPECT_FALSE(chi_squared_to_reference({}, {}).has_value());
}

TEST(Corrections, AgreeWithStatsmodels) {
  const auto& c = golden("corrections");
  const auto p = values_of(c["p"]);
  const auto expect = [](const std::vector<double>& adjusted, const std::vector<double>& expected) {
    ASSERT_EQ(adjusted.size(), expected.size());
    for (std::size_t i = 0; i < adjusted.size(); ++i) EXPECT_NEAR(adjusted[i], expected[i], 1e-14) << i;
  };
  expect(holm(p), values_of(c["holm"]));
  expect(benjamini_hochberg(p), values_of(c["bh"]));
  EXPECT_TRUE(holm({}).empty());
}

TEST(Corrections, ATestWithoutAnswerCounts) {
  const std::vector<double> p{.01, kNan};
  EXPECT_DOUBLE_EQ(holm(p)[0], .02);
  EXPECT_TRUE(std::isnan(holm(p)[1]));
  EXPECT_DOUBLE_EQ(benjamini_hochberg(p)[0], .02);
}

}  // namespace
}  // namespace holdfast::stats
