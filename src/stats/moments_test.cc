#include "stats/moments.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "stats/golden_data.h"
#include "stats/philox.h"

namespace holdfast::stats {
namespace {

Moments moments_of(const std::vector<double>& values) {
  Moments moments;
  for (const double value : values) moments.add(value);
  return moments;
}

base::Bytes bytes_of(const Moments& moments) {
  base::Bytes bytes;
  moments.append_to(bytes);
  return bytes;
}

TEST(Moments, AreTheExactResultsRoundedOnce) {
  for (const auto& c : golden("moments")) {
    const Moments moments = moments_of(values_of(c["values"]));
    EXPECT_EQ(moments.mean(), c["mean"]) << c["values"];
    if (c["variance"].is_null()) {
      EXPECT_TRUE(std::isinf(moments.variance())) << c["values"];
    } else {
      EXPECT_EQ(moments.variance(), c["variance"]) << c["values"];
    }
  }
}

TEST(Moments, ShardsInAnyOrderAreOnePassBitForBit) {
  PhiloxStream random(1, 0);
  std::vector<double> values;
  for (int i = 0; i < 3000; ++i)
    values.push_back(random.normal() * std::exp2(std::floor(random.uniform() * 200) - 100));
  values.insert(values.end(), {0.0, -0.0, 5e-324, -1e308, kNan, kInfinity});
  const base::Bytes one_pass = bytes_of(moments_of(values));
  std::reverse(values.begin(), values.end());
  for (const std::size_t shards : {1U, 2U, 7U, 64U}) {
    std::vector<Moments> parts(shards);
    for (std::size_t i = 0; i < values.size(); ++i) parts[i * 31 % shards].add(values[i]);
    Moments left;
    for (const Moments& part : parts) left.merge(part);
    Moments right = parts.back();
    for (std::size_t i = shards - 1; i-- > 0;) {
      Moments part = parts[i];
      part.merge(right);
      right = part;
    }
    EXPECT_EQ(bytes_of(left), one_pass);
    EXPECT_EQ(bytes_of(right), one_pass);
  }
}

TEST(Moments, OfFewValues) {
  EXPECT_TRUE(std::isnan(Moments().mean()));
  EXPECT_TRUE(std::isnan(moments_of({3}).variance()));
  EXPECT_EQ(moments_of({3}).mean(), 3);
  EXPECT_EQ(moments_of({-2, 2}).mean(), 0);
  EXPECT_EQ(moments_of({-2, 2}).variance(), 8);
  EXPECT_EQ(moments_of({.1, .1, .1}).variance(), 0) << "equal values have no spread at all";
}

TEST(Moments, CountWhatIsNotFinite) {
  const Moments moments = moments_of({1, kNan, kInfinity, -kInfinity, 2});
  EXPECT_EQ(moments.count(), 2U);
  EXPECT_EQ(moments.not_finite(), 3U);
  EXPECT_EQ(moments.mean(), 1.5);
}

TEST(Moments, MergeWithThemselves) {
  Moments moments = moments_of({1, -7, 3e40});
  Moments twice = moments;
  twice.merge(moments);
  moments.merge(moments);
  EXPECT_EQ(moments, twice);
}

TEST(Moments, ReadWhatTheyWrote) {
  for (const auto& values : {std::vector<double>{}, {0.0}, {1.0, -3.5, 1e-300}, {kNan}}) {
    const Moments moments = moments_of(values);
    const auto again = Moments::parse(bytes_of(moments));
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(*again, moments);
  }
}

TEST(Moments, RefuseDamagedBytes) {
  const base::Bytes bytes = bytes_of(moments_of({1, -3.5, 1024}));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(Moments::parse(base::ByteView(bytes).first(size)).has_value()) << size;
  }
  base::Bytes longer = bytes;
  longer.push_back(0);
  EXPECT_FALSE(Moments::parse(longer).has_value());
  base::Bytes other_kind = bytes;
  other_kind[0] = 'H';
  EXPECT_FALSE(Moments::parse(other_kind).has_value());
  base::Bytes other_version = bytes;
  other_version[1] = 2;
  EXPECT_EQ(Moments::parse(other_version).error().message,
            "the sketch of moments is damaged: its version is not 1");
  base::Bytes empty_octave = bytes;
  std::fill(empty_octave.end() - 24, empty_octave.end(), std::uint8_t{0});  // the last octave's squares
  EXPECT_FALSE(Moments::parse(empty_octave).has_value());
}

}  // namespace
}  // namespace holdfast::stats
