#include "crypto/sha256.h"

#include <gtest/gtest.h>

#include "crypto/test_vectors.h"

namespace holdfast::crypto {
namespace {

using base::as_bytes;
using base::Bytes;
using base::ByteView;
using base::ErrorCode;

constexpr std::string_view kMillionAs = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

TEST(Sha256, HashesTheExamplesOfTheStandard) {
  for (const auto& vector : read_vectors("fips180_sha256.txt")) {
    EXPECT_EQ(sha256(vector.bytes("message")).hex(), vector.text("digest"));
  }
  EXPECT_EQ(sha256(Bytes(1'000'000, 'a')).hex(), kMillionAs);
}

TEST(Sha256, GivesTheSameInPiecesOfAnySize) {
  const Bytes message(1000, 'x');
  const auto expected = sha256(message);
  Sha256 hash;  // used again and again: finish() starts afresh
  for (const std::size_t piece : {1U, 7U, 63U, 64U, 65U, 999U, 1000U}) {
    for (std::size_t at = 0; at < message.size(); at += piece) {
      hash.update(ByteView(message).subspan(at, std::min(piece, message.size() - at)));
    }
    EXPECT_EQ(hash.finish(), expected) << piece;
  }
}

TEST(Sha256, MovesWithWhatItHasTaken) {
  Sha256 first;
  first.update(as_bytes("ab"));
  Sha256 second = std::move(first);
  second.update(as_bytes("c"));
  EXPECT_EQ(second.finish(), sha256(as_bytes("abc")));
}

TEST(Sha256, HashesAFileAndTellsHowFarItIs) {
  const TemporaryFolder folder;
  const auto path = folder / "million";
  ASSERT_TRUE(base::write_file_atomically(path, Bytes(1'000'000, 'a')));
  std::uint64_t told = 0;
  const auto digest = sha256_file(path, [&](std::uint64_t done) { told = done; });
  ASSERT_TRUE(digest.has_value()) << digest.error().message;
  EXPECT_EQ(digest->hex(), kMillionAs);
  EXPECT_EQ(told, 1'000'000U);
}

TEST(Sha256, NamesTheFileItCannotRead) {
  const TemporaryFolder folder;
  const auto missing = sha256_file(folder / "nothing");
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_NE(missing.error().message.find("nothing"), std::string::npos);
  const auto not_a_file = sha256_file(folder.path());
  ASSERT_FALSE(not_a_file.has_value());
  EXPECT_EQ(not_a_file.error().code, ErrorCode::kInvalidArgument);
}

class FailingReader final : public Reader {
 public:
  base::Result<std::size_t> read(base::MutableByteView buffer) override {
    if (reads_++ > 0) return base::fail(ErrorCode::kIo, "the disk is gone");
    return buffer.size();
  }

 private:
  int reads_ = 0;
};

TEST(Sha256, GivesTheErrorOfItsReader) {
  FailingReader reader;
  const auto digest = sha256_stream(reader);
  ASSERT_FALSE(digest.has_value());
  EXPECT_EQ(digest.error().message, "the disk is gone");
}

}  // namespace
}  // namespace holdfast::crypto
