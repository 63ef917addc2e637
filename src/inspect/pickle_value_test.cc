#include "inspect/pickle_value.h"

#include <gmock/gmock-matchers.h>

namespace holdfast::inspect {
namespace {

PickleValue number(std::int64_t value) { return PickleValue::integer(value); }

TEST(Value, KeepsIntegersThatFit) {
  for (const std::int64_t value :
       {std::int64_t{0}, std::int64_t{-1}, (std::int64_t{1} << 54) - 1, -(std::int64_t{1} << 54)}) {
    EXPECT_TRUE(number(value).is(PickleKind::kInt));
    EXPECT_EQ(number(value).number(), value);
  }
  EXPECT_TRUE(number(std::int64_t{1} << 54).is(PickleKind::kNumber));
  EXPECT_EQ(sizeof(PickleValue), 8U);
}

TEST(Heap, KeepsTextUntilItsRingComesRound) {
  PickleHeap heap(/*share=*/1024);
  const PickleValue name = heap.string("os");
  const PickleValue pinned = heap.string("numpy");
  heap.pin(pinned);
  EXPECT_EQ(heap.text_of(name), "os");
  const std::string filler(200, 'x');
  for (std::size_t i = 0; i < PickleHeap::kTextBytes / 1024 / filler.size() + 2; ++i) heap.string(filler);
  EXPECT_EQ(heap.text_of(name), std::nullopt);
  EXPECT_EQ(heap.text_of(pinned), "numpy");
}

TEST(Heap, KeepsEveryTextOfTheLastRound) {
  PickleHeap heap(/*share=*/1024);
  std::vector<PickleValue> recent;
  for (int i = 0; i < 5000; ++i) {
    recent.push_back(heap.string("text" + std::to_string(i)));
    for (int back = 0; back < 50 && back <= i; ++back) {
      ASSERT_EQ(heap.text_of(recent[static_cast<std::size_t>(i - back)]), "text" + std::to_string(i - back));
    }
  }
}

TEST(Heap, KeepsSmallTuplesOnly) {
  PickleHeap heap;
  const std::vector<PickleValue> items(PickleHeap::kMaxTupleKept, number(3));
  EXPECT_EQ(heap.items_of(heap.tuple(items))->size(), items.size());
  const std::vector<PickleValue> many(PickleHeap::kMaxTupleKept + 1, number(3));
  EXPECT_TRUE(heap.tuple(many).is(PickleKind::kSequence));
  EXPECT_TRUE(heap.string(std::string(256, 'x')).is(PickleKind::kText));
}

TEST(Memo, CountsSlotsAsPythonDoes) {
  PickleMemo memo;
  memo.put(5, number(1));
  EXPECT_EQ(memo.count(), 1U);
  memo.put(5, number(2));
  EXPECT_EQ(memo.count(), 1U);
  EXPECT_EQ(memo.get(5), number(2));
  EXPECT_TRUE(memo.get(4).is(PickleKind::kAbsent));
  EXPECT_TRUE(memo.get(~std::uint64_t{0}).is(PickleKind::kAbsent));
}

TEST(Memo, ForgetsSlotsInOrderPastItsBoundButKeepsGlobals) {
  PickleMemo memo(/*share=*/PickleMemo::kMaxPages);
  const PickleValue global(PickleKind::kGlobal, 7);
  for (std::uint64_t i = 0; i < PickleMemo::kPageSlots; ++i) memo.put(memo.count(), number(1));
  memo.put(memo.count(), number(2));
  memo.put(memo.count(), global);
  EXPECT_EQ(memo.count(), PickleMemo::kPageSlots + 2);
  EXPECT_EQ(memo.get(3), number(1));
  EXPECT_TRUE(memo.get(PickleMemo::kPageSlots).is(PickleKind::kUnknown));
  EXPECT_EQ(memo.get(PickleMemo::kPageSlots + 1), global);
  EXPECT_TRUE(memo.get(PickleMemo::kPageSlots + 2).is(PickleKind::kAbsent));
  memo.put(PickleMemo::kPageSlots + 1, number(4));
  EXPECT_TRUE(memo.get(PickleMemo::kPageSlots + 1).is(PickleKind::kUnknown));
}

// A slot beyond that may or may not be new makes the number of slots unknown, and with it where MEMOIZE
// writes.
TEST(Memo, ForgetsEverythingOnceTheNumberOfSlotsIsUnknown) {
  PickleMemo memo(/*share=*/PickleMemo::kMaxPages);
  memo.put(0, number(1));
  memo.put(std::uint64_t{1} << 40, number(2));
  EXPECT_TRUE(memo.get(0).is(PickleKind::kUnknown));
  EXPECT_TRUE(memo.get(std::uint64_t{1} << 40).is(PickleKind::kUnknown));
  memo.put(0, number(3));
  EXPECT_TRUE(memo.get(0).is(PickleKind::kUnknown));
}

TEST(Memo, LaysItselfOverAnother) {
  PickleMemo under;
  under.put(0, number(1));
  under.put(1, number(2));
  PickleMemo over(1, &under);
  EXPECT_EQ(over.count(), 2U);
  over.put(1, number(3));
  over.put(over.count(), number(4));
  EXPECT_EQ(over.count(), 3U);
  EXPECT_EQ(over.get(0), number(1));
  EXPECT_EQ(over.get(1), number(3));
  EXPECT_EQ(over.get(2), number(4));
  EXPECT_EQ(under.get(1), number(2));
}

}  // namespace
}  // namespace holdfast::inspect
