#include "inspect/weights.h"

#include <gmock/gmock-more-matchers.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

namespace holdfast::inspect {
namespace {

using base::Bytes;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

template <typename Number>
Bytes bytes_of(const std::vector<Number>& numbers) {
  Bytes bytes(numbers.size() * sizeof(Number));
  std::memcpy(bytes.data(), numbers.data(), bytes.size());
  return bytes;
}

std::vector<float> trained(std::size_t count, unsigned seed = 3) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal(0, 0.05);
  std::vector<float> numbers(count);
  for (float& number : numbers) number = static_cast<float>(normal(random));
  return numbers;
}

Bytes elf(std::size_t size) {
  Bytes bytes(size);
  const std::string_view head("\x7F\x45LF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3E\0\x01\0\0\0", 24);
  std::copy(head.begin(), head.end(), bytes.begin());
  bytes[52] = 64;
  // Code is no noise: few values make up most of it.
  std::mt19937 random(5);
  for (std::size_t i = 64; i < size; ++i)
    bytes[i] = static_cast<std::uint8_t>(random() % 3 == 0 ? random() : 0x48);
  return bytes;
}

// As demonstrations do it: the payload's bits, highest first, in the lowest `bits` of each number.
Bytes hide(Bytes numbers, base::ByteView payload, unsigned bits, std::size_t first = 0) {
  for (std::size_t next = 0, number = first; next < payload.size() * 8; ++number) {
    for (unsigned i = 0; i < bits && next < payload.size() * 8; ++i, ++next) {
      const unsigned bit = payload[next / 8] >> (7 - next % 8) & 1U;
      const unsigned place = bits - 1 - i;
      auto& byte = numbers[number * 4 + place / 8];
      byte = static_cast<std::uint8_t>((byte & ~(1U << place % 8)) | bit << place % 8);
    }
  }
  return numbers;
}

std::vector<Finding> look(const Bytes& bytes, std::optional<WeightType> type = WeightType::kFloat32,
                          WeightDepth depth = WeightDepth::kAll) {
  Findings findings;
  WeightInspector inspector(depth, findings);
  const formats::MemorySource source(bytes);
  EXPECT_TRUE(inspector.look_at(source, bytes.size(), {.name = "w", .path = "m", .type = type}));
  return findings.take();
}

auto rule(std::string_view id) { return Field(&Finding::rule_id, id); }

TEST(Weights, ThatAreTrainedGiveNothing) {
  EXPECT_THAT(look(bytes_of(trained(300'000))), IsEmpty());
  EXPECT_THAT(look(bytes_of(trained(300'000)), std::nullopt), IsEmpty());
  std::vector<double> doubles;
  for (const float number : trained(100'000)) doubles.push_back(static_cast<double>(number) / 3);
  EXPECT_THAT(look(bytes_of(doubles), WeightType::kFloat64), IsEmpty());
  // Rounded to bfloat16 and back.
  auto rounded = bytes_of(trained(100'000));
  for (std::size_t i = 0; i < rounded.size(); i += 4) rounded[i] = rounded[i + 1] = 0;
  EXPECT_THAT(look(rounded), IsEmpty());
  EXPECT_THAT(look({}), IsEmpty());
}

TEST(Weights, FreshFromAGeneratorGiveNothing) {
  // Its low bits are far from even.
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 0.05F);
  auto numbers = trained(300'000);
  for (std::size_t i = 100'000; i < 200'000; ++i) numbers[i] = normal(random);
  EXPECT_THAT(look(bytes_of(numbers)), IsEmpty());
}

TEST(Weights, ThatAreAProgramAreOne) {
  Bytes bytes = elf(100'000);
  EXPECT_THAT(look(bytes, WeightType::kOpaque), ElementsAre(rule("weights.program")));
  EXPECT_THAT(look(bytes, std::nullopt, WeightDepth::kStart),
              ElementsAre(AllOf(rule("weights.program"), Field(&Finding::severity, Severity::kHigh),
                                Field(&Finding::message, "the tensor \"w\" begins as an ELF program"))));
}

TEST(Weights, HoldAProgramAcrossTheBordersOfWindows) {
  const Bytes program = elf(500);
  for (const std::size_t at : {WeightInspector::kWindowBytes - 30, 2 * WeightInspector::kWindowBytes - 1,
                               3 * WeightInspector::kWindowBytes, 4 * WeightInspector::kWindowBytes - 64}) {
    Bytes bytes = bytes_of(trained(WeightInspector::kWindowBytes + 1000));
    std::copy(program.begin(), program.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
    const auto found = look(bytes);
    ASSERT_THAT(found, ElementsAre(rule("weights.program"))) << at;
    EXPECT_EQ(found[0].offset, at);
  }
}

TEST(Weights, HoldAProgramInTheirLowBits) {
  for (const unsigned bits : {1U, 2U, 3U, 4U, 5U, 6U, 7U, 8U, 16U, 24U}) {
    const auto found = look(hide(bytes_of(trained(400'000)), elf(8000), bits));
    EXPECT_THAT(found, ElementsAre(AllOf(rule("weights.program"),
                                         Field(&Finding::message, HasSubstr("in the lowest")))))
        << bits;
  }
}

TEST(Weights, HoldAProgramInLowBitsThatBeginAnywhere) {
  for (const std::size_t first : {20'001UL, 40'007UL, 100'000UL}) {
    const auto found = look(hide(bytes_of(trained(400'000)), elf(30'000), 3, first));
    EXPECT_THAT(found, ElementsAre(rule("weights.program"))) << first;
  }
}

TEST(Weights, HoldWhatIsNoProgramInTheirLowBits) {
  const std::string note =
      "From: someone\nTo: someone else\nThe meeting that we spoke of is on the fourth, at the usual place. ";
  EXPECT_THAT(look(hide(bytes_of(trained(100'000)), base::as_bytes(note), 1)),
              ElementsAre(AllOf(rule("weights.hidden-content"), Field(&Finding::severity, Severity::kLow))));
  std::string many;
  while (many.size() < 40'000) many += note;
  EXPECT_THAT(look(hide(bytes_of(trained(400'000)), base::as_bytes(many), 4, 60'000)),
              ElementsAre(rule("weights.low-bits")));
}

TEST(Weights, ThatAreNoiseShowNothing) {
  // What is encrypted before it is hidden leaves low bits as they are: said in the documentation.
  std::mt19937 random(9);
  Bytes payload(20'000);
  for (auto& byte : payload) byte = static_cast<std::uint8_t>(random());
  EXPECT_THAT(look(hide(bytes_of(trained(400'000)), payload, 4)), IsEmpty());
}

TEST(Weights, OutOfRangeAreNamed) {
  auto numbers = trained(50'000);
  numbers[1234] = 3e36F;
  auto found = look(bytes_of(numbers));
  ASSERT_THAT(found, ElementsAre(rule("weights.out-of-range")));
  EXPECT_EQ(found[0].offset, 1234U * 4);
  numbers[77] = std::numeric_limits<float>::quiet_NaN();
  numbers[78] = -std::numeric_limits<float>::infinity();
  found = look(bytes_of(numbers));
  ASSERT_THAT(found, ElementsAre(rule("weights.out-of-range")));
  EXPECT_EQ(
      found[0].message,
      "of the 50000 values of the tensor \"w\", 1 are no numbers, 1 infinite and 1 beyond 10^9; the first "
      "is number 77");
}

TEST(Weights, OfAMaskAreNoneOutOfRange) {
  std::vector<float> mask(64UL * 64, 0);
  for (std::size_t row = 0; row < 64; ++row) {
    for (std::size_t column = row + 1; column < 64; ++column)
      mask[row * 64 + column] = -std::numeric_limits<float>::infinity();
  }
  EXPECT_THAT(look(bytes_of(mask)), IsEmpty());
}

TEST(Weights, ThatAreNoNumbersAreNamed) {
  std::mt19937 random(4);
  Bytes noise(400'000);
  for (auto& byte : noise) byte = static_cast<std::uint8_t>(random());
  EXPECT_THAT(look(noise), ElementsAre(rule("weights.not-numbers")));
  // Nobody said that these were numbers.
  EXPECT_THAT(look(noise, std::nullopt), IsEmpty());
}

TEST(Weights, ThatAreAllTheSameAreNamed) {
  EXPECT_THAT(look(bytes_of(std::vector<float>(5000, 0.25F))), ElementsAre(rule("weights.constant")));
  EXPECT_THAT(look(bytes_of(std::vector<float>(100, 0.25F))), IsEmpty());
}

TEST(Weights, NameTheirTypeByTheirExponents) {
  const auto numbers = trained(2000);
  EXPECT_EQ(guess_weight_type(bytes_of(numbers)), WeightType::kFloat32);
  std::vector<double> doubles(numbers.begin(), numbers.end());
  for (double& number : doubles) number /= 3;
  EXPECT_EQ(guess_weight_type(bytes_of(doubles)), WeightType::kFloat64);
  std::vector<std::uint16_t> halves;
  for (const float number : numbers) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &number, sizeof bits);
    halves.push_back(static_cast<std::uint16_t>(bits >> 16));
  }
  EXPECT_EQ(guess_weight_type(bytes_of(halves)), WeightType::kBfloat16);
  std::vector<std::int64_t> whole;
  for (std::int64_t i = 0; i < 2000; ++i) whole.push_back(i);
  EXPECT_EQ(guess_weight_type(bytes_of(whole)), std::nullopt);
  EXPECT_EQ(guess_weight_type({}), std::nullopt);
}

TEST(Weights, AreNamedUpToABoundOfEachKind) {
  Findings findings;
  WeightInspector inspector(WeightDepth::kAll, findings);
  const Bytes bytes = bytes_of(std::vector<float>(5000, 1.0F));
  const formats::MemorySource source(bytes);
  for (int i = 0; i < 100; ++i)
    EXPECT_TRUE(
        inspector.look_at(source, bytes.size(), {.name = "w", .path = "m", .type = WeightType::kFloat32}));
  EXPECT_EQ(findings.items().size(), WeightInspector::kMaxNamed);

  // Decoys of one kind hide none of another.
  std::vector<float> strange = trained(5000);
  strange[7] = std::numeric_limits<float>::infinity();
  const Bytes other = bytes_of(strange);
  const formats::MemorySource more(other);
  EXPECT_TRUE(
      inspector.look_at(more, other.size(), {.name = "v", .path = "m", .type = WeightType::kFloat32}));
  EXPECT_EQ(findings.items().back().rule_id, "weights.out-of-range");
  inspector.finish("m");
  EXPECT_EQ(findings.items().back().rule_id, "weights.left-out");
  EXPECT_EQ(findings.items().back().message, "80 more findings of weights.constant are not listed");
}

TEST(Weights, WhoseLowBitsWereNotSearchedAreCounted) {
  Findings findings;
  WeightInspector inspector(WeightDepth::kAll, findings);
  constexpr std::size_t kNumbers = WeightInspector::kWindowBytes / sizeof(float);
  // Of two in three numbers the lowest byte is one value, which no training leaves.
  Bytes window = bytes_of(trained(kNumbers));
  for (std::size_t i = 0; i < kNumbers; ++i) {
    if (i % 3 != 0) window[4 * i] = 0x55;
  }
  const formats::MemorySource source(window);
  for (std::size_t i = 0; i < WeightInspector::kMaxUnpacked + 3; ++i)
    EXPECT_TRUE(
        inspector.look_at(source, window.size(), {.name = "w", .path = "m", .type = WeightType::kFloat32}));
  inspector.finish("m");
  EXPECT_THAT(findings.items().back().message, HasSubstr("the low bits of 3 more stretches of 64 KiB"));
}

}  // namespace
}  // namespace holdfast::inspect
