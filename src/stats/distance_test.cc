#include "stats/distance.h"

#include <gtest/gtest.h>

#include <cmath>

#include "stats/golden_data.h"

namespace holdfast::stats {
namespace {

using Counts = std::vector<std::uint64_t>;

TEST(Distance, GivesTheParitySamples) {
  EXPECT_NEAR(hellinger_distance(Counts{16, 18, 16, 14, 12, 12}, Counts{16, 16, 16, 16, 16, 8}).value(),
              .06812, 1e-5);
  EXPECT_NEAR(wasserstein_normed(std::vector<double>{38.7, 41.5, 43.8, 44.5, 45.5, 46, 47.7, 58},
                                 std::vector<double>{39.2, 39.3, 39.7, 41.4, 41.8, 42.9, 43.3, 45.8})
                  .value(),
              .7812361058, 5e-11);
}

TEST(Distance, AgreesWithScipy) {
  for (const auto& c : golden("counts")) {
    const auto reference = values_of<std::uint64_t>(c["reference"]);
    const auto current = values_of<std::uint64_t>(c["current"]);
    EXPECT_NEAR(population_stability_index(reference, current).value(), c["psi"], 1e-12);
    EXPECT_NEAR(jensen_shannon_distance(reference, current).value(), c["jensen_shannon"], 1e-12);
    EXPECT_NEAR(hellinger_distance(reference, current).value(), c["hellinger"], 1e-9);
  }
  for (const auto& c : golden("samples")) {
    EXPECT_NEAR(wasserstein_normed(values_of(c["first"]), values_of(c["second"])).value(),
                c["wasserstein_normed"], 1e-12);
  }
}

TEST(Distance, PsiStatesWhatAnEmptyCategoryIs) {
  // 3/7, 2/7, 2/7, .01 against 2/6, 1/6, .01, 3/6.
  EXPECT_NEAR(population_stability_index(Counts{3, 2, 2, 0}, Counts{2, 1, 0, 3}, .01).value(), 2.9293, 5e-5);
  EXPECT_FALSE(population_stability_index(Counts{1}, Counts{1}, 0).has_value());
  EXPECT_FALSE(population_stability_index(Counts{1}, Counts{1}, 1).has_value());
}

TEST(Distance, IsZeroForTheSameAndOneForNothingInCommon) {
  const Counts a{3, 5, 0, 0};
  const Counts b{0, 0, 7, 1};
  const Counts a_doubled{6, 10, 0, 0};
  for (const auto distance : {jensen_shannon_distance, hellinger_distance}) {
    EXPECT_NEAR(distance(a, a_doubled).value(), 0, 1e-7);
    EXPECT_NEAR(distance(a, b).value(), 1, 1e-12);
    EXPECT_NEAR(distance(b, a).value(), 1, 1e-12);
  }
  EXPECT_EQ(population_stability_index(a, a_doubled).value(), 0);
  EXPECT_EQ(wasserstein_normed(std::vector<double>{1, 2, 2}, std::vector<double>{1, 1, 2, 2, 2, 2}).value(),
            0);
}

TEST(Distance, AConstantReferenceHasASmallestWidth) {
  EXPECT_NEAR(wasserstein_normed(std::vector<double>{5, 5}, std::vector<double>{6}).value(), 1000, 1e-9);
  EXPECT_NEAR(wasserstein_normed(std::vector<double>{5}, std::vector<double>{6}).value(), 1000, 1e-9);
}

TEST(Distance, RefusesWhatCannotBeCompared) {
  EXPECT_FALSE(hellinger_distance(Counts{1, 2}, Counts{1}).has_value());
  EXPECT_FALSE(jensen_shannon_distance(Counts{0}, Counts{1}).has_value());
  EXPECT_FALSE(wasserstein_normed({}, std::vector<double>{1}).has_value());
  EXPECT_FALSE(wasserstein_normed(std::vector<double>{1}, std::vector<double>{kInfinity}).has_value());
}

}  // namespace
}  // namespace holdfast::stats
