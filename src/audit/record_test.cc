#include "audit/record.h"

#include <gtest/gtest.h>

#include "audit/testing.h"
#include "crypto/sha256.h"

namespace holdfast::audit {
namespace {

using base::ErrorCode;

// Gives the same byte always.
class StillRandom final : public base::RandomSource {
 public:
  void fill(base::MutableByteView bytes) override { std::ranges::fill(bytes, std::uint8_t{9}); }
};

class RecordTest : public testing::Test {
 protected:
  StillRandom still_;
  crypto::AeadKey key_ = crypto::AeadKey::generate(crypto::AeadAlgorithm::kAes256Gcm, base::system_random());
  base::Timestamp now_ = base::Timestamp::from_microseconds(1'764'000'000'000'000);
};

TEST_F(RecordTest, ThePlainBodyIsASaltAndCanonicalJson) {
  auto record = record_of(1);
  record.details = R"({ "b": 1, "a": "x" })";
  const auto prepared = prepare(record, now_, still_).value();
  const std::string expected = std::string(32, '\x09') +
                               R"({"action":"model.register","actor":"user:ada","at":1764000000000000,)"
                               R"("decision":"allow","details":{"a":"x","b":1},"resource":"model/1",)"
                               R"("workspace":"credit"})";
  EXPECT_EQ(prepared.plain.reveal_text(), expected);
  EXPECT_EQ(prepared.commitment, crypto::sha256(base::as_bytes("holdfast audit record 1\n" + expected)));
}

TEST_F(RecordTest, EqualRecordsHaveDifferentCommitments) {
  EXPECT_NE(prepare(record_of(1), now_, base::system_random())->commitment,
            prepare(record_of(1), now_, base::system_random())->commitment);
}

TEST_F(RecordTest, ABodyOpensInItsOwnPlaceAlone) {
  const auto prepared = prepare(record_of(1), now_, base::system_random()).value();
  auto body = seal_body(prepared, 5, key_, base::system_random());
  const auto workspace = base::WorkspaceId("credit");
  const auto opened = open_body(body, workspace, 5, key_).value();
  EXPECT_EQ(opened.record, record_of(1));
  EXPECT_EQ(opened.time, now_);
  EXPECT_EQ(opened.commitment, prepared.commitment);
  EXPECT_EQ(code_of(open_body(body, workspace, 6, key_)), ErrorCode::kDataCorrupt);
  EXPECT_EQ(code_of(open_body(body, base::WorkspaceId("fraud"), 5, key_)), ErrorCode::kDataCorrupt);
  for (auto& byte : body) {
    byte ^= 1;
    EXPECT_FALSE(open_body(body, workspace, 5, key_));
    byte ^= 1;
  }
}

TEST_F(RecordTest, AKeyServesASpanOfRecords) {
  const auto workspace = base::WorkspaceId("credit");
  EXPECT_EQ(body_key_name(workspace, kRecordsPerKey - 1).subject, "bodies-0");
  EXPECT_EQ(body_key_name(workspace, kRecordsPerKey).subject, "bodies-1");
}

}  // namespace
}  // namespace holdfast::audit
