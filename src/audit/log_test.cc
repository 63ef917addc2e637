#include "audit/log.h"

#include <gmock/gmock-matchers.h>

#include <thread>

#include "audit/merkle.h"
#include "audit/testing.h"
#include "audit/tiles.h"
#include "base/file.h"

namespace holdfast::audit {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using testing::HasSubstr;
using testing::StartsWith;

class LogTest : public testing::Test {
 protected:
  std::unique_ptr<Log> open(store::Disk& disk = store::system_disk()) {
    auto log = Log::open(folder_.log(), *keys_, {.clock = &clock_, .disk = &disk});
    EXPECT_TRUE(log.has_value()) << log.error().message;
    return log ? *std::move(log) : nullptr;
  }

  TestFolder folder_;
  StillClock clock_;
  std::unique_ptr<keys::KeyStore> keys_ = open_keys(folder_);
};

TEST_F(LogTest, WhatIsAppendedIsReadAgain) {
  auto record = record_of(1);
  record.details = R"({"reason":"drift","count":3})";
  {
    const auto log = open();
    EXPECT_EQ(log->append(record)->index, 0U);
    EXPECT_EQ(log->append(record_of(2, "fraud"))->index, 1U);
    EXPECT_EQ(log->size(), 2U);
  }
  const auto log = open();
  const auto receipt = log->append(record_of(3)).value();
  EXPECT_EQ(receipt.index, 2U);
  const auto records = log->read(0, 10).value();
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0].record.details, R"({"count":3,"reason":"drift"})");
  EXPECT_EQ(records[0].time, clock_.now());
  EXPECT_EQ(records[1].record, record_of(2, "fraud"));
  EXPECT_EQ(records[2].receipt, receipt);
  EXPECT_EQ(log->read(1, 1)->at(0).record, record_of(2, "fraud"));
  EXPECT_TRUE(log->read(3, 1)->empty());
  EXPECT_EQ(code_of(log->read(0, 0)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of(log->read(0, Log::kMaxRead + 1)), ErrorCode::kInvalidArgument);
}

TEST_F(LogTest, AnEmptyLogVerifiesAndOpensAgain) {
  open();
  EXPECT_EQ(fault_of(folder_), "");
  EXPECT_EQ(open()->size(), 0U);
}

TEST_F(LogTest, TheFolderIsThatOfTheSpecification) {
  const auto log = open();
  std::vector<Receipt> receipts;
  for (std::uint64_t i = 0; i < 300; ++i) receipts.push_back(log->note(record_of(i)).value());
  ASSERT_TRUE(log->flush());
  EXPECT_EQ(fs::file_size(folder_.log() / "tile/0/000"), 8192U);
  EXPECT_EQ(fs::file_size(folder_.log() / "tile/0/001.p/44"), 44U * 32);
  EXPECT_EQ(fs::file_size(folder_.log() / "tile/1/000.p/1"), 32U);
  EXPECT_EQ(fs::file_size(folder_.log() / "tile/entries/000"), 256U * 66);
  EXPECT_EQ(fs::file_size(folder_.log() / "tile/entries/001.p/44"), 44U * 66);
  EXPECT_FALSE(fs::exists(folder_.log() / "tile/0/000.p"));
  const auto note = base::read_file(folder_.log() / "checkpoint", 1000).value();
  const auto checkpoint = open_checkpoint(base::as_text(note), log->verifier()).value();
  EXPECT_EQ(checkpoint.origin, "holdfast.local/log");
  EXPECT_EQ(checkpoint.size, 300U);
  const TileHashes hashes(folder_.log(), 300);
  EXPECT_EQ(tree_root(hashes, 300).value(), checkpoint.root);
  for (const std::uint64_t index : {0U, 255U, 256U, 299U}) {
    const auto proof = inclusion_proof(hashes, index, 300).value();
    EXPECT_TRUE(verify_inclusion(index, 300, receipts[index].leaf, proof, checkpoint.root)) << index;
  }
  const auto older = tree_root(hashes, 100).value();
  EXPECT_TRUE(
      verify_consistency(100, older, 300, checkpoint.root, consistency_proof(hashes, 100, 300).value()));
}

TEST_F(LogTest, AppendersShareRoundsAndEachGetsAPlaceOfItsOwn) {
  constexpr std::uint64_t kThreads = 8;
  constexpr std::uint64_t kEach = 200;
  std::vector<std::vector<Receipt>> got(kThreads);
  {
    const auto log = open();
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (std::uint64_t i = 0; i < kEach; ++i)
          got[t].push_back(log->append(record_of(t * kEach + i)).value());
      });
    }
    for (auto& thread : threads) thread.join();
    std::vector<bool> taken(kThreads * kEach);
    for (std::uint64_t t = 0; t < kThreads; ++t) {
      for (std::uint64_t i = 0; i < kEach; ++i) {
        const auto& receipt = got[t][i];
        ASSERT_FALSE(taken.at(receipt.index));
        taken.at(receipt.index) = true;
        const auto stored = log->read(receipt.index, 1)->at(0);
        EXPECT_EQ(stored.receipt, receipt);
        EXPECT_EQ(stored.record, record_of(t * kEach + i));
      }
    }
  }
  EXPECT_EQ(fault_of(folder_, {.keys = keys_.get()}), "");
}

TEST_F(LogTest, ANoteIsDurableWithoutAnybodyWaitingForIt) {
  const auto log = open();
  const auto receipt = log->note(record_of(1)).value();
  // No record after it makes it so; the time is the log's own affair.
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (log->size() == 0 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  EXPECT_EQ(log->read(0, 1)->at(0).receipt, receipt);
}

TEST_F(LogTest, NotesAreDurableWhenTheLogCloses) {
  {
    const auto log = open();
    for (std::uint64_t i = 0; i < 2000; ++i) ASSERT_TRUE(log->note(record_of(i)));
  }
  EXPECT_EQ(open()->size(), 2000U);
  EXPECT_EQ(fault_of(folder_, {.keys = keys_.get()}), "");
}

TEST_F(LogTest, SizesAroundTilesAndSegmentsReopen) {
  std::uint64_t size = 0;
  for (const std::uint64_t next :
       {1U, 255U, 256U, 257U, 511U, 512U, 1023U, 1024U, 1025U, 2047U, 2048U, 2300U}) {
    {
      const auto log = open();
      ASSERT_EQ(log->size(), size);
      for (; size < next; ++size) ASSERT_TRUE(log->note(record_of(size)));
    }
    ASSERT_EQ(fault_of(folder_, {.keys = keys_.get()}), "") << next;
  }
  const auto records = open()->read(1000, 1000).value();
  ASSERT_EQ(records.size(), 1000U);
  EXPECT_EQ(records.back().record, record_of(1999));
}

TEST_F(LogTest, ALargeLogCrossesTwoLevelsOfTiles) {
  constexpr std::uint64_t kRecords = 70'000;
  {
    const auto log = open();
    for (std::uint64_t i = 0; i < kRecords;) {
      if (log->note(record_of(i))) {
        ++i;
      } else {
        ASSERT_TRUE(log->flush());  // the queue was full
      }
    }
  }
  EXPECT_EQ(fs::file_size(folder_.log() / "tile/1/000"), 8192U);
  EXPECT_EQ(fs::file_size(folder_.log() / "tile/2/000.p/1"), 32U);
  EXPECT_EQ(fs::file_size(folder_.log() / "tile/1/001.p/17"), 17U * 32);
  EXPECT_EQ(fault_of(folder_), "");
  const auto log = open();
  EXPECT_EQ(log->size(), kRecords);
  EXPECT_EQ(log->append(record_of(1))->index, kRecords);
}

TEST_F(LogTest, ARecordThatCannotBeKeptIsRefusedAndTheNextIsNot) {
  const auto log = open();
  auto wrong = record_of(1);
  wrong.workspace = base::WorkspaceId("../up");
  EXPECT_EQ(code_of(log->append(wrong)), ErrorCode::kInvalidArgument);
  wrong = record_of(1);
  wrong.actor = std::string(kMaxFieldBytes + 1, 'a');
  EXPECT_EQ(code_of(log->append(wrong)), ErrorCode::kLimitExceeded);
  wrong = record_of(1);
  wrong.actor = "\xff";
  EXPECT_EQ(code_of(log->append(wrong)), ErrorCode::kInvalidArgument);
  for (const auto* details : {"[]", "{", R"({"a":1.5})", R"({"a":1,"a":2})"}) {
    wrong = record_of(1);
    wrong.details = details;
    EXPECT_FALSE(log->append(wrong)) << details;
  }
  auto largest = record_of(1);
  largest.actor = largest.action = largest.resource = largest.decision = std::string(kMaxFieldBytes, '\x01');
  largest.details = R"({"a":")" + std::string(kMaxDetailsBytes - 8, 'x') + "\"}";
  ASSERT_EQ(largest.details.size(), kMaxDetailsBytes);
  EXPECT_EQ(log->append(largest)->index, 0U);
  EXPECT_EQ(log->read(0, 1)->at(0).record, largest);
}

TEST_F(LogTest, ADestroyedBodyIsGoneAndTheLogHolds) {
  const auto log = open();
  for (std::uint64_t i = 0; i < 5; ++i) ASSERT_TRUE(log->append(record_of(i)));
  const auto leaf = log->read(2, 1)->at(0).receipt.leaf;
  const auto receipt = log->destroy_body(2, base::WorkspaceId("credit"), "user:grace").value();
  EXPECT_EQ(receipt.index, 5U);
  const auto gone = log->read(2, 1)->at(0);
  EXPECT_EQ(gone.body, BodyState::kDestroyed);
  EXPECT_EQ(gone.receipt.leaf, leaf);
  EXPECT_TRUE(gone.record.actor.empty());
  EXPECT_EQ(log->read(5, 1)->at(0).record.resource, "record/2");
  ASSERT_TRUE(log->append(record_of(6)));
  ASSERT_TRUE(log->flush());
  EXPECT_EQ(fault_of(folder_, {.keys = keys_.get()}), "");
  EXPECT_EQ(code_of(log->destroy_body(100, base::WorkspaceId("credit"), "x")), ErrorCode::kNotFound);
}

TEST_F(LogTest, ADestroyedKeyTakesTheBodiesAndTheLogHolds) {
  {
    const auto log = open();
    ASSERT_TRUE(log->append(record_of(0)));
    ASSERT_TRUE(log->append(record_of(1, "fraud")));
    ASSERT_TRUE(keys_->destroy(body_key_name(base::WorkspaceId("credit"), 0)));
    EXPECT_EQ(log->read(0, 1)->at(0).body, BodyState::kKeyDestroyed);
    EXPECT_EQ(code_of(log->append(record_of(2))), ErrorCode::kNotFound);
    EXPECT_EQ(log->append(record_of(3, "fraud"))->index, 2U);
  }
  const auto report = verify_log(folder_.log(), verifier_of(folder_), {.keys = keys_.get()}).value();
  EXPECT_FALSE(report.fault);
  EXPECT_EQ(report.opened, 2U);
  EXPECT_EQ(report.without_key, 1U);
}

TEST_F(LogTest, OneProcessHoldsIt) {
  const auto log = open();
  EXPECT_EQ(code_of(Log::open(folder_.log(), *keys_)), ErrorCode::kUnavailable);
}

TEST_F(LogTest, AnotherNameIsAnotherLog) {
  open();
  const auto other = Log::open(folder_.log(), *keys_, {.origin = "other.example/log"});
  EXPECT_FALSE(other);
}

TEST_F(LogTest, WhatIsWrongIsNamedAtTheStart) {
  {
    const auto log = open();
    for (std::uint64_t i = 0; i < 300; ++i) ASSERT_TRUE(log->note(record_of(i)));
  }
  flip_byte(folder_.log() / "tile/entries/001.p/44", 2 * 66 + 10);
  const auto opened = Log::open(folder_.log(), *keys_);
  ASSERT_EQ(code_of(opened), ErrorCode::kDataCorrupt);
  EXPECT_THAT(opened.error().message, StartsWith("tile/entries/001.p/44, record 258: "));
}

TEST_F(LogTest, ACheckpointOfAnEarlierTimeIsRefused) {
  {
    const auto log = open();
    ASSERT_TRUE(log->append(record_of(0)));
  }
  fs::copy_file(folder_.log() / "checkpoint", folder_.path() / "old");
  {
    const auto log = open();
    for (std::uint64_t i = 1; i < 1100; ++i) ASSERT_TRUE(log->note(record_of(i)));
  }
  fs::copy_file(folder_.path() / "old", folder_.log() / "checkpoint", fs::copy_options::overwrite_existing);
  const auto opened = Log::open(folder_.log(), *keys_);
  ASSERT_EQ(code_of(opened), ErrorCode::kDataCorrupt);
}

}  // namespace
}  // namespace holdfast::audit
