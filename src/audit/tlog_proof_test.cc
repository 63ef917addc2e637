#include "audit/tlog_proof.h"

#include <gmock/gmock-matchers.h>

#include "audit/log.h"
#include "audit/testing.h"

namespace holdfast::audit {
namespace {

using base::ErrorCode;

class TlogProofTest : public testing::Test {
 protected:
  std::unique_ptr<Log> open() { return Log::open(folder_.log(), *keys_, {.clock = &clock_}).value(); }

  TestFolder folder_;
  StillClock clock_;
  std::unique_ptr<keys::KeyStore> keys_ = open_keys(folder_);
};

TEST_F(TlogProofTest, EveryRecordIsProvedInLogsOfEverySize) {
  const auto log = open();
  for (std::uint64_t size = 1; size <= 20; ++size) {
    ASSERT_TRUE(log->append(record_of(size)));
    for (std::uint64_t index = 0; index < size; ++index) {
      const auto text = write_tlog_proof(log->prove(index).value());
      const auto proved = verify_record_proof(parse_tlog_proof(text).value(), log->verifier());
      ASSERT_TRUE(proved) << proved.error().message;
      EXPECT_EQ(proved->record, record_of(index + 1));
      EXPECT_EQ(proved->index, index);
      EXPECT_EQ(proved->checkpoint.size, size);
      EXPECT_EQ(proved->time, clock_.now());
    }
  }
}

TEST_F(TlogProofTest, ProvesAcrossTiles) {
  const auto log = open();
  for (std::uint64_t i = 0; i < 700; ++i) ASSERT_TRUE(log->note(record_of(i)));
  for (const std::uint64_t index : {0UL, 255UL, 256UL, 511UL, 512UL, 699UL}) {
    const auto proof = log->prove(index);
    ASSERT_TRUE(proof) << proof.error().message;
    EXPECT_TRUE(verify_record_proof(*proof, log->verifier()));
  }
}

TEST_F(TlogProofTest, NothingOfItCanBeChanged) {
  const auto log = open();
  for (std::uint64_t i = 0; i < 5; ++i) ASSERT_TRUE(log->append(record_of(i)));
  const auto text = write_tlog_proof(log->prove(2).value());
  for (std::size_t at = 0; at < text.size(); ++at) {
    auto changed = text;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    const auto proof = parse_tlog_proof(changed);
    EXPECT_FALSE(proof && verify_record_proof(*proof, log->verifier())) << at;
  }
  for (std::size_t end = 0; end < text.size(); ++end) {
    const auto proof = parse_tlog_proof(text.substr(0, end));
    EXPECT_FALSE(proof && verify_record_proof(*proof, log->verifier())) << end;
  }
}

TEST_F(TlogProofTest, AnotherRecordOrLogIsNotProved) {
  const auto log = open();
  for (std::uint64_t i = 0; i < 5; ++i) ASSERT_TRUE(log->append(record_of(i)));
  auto proof = log->prove(2).value();
  proof.extra = log->prove(3)->extra;
  EXPECT_EQ(code_of(verify_record_proof(proof, log->verifier())), ErrorCode::kDataCorrupt);
  const auto other = crypto::NoteVerifier::create(
      log->verifier().name(), crypto::PrivateKey::generate(crypto::KeyAlgorithm::kEd25519).public_key());
  EXPECT_EQ(code_of(verify_record_proof(log->prove(2).value(), *other)), ErrorCode::kUnauthenticated);
}

// An inner node of the tree, given out for a leaf, is none: the prefixes of RFC 6962 are in the way.
TEST_F(TlogProofTest, ANodeIsNoLeaf) {
  const auto log = open();
  for (std::uint64_t i = 0; i < 4; ++i) ASSERT_TRUE(log->append(record_of(i)));
  auto proof = log->prove(0).value();
  proof.path.erase(proof.path.begin());
  EXPECT_EQ(code_of(verify_record_proof(proof, log->verifier())), ErrorCode::kDataCorrupt);
}

TEST_F(TlogProofTest, WhatWasDestroyedIsNotTold) {
  const auto log = open();
  for (std::uint64_t i = 0; i < 3; ++i) ASSERT_TRUE(log->append(record_of(i)));
  EXPECT_EQ(code_of(log->prove(3)), ErrorCode::kNotFound);
  ASSERT_TRUE(log->destroy_body(1, record_of(1).workspace, "ada"));
  EXPECT_EQ(code_of(log->prove(1)), ErrorCode::kNotFound);
  EXPECT_TRUE(log->prove(2));
}

// The example of C2SP tlog-proof.md, its lengths made right.
TEST(TlogProof, ReadsProofsWithAndWithoutExtraData) {
  const std::string hash(43, 'A');
  const std::string head = "c2sp.org/tlog-proof@v1\n";
  const std::string tail = "index 0\n" + hash + "=\n\nexample.com/log\n2\n" + hash + "=\n\n";
  ASSERT_TRUE(parse_tlog_proof(head + tail));
  EXPECT_TRUE(parse_tlog_proof(head + tail)->extra.empty());
  EXPECT_EQ(parse_tlog_proof(head + "extra AAAA\n" + tail)->extra, base::Bytes(3, 0));
  for (const std::string& wrong :
       {std::string(), head, tail, head + "extra \n" + tail, head + "extra A\n" + tail,
        head + "extra AAAA\nextra AAAA\n" + tail, head + "index 00\n\nx\n", head + "index -1\n\nx\n",
        head + "index 18446744073709551616\n\nx\n", head + "index 1\n\n", head + "index 1\nAAAA\n\nx\n"}) {
    EXPECT_EQ(code_of(parse_tlog_proof(wrong)), ErrorCode::kDataCorrupt) << wrong;
  }
  std::string many = head + "index 1\n";
  for (std::size_t i = 0; i <= kMaxProofHashes; ++i) many += hash + "=\n";
  EXPECT_EQ(code_of(parse_tlog_proof(many + "\nx\n")), ErrorCode::kDataCorrupt);
  EXPECT_EQ(code_of(parse_tlog_proof(std::string(kMaxProofBytes + 1, 'x'))), ErrorCode::kLimitExceeded);
}

}  // namespace
}  // namespace holdfast::audit
