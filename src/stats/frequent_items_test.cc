#include "stats/frequent_items.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "stats/philox.h"

namespace holdfast::stats {
namespace {

base::Bytes bytes_of(const FrequentItems& sketch) {
  base::Bytes bytes;
  sketch.append_to(bytes);
  return bytes;
}

// A few frequent texts among many rare ones.
std::vector<std::string> skewed_texts(std::uint64_t seed, int count) {
  PhiloxStream random(seed, 0);
  std::vector<std::string> texts;
  for (int i = 0; i < count; ++i)
    texts.push_back("t" + std::to_string(static_cast<int>(1 / (random.uniform() + 1e-4))));
  return texts;
}

void expect_bounds(const FrequentItems& sketch, const std::vector<std::string>& texts) {
  std::map<std::string, std::uint64_t> truth;
  for (const auto& text : texts) ++truth[text];
  EXPECT_EQ(sketch.total(), texts.size());
  EXPECT_LE(sketch.error() * (sketch.capacity() + 1), sketch.total());
  EXPECT_LE(sketch.items().size(), sketch.capacity());
  for (const auto& item : sketch.items()) {
    EXPECT_LE(item.count, truth[item.text]);
    EXPECT_GE(item.count + sketch.error(), truth[item.text]);
    truth.erase(item.text);
  }
  for (const auto& [text, count] : truth) EXPECT_LE(count, sketch.error()) << text;
}

TEST(FrequentItems, KeepsItsBoundInOnePass) {
  const auto texts = skewed_texts(1, 20'000);
  FrequentItems sketch(32);
  for (const auto& text : texts) sketch.add(text);
  expect_bounds(sketch, texts);
  EXPECT_GT(sketch.error(), 0U);
  EXPECT_EQ(sketch.items().front().text, "t1");
}

TEST(FrequentItems, KeepsItsBoundHoweverMerged) {
  const auto texts = skewed_texts(2, 20'000);
  for (const std::size_t shards : {2U, 9U, 40U}) {
    std::vector<FrequentItems> parts(shards, FrequentItems(32));
    for (std::size_t i = 0; i < texts.size(); ++i) parts[i % shards].add(texts[i]);
    FrequentItems left(32);
    for (const auto& part : parts) left.merge(part);
    expect_bounds(left, texts);
    FrequentItems first_two = parts[0];
    first_two.merge(parts[1]);
    FrequentItems swapped = parts[1];
    swapped.merge(parts[0]);
    EXPECT_EQ(bytes_of(first_two), bytes_of(swapped));
  }
}

TEST(FrequentItems, IsExactWithinItsCapacity) {
  const auto texts = skewed_texts(3, 5000);
  FrequentItems whole(20'000);
  FrequentItems left(20'000);
  FrequentItems right(20'000);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    whole.add(texts[i]);
    (i % 3 == 0 ? left : right).add(texts[i]);
  }
  left.merge(right);
  EXPECT_EQ(whole.error(), 0U);
  EXPECT_EQ(bytes_of(left), bytes_of(whole));
}

TEST(FrequentItems, OrdersByCountThenText) {
  FrequentItems sketch(8);
  for (const char* text : {"b", "a", "c", "c", ""}) sketch.add(text);
  EXPECT_EQ(sketch.items(), (std::vector<FrequentItems::Item>{{"c", 2}, {"", 1}, {"a", 1}, {"b", 1}}));
}

TEST(FrequentItems, CountsWhatIsTooLong) {
  FrequentItems sketch(2);
  sketch.add(std::string(FrequentItems::kMaxTextBytes, 'x'));
  sketch.add(std::string(FrequentItems::kMaxTextBytes + 1, 'x'));
  EXPECT_EQ(sketch.total(), 1U);
  EXPECT_EQ(sketch.too_long(), 1U);
}

TEST(FrequentItems, ReadsWhatItWrote) {
  FrequentItems sketch(16);
  for (int round = 0; round < 3; ++round) {
    const auto again = FrequentItems::parse(bytes_of(sketch));
    ASSERT_TRUE(again.has_value()) << again.error().message;
    EXPECT_EQ(*again, sketch);
    for (const auto& text : skewed_texts(4, round == 0 ? 5 : 500)) sketch.add(text);
  }
}

TEST(FrequentItems, RefusesDamagedBytes) {
  FrequentItems sketch(4);
  for (const char* text : {"a", "a", "b"}) sketch.add(text);
  const base::Bytes bytes = bytes_of(sketch);
  ASSERT_EQ(bytes, (base::Bytes{'F', 1, 4, 3, 0, 0, 2, 2, 1, 'a', 1, 1, 'b'}));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(FrequentItems::parse(base::ByteView(bytes).first(size)).has_value()) << size;
  }
  const auto with = [&](std::size_t at, std::uint8_t value) {
    base::Bytes changed = bytes;
    changed[at] = value;
    return FrequentItems::parse(changed);
  };
  EXPECT_FALSE(with(2, 0).has_value()) << "no capacity";
  EXPECT_FALSE(with(2, 1).has_value()) << "over its capacity";
  EXPECT_FALSE(with(3, 2).has_value()) << "counts over the total";
  EXPECT_FALSE(with(3, 4).has_value()) << "counts under the total without an error";
  EXPECT_FALSE(with(5, 1).has_value()) << "an error over its bound";
  EXPECT_FALSE(with(7, 1).has_value()) << "counts do not add up";
  EXPECT_FALSE(with(12, 'a').has_value()) << "twice the same text";
}

}  // namespace
}  // namespace holdfast::stats
