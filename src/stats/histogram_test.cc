#include "stats/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "stats/golden_data.h"
#include "stats/philox.h"

namespace holdfast::stats {
namespace {

LogLinearHistogram histogram_of(const std::vector<double>& values) {
  LogLinearHistogram histogram;
  for (const double value : values) histogram.add(value);
  return histogram;
}

base::Bytes bytes_of(const LogLinearHistogram& histogram) {
  base::Bytes bytes;
  histogram.append_to(bytes);
  return bytes;
}

std::vector<double> mixed_values(std::uint64_t seed, int count) {
  PhiloxStream random(seed, 0);
  std::vector<double> values;
  for (int i = 0; i < count; ++i)
    values.push_back(random.normal() * std::exp2(std::floor(random.uniform() * 20) - 10));
  return values;
}

TEST(LogLinearHistogram, QuantilesKeepTheirBound) {
  std::vector<double> values = mixed_values(1, 2001);
  const LogLinearHistogram histogram = histogram_of(values);
  std::sort(values.begin(), values.end());
  for (const double p : {0.0, .001, .1, .25, .5, .75, .9, .999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::max(1.0, std::ceil(p * 2001)));
    const double truth = values[rank - 1];
    const LogLinearHistogram::Quantile quantile = histogram.quantile(p).value();
    EXPECT_LE(quantile.low, truth) << p;
    EXPECT_GE(quantile.high, truth) << p;
    EXPECT_LE(std::abs(quantile.value - truth), LogLinearHistogram::kRelativeError * std::abs(truth)) << p;
  }
  EXPECT_EQ(histogram.min(), values.front());
  EXPECT_EQ(histogram.max(), values.back());
  EXPECT_FALSE(LogLinearHistogram().quantile(.5).has_value());
}

TEST(LogLinearHistogram, ShardsInAnyOrderAreOnePassBitForBit) {
  std::vector<double> values = mixed_values(2, 3000);
  values.insert(values.end(), {0.0, -0.0, 1e-30, -1e30, 1e300, -1e300, kNan, kInfinity});
  const base::Bytes one_pass = bytes_of(histogram_of(values));
  std::reverse(values.begin(), values.end());
  for (const std::size_t shards : {1U, 3U, 50U}) {
    std::vector<LogLinearHistogram> parts(shards);
    for (std::size_t i = 0; i < values.size(); ++i) parts[i * 17 % shards].add(values[i]);
    LogLinearHistogram left;
    for (const LogLinearHistogram& part : parts) left.merge(part);
    LogLinearHistogram right = parts.back();
    for (std::size_t i = shards - 1; i-- > 0;) {
      LogLinearHistogram part = parts[i];
      part.merge(right);
      right = part;
    }
    EXPECT_EQ(bytes_of(left), one_pass);
    EXPECT_EQ(bytes_of(right), one_pass);
  }
}

TEST(LogLinearHistogram, BucketsAscendAndHoldTheirValues) {
  for (const double value :
       {1.0, 1.0156249, 3.7, 63.999, -2.0, -2.1, 1e-18, 0.0, -0.0, 1e-21, 1e19, -1e25, 1e308}) {
    const auto buckets = histogram_of({value}).buckets();
    ASSERT_EQ(buckets.size(), 1U);
    EXPECT_LE(buckets[0].low, value);
    EXPECT_GE(buckets[0].high, value);
  }
  const auto buckets = histogram_of(mixed_values(3, 500)).buckets();
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    count += buckets[i].count;
    EXPECT_LE(i == 0 ? buckets[0].low : buckets[i - 1].high, buckets[i].low);
  }
  EXPECT_EQ(count, 500U);
}

TEST(LogLinearHistogram, CountsBetweenFrozenEdges) {
  const LogLinearHistogram histogram = histogram_of({-8, -1, 0, .5, 1.5, 3, 3.1, 100, 1e30});
  EXPECT_EQ(histogram.counts_between(std::vector<double>{-2, 0, 1, 4}),
            (std::vector<std::uint64_t>{1, 2, 1, 3, 2}));
  EXPECT_EQ(histogram.counts_between({}), std::vector<std::uint64_t>{9});
}

TEST(LogLinearHistogram, CountsWhatIsNotFinite) {
  const LogLinearHistogram histogram = histogram_of({kNan, kInfinity, -kInfinity, 4});
  EXPECT_EQ(histogram.count(), 1U);
  EXPECT_EQ(histogram.not_finite(), 3U);
  EXPECT_EQ(histogram.max(), 4);
}

TEST(LogLinearHistogram, ReadsWhatItWrote) {
  for (const auto& values : {std::vector<double>{},
                             {0.0},
                             {-0.0},
                             {1.0},
                             {-1.0, 2.0},
                             {1e300, -1e300},
                             {kNan},
                             mixed_values(4, 300)}) {
    const LogLinearHistogram histogram = histogram_of(values);
    const auto again = LogLinearHistogram::parse(bytes_of(histogram));
    ASSERT_TRUE(again.has_value()) << again.error().message;
    EXPECT_EQ(*again, histogram);
  }
}

TEST(LogLinearHistogram, RefusesDamagedBytes) {
  const base::Bytes bytes = bytes_of(histogram_of({1, -3.5, 1024, 0}));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(LogLinearHistogram::parse(base::ByteView(bytes).first(size)).has_value()) << size;
  }
  base::Bytes longer = bytes;
  longer.push_back(0);
  EXPECT_FALSE(LogLinearHistogram::parse(longer).has_value());
  for (const std::size_t i :
       {9U, 10U, 11U, 17U, 18U, 19U}) {  // bits of the extremes that choose their buckets
    base::Bytes moved = bytes;
    moved[i] ^= 0x40;
    EXPECT_FALSE(LogLinearHistogram::parse(moved).has_value()) << i;
  }
}

TEST(LogLinearHistogram, RefusesCountsThatDoNotAddUp) {
  base::Bytes bytes = bytes_of(histogram_of({0}));
  // not_finite, zeros, min, max, then twice "none beyond, no octave".
  ASSERT_EQ(bytes.size(), 2U + 1 + 1 + 16 + 4);
  bytes[3] = 0;  // no zero any more, but extremes
  EXPECT_FALSE(LogLinearHistogram::parse(bytes).has_value());
  bytes[3] = 0x80;  // 0 in two bytes
  bytes.insert(bytes.begin() + 4, 0);
  EXPECT_EQ(LogLinearHistogram::parse(bytes).error().message,
            "the histogram is damaged: a count is not in its shortest form");
}

}  // namespace
}  // namespace holdfast::stats
