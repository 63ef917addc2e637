#include "inspect/unpacking.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace holdfast::inspect {
namespace {

using base::Bytes;
using base::ErrorCode;

Bytes some_bytes(std::size_t size) {
  Bytes bytes(size);
  std::uint64_t state = 1;
  for (std::uint8_t& byte : bytes) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    byte = static_cast<std::uint8_t>(state >> 56);
  }
  return bytes;
}

// Breaks off after `good` bytes.
class BreakingStream final : public formats::Stream {
 public:
  BreakingStream(const formats::Source& source, std::uint64_t good) : stream_(source), good_(good) {}
  base::Result<std::size_t> read(base::MutableByteView buffer) override {
    if (good_ == 0) return base::fail(ErrorCode::kDataCorrupt, "it breaks off");
    HF_TRY(const std::size_t got, stream_.read(buffer.first(std::min<std::size_t>(buffer.size(), good_))));
    good_ -= got;
    return got;
  }

 private:
  formats::SourceStream stream_;
  std::size_t good_;
};

class UnpackedSources : public testing::TestWithParam<bool> {  // whether there is room to hold all
 protected:
  void SetUp() override {
    if (!GetParam()) budget_.held().change(0, UnpackBudget::kMaxHeldBytes);
  }
  std::unique_ptr<UnpackedSource> unpack(std::size_t head) {
    const Reopen reopen = [this]() -> base::Result<std::unique_ptr<formats::Stream>> {
      ++opened_;
      return std::make_unique<formats::SourceStream>(source_);
    };
    formats::SourceStream rest(source_, head);
    return UnpackedSource::read(base::ByteView(bytes_).first(head), rest, reopen, budget_);
  }

  Bytes bytes_ = some_bytes((3UL << 20) + 77);
  formats::MemorySource source_{bytes_};
  UnpackBudget budget_{1UL << 20};
  int opened_ = 0;
};
INSTANTIATE_TEST_SUITE_P(HeldOrNot, UnpackedSources, testing::Bool());

TEST_P(UnpackedSources, GiveTheSameBytesAtAnyPlace) {
  const auto unpacked = unpack(64UL << 10);
  EXPECT_EQ(unpacked->size(), bytes_.size());
  EXPECT_FALSE(unpacked->fault());
  Bytes buffer(300'000);
  for (const std::size_t at : {0UL, 5UL, 3'000'000UL, 2'900'000UL, 262'143UL, 262'144UL, 1'000'000UL, 10UL}) {
    const std::size_t expected = std::min(buffer.size(), bytes_.size() - at);
    ASSERT_EQ(unpacked->read_at(at, buffer).value(), expected);
    EXPECT_TRUE(std::equal(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(expected),
                           bytes_.begin() + static_cast<std::ptrdiff_t>(at)))
        << at;
  }
  EXPECT_EQ(unpacked->read_at(bytes_.size(), buffer).value(), 0U);
  EXPECT_EQ(opened_ == 0, GetParam());
}

TEST_P(UnpackedSources, GiveBackWhatTheyHeld) {
  const std::uint64_t before = budget_.held().left();
  const auto other = unpack(0);
  unpack(100);
  const std::uint64_t with_one = budget_.held().left();
  unpack(100);
  EXPECT_EQ(budget_.held().left(), with_one);
  EXPECT_GE(before, with_one);
}

TEST(UnpackedSource, IsWhatCameBeforeAFault) {
  const Bytes bytes = some_bytes(1000);
  const formats::MemorySource source(bytes);
  UnpackBudget budget(1000);
  BreakingStream stream(source, 600);
  const auto unpacked = UnpackedSource::read({}, stream, {}, budget);
  EXPECT_EQ(unpacked->size(), 600U);
  ASSERT_TRUE(unpacked->fault());
  EXPECT_EQ(unpacked->fault()->code, ErrorCode::kDataCorrupt);
}

TEST(MeteredStream, CountsAndRemembers) {
  const Bytes bytes = some_bytes(1000);
  const formats::MemorySource source(bytes);
  UnpackBudget budget(1000);
  formats::SourceStream whole(source);
  MeteredStream good(whole, budget);
  EXPECT_TRUE(good.drain());
  EXPECT_FALSE(good.fault());
  BreakingStream broken(source, 600);
  MeteredStream bad(broken, budget);
  EXPECT_FALSE(bad.drain());
  EXPECT_EQ(bad.fault()->code, ErrorCode::kDataCorrupt);
  Bytes buffer(10);
  EXPECT_FALSE(bad.read(buffer).has_value());
}

TEST(UnpackBudget, IsSpentForGood) {
  UnpackBudget ratio(1000);
  EXPECT_TRUE(ratio.add_bytes(UnpackBudget::kRatioFloor).has_value());
  EXPECT_EQ(ratio.add_bytes(1).error().code, ErrorCode::kLimitExceeded);
  EXPECT_TRUE(ratio.spent());
  EXPECT_FALSE(ratio.add_member().has_value());
  EXPECT_FALSE(ratio.add_replayed(0).has_value());

  UnpackBudget large(4ULL << 30);
  EXPECT_TRUE(large.add_bytes(UnpackBudget::kMaxBytes).has_value());
  EXPECT_FALSE(large.add_bytes(~0ULL).has_value());

  UnpackBudget many(1);
  for (std::uint64_t i = 0; i < UnpackBudget::kMaxMembers; ++i) ASSERT_TRUE(many.add_member().has_value());
  EXPECT_FALSE(many.add_member().has_value());

  UnpackBudget replays(1);
  EXPECT_TRUE(replays.add_replayed(UnpackBudget::kMaxReplayedBytes).has_value());
  EXPECT_FALSE(replays.add_replayed(1).has_value());
}

TEST(Reopen, GivesARangeOfWhatIsBelow) {
  const Bytes bytes = some_bytes(1000);
  const formats::MemorySource source(bytes);
  const Reopen whole = [&]() -> base::Result<std::unique_ptr<formats::Stream>> {
    return std::make_unique<formats::SourceStream>(source);
  };
  UnpackBudget budget(1000);
  for (int again = 0; again < 2; ++again) {
    const auto stream = reopen_within(whole, 100, 50, budget)().value();
    Bytes buffer(1000);
    ASSERT_EQ(stream->read(buffer).value(), 50U);
    EXPECT_TRUE(std::equal(buffer.begin(), buffer.begin() + 50, bytes.begin() + 100));
    EXPECT_EQ(stream->read(buffer).value(), 0U);
  }
  Bytes buffer(10);
  EXPECT_EQ(reopen_within(whole, 2000, 1, budget)().value()->read(buffer).error().code,
            ErrorCode::kDataCorrupt);
  // What lies before counts each time.
  EXPECT_TRUE(budget.add_replayed(UnpackBudget::kMaxReplayedBytes - 3000).has_value());
  EXPECT_EQ(reopen_within(whole, 2000, 1, budget)().error().code, ErrorCode::kLimitExceeded);
}

}  // namespace
}  // namespace holdfast::inspect
