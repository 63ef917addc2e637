#include "stats/hyperloglog.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "stats/golden_data.h"

namespace holdfast::stats {
namespace {

base::Bytes bytes_of(const HyperLogLog& sketch) {
  base::Bytes bytes;
  sketch.append_to(bytes);
  return bytes;
}

HyperLogLog sketch_of(int first, int last) {
  HyperLogLog sketch;
  for (int i = first; i < last; ++i) sketch.add(static_cast<double>(i));
  return sketch;
}

TEST(Hash64, AgreesWithXxhash) {
  base::Bytes text;
  for (int copy = 0; copy < 2; ++copy) {
    for (std::uint8_t c = 33; c < 120; ++c) text.push_back(c);
  }
  for (const auto& [size, hash] : golden("hashes").items()) {
    const auto bytes = base::ByteView(text).first(std::stoul(size));
    EXPECT_EQ(hash64(bytes), base::load_be<std::uint64_t>(base::hex_decode(hash.get<std::string>()).value()))
        << size;
  }
}

TEST(Hash64, OfANumberIsThatOfItsBytes) {
  const base::Bytes bytes{1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_EQ(hash64(std::uint64_t{0x0807060504030201}), hash64(base::ByteView(bytes)));
}

TEST(HyperLogLog, EstimatesWithinItsError) {
  EXPECT_EQ(HyperLogLog().estimate(), 0);
  EXPECT_NEAR(sketch_of(0, 1).estimate(), 1, .01);
  for (const int count : {10, 100, 1000, 4096, 10'000, 30'000, 300'000}) {
    EXPECT_NEAR(sketch_of(0, count).estimate() / count, 1, 3 * HyperLogLog::kRelativeStandardError) << count;
  }
}

TEST(HyperLogLog, HasTheStandardErrorItStates) {
  double squares = 0;
  constexpr int kRuns = 60;
  constexpr int kCount = 5000;
  for (int run = 0; run < kRuns; ++run) {
    const double error = sketch_of(run * kCount, (run + 1) * kCount).estimate() / kCount - 1;
    squares += error * error;
  }
  EXPECT_NEAR(std::sqrt(squares / kRuns), HyperLogLog::kRelativeStandardError, .005);
}

TEST(HyperLogLog, CountsAValueOnce) {
  HyperLogLog sketch;
  for (int i = 0; i < 1000; ++i) {
    sketch.add(0.0);
    sketch.add(-0.0);
    sketch.add(kNan);
    sketch.add(-kNan);
  }
  EXPECT_NEAR(sketch.estimate(), 2, .01);
  sketch.add(base::as_bytes("a text"));
  EXPECT_NEAR(sketch.estimate(), 3, .01);
  const Interval interval = sketch.interval(kConfidence95);
  EXPECT_LT(interval.low, 3);
  EXPECT_GT(interval.high, 3);
}

TEST(HyperLogLog, ShardsAreOnePassBitForBit) {
  HyperLogLog left = sketch_of(0, 4000);
  HyperLogLog right = sketch_of(6000, 9000);
  HyperLogLog middle = sketch_of(3000, 7000);
  HyperLogLog a = left;
  a.merge(middle);
  a.merge(right);
  right.merge(middle);
  right.merge(left);
  EXPECT_EQ(a, right);
  EXPECT_EQ(bytes_of(a), bytes_of(sketch_of(0, 9000)));
}

TEST(HyperLogLog, ReadsWhatItWrote) {
  for (const int count : {0, 1, 50, 1000, 1200, 1300, 50'000}) {
    const HyperLogLog sketch = sketch_of(0, count);
    const auto again = HyperLogLog::parse(bytes_of(sketch));
    ASSERT_TRUE(again.has_value()) << again.error().message;
    EXPECT_EQ(*again, sketch);
  }
  EXPECT_LT(bytes_of(sketch_of(0, 50)).size(), 200U);
}

TEST(HyperLogLog, RefusesDamagedBytes) {
  const base::Bytes bytes = bytes_of(sketch_of(0, 20));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(HyperLogLog::parse(base::ByteView(bytes).first(size)).has_value()) << size;
  }
  base::Bytes zero_register = bytes;
  zero_register.back() = 0;
  EXPECT_FALSE(HyperLogLog::parse(zero_register).has_value());
  base::Bytes too_high = bytes;
  too_high.back() = 54;
  EXPECT_FALSE(HyperLogLog::parse(too_high).has_value());
  base::Bytes dense = bytes_of(sketch_of(0, 50'000));
  EXPECT_FALSE(HyperLogLog::parse(base::ByteView(dense).first(dense.size() - 1)).has_value());
  dense[10] = dense[10] == 0 ? 1 : 0;  // the count of registers in use no longer fits
  EXPECT_FALSE(HyperLogLog::parse(dense).has_value());
}

}  // namespace
}  // namespace holdfast::stats
