#include "stats/philox.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "stats/distribution.h"
#include "stats/golden_data.h"

namespace holdfast::stats {
namespace {

TEST(Philox, GivesTheAuthorsKnownAnswers) {
  std::ifstream vectors(HOLDFAST_TESTDATA "/philox4x32_10.txt");
  int read = 0;
  for (std::string line; std::getline(vectors, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    std::array<std::uint32_t, 4> counter{};
    std::array<std::uint32_t, 2> key{};
    std::array<std::uint32_t, 4> expected{};
    words >> std::hex;
    for (auto* const part : {counter.data(), expected.data()}) {
      for (int i = 0; i < 4; ++i) words >> part[i];
      if (part == counter.data()) words >> key[0] >> key[1];
    }
    ASSERT_FALSE(words.fail()) << line;
    EXPECT_EQ(philox4x32_10(counter, key), expected) << line;
    ++read;
  }
  EXPECT_EQ(read, 3);
}

TEST(Philox, StreamsAreNamedBySeedAndNumber) {
  PhiloxStream a(7, 1);
  PhiloxStream again(7, 1);
  PhiloxStream other_stream(7, 2);
  PhiloxStream other_seed(8, 1);
  for (int i = 0; i < 9; ++i) {
    const std::uint64_t value = a.next();
    EXPECT_EQ(value, again.next());
    EXPECT_NE(value, other_stream.next());
    EXPECT_NE(value, other_seed.next());
  }
}

TEST(Philox, UniformStaysBelowOne) {
  PhiloxStream random(1, 1);
  double sum = 0;
  for (int i = 0; i < 100'000; ++i) {
    const double x = random.uniform();
    ASSERT_GE(x, 0);
    ASSERT_LT(x, 1);
    sum += x;
  }
  EXPECT_NEAR(sum / 100'000, .5, .005);
}

// Pearson's test of 200 000 draws against the exact probabilities, values expected under 5 times pooled at
// the end.
double goodness_of_fit(std::uint64_t trials, double probability) {
  constexpr int kDraws = 200'000;
  std::vector<double> seen(trials + 1);
  PhiloxStream random(42, trials);
  for (int i = 0; i < kDraws; ++i) seen[random.binomial(trials, probability)] += 1;
  double statistic = 0;
  double cells = 0;
  double pooled_seen = 0;
  double pooled_expected = 0;
  const auto n = static_cast<double>(trials);
  for (std::uint64_t k = 0; k <= trials; ++k) {
    const auto x = static_cast<double>(k);
    const double expected = kDraws *
                            std::exp(x * std::log(probability) + (n - x) * std::log1p(-probability) -
                                     log_beta(x + 1, n - x + 1)) /
                            (n + 1);
    if (expected < 5) {
      pooled_seen += seen[k];
      pooled_expected += expected;
      continue;
    }
    statistic += (seen[k] - expected) * (seen[k] - expected) / expected;
    cells += 1;
  }
  statistic += (pooled_seen - pooled_expected) * (pooled_seen - pooled_expected) / (pooled_expected + 1);
  return chi_squared_upper_tail(statistic, cells);
}

TEST(Philox, BinomialHasTheRightDistribution) {
  EXPECT_GT(goodness_of_fit(20, .1), .001);      // inversion
  EXPECT_GT(goodness_of_fit(20, .9), .001);      // mirrored
  EXPECT_GT(goodness_of_fit(3000, .002), .001);  // inversion with many trials
  EXPECT_GT(goodness_of_fit(25, .5), .001);      // rejection, as small as it gets
  EXPECT_GT(goodness_of_fit(400, .3), .001);
  EXPECT_GT(goodness_of_fit(1000, .97), .001);
}

TEST(Philox, BinomialAtItsEdges) {
  PhiloxStream random(1, 1);
  EXPECT_EQ(random.binomial(0, .5), 0U);
  EXPECT_EQ(random.binomial(10, 0), 0U);
  EXPECT_EQ(random.binomial(10, -1), 0U);
  EXPECT_EQ(random.binomial(10, 1), 10U);
  EXPECT_EQ(random.binomial(10, 1.0000001), 10U);
  EXPECT_EQ(random.binomial(10, kNan), 0U);
  const std::uint64_t most = 1ULL << 53;
  const auto half = static_cast<double>(random.binomial(most, .5));
  EXPECT_NEAR(half / static_cast<double>(most), .5, 1e-6);
}

}  // namespace
}  // namespace holdfast::stats
