#include "crypto/pem.h"

#include <gmock/gmock-matchers.h>

#include "base/encoding.h"

namespace holdfast::crypto {
namespace {

using base::ErrorCode;
using testing::HasSubstr;

std::string text_of(std::string_view label, std::string_view der) {
  return std::string(write_pem(label, base::as_bytes(der)).reveal_text());
}

TEST(Pem, WritesLinesOf64Columns) {
  EXPECT_EQ(text_of("CERTIFICATE", std::string(49, 'a')),
            "-----BEGIN CERTIFICATE-----\n"
            "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh\n"
            "YQ==\n"
            "-----END CERTIFICATE-----\n");
}

TEST(Pem, ReadsBackWhatItWrites) {
  for (std::size_t size = 1; size < 200; ++size) {
    const std::string der(size, 'x');
    const auto blocks = parse_pem(text_of("DATA", der));
    ASSERT_TRUE(blocks && blocks->size() == 1);
    EXPECT_EQ(blocks->front().label, "DATA");
    EXPECT_EQ(blocks->front().der.reveal_text(), der);
  }
}

TEST(Pem, KeepsOrderAndSkipsTextBetweenBlocks) {
  const auto blocks =
      parse_pem("Bag Attributes\n  name: x\n" + text_of("A", "one") + "# note\r\n" + text_of("B", "two"));
  ASSERT_TRUE(blocks && blocks->size() == 2);
  EXPECT_EQ((*blocks)[0].label, "A");
  EXPECT_EQ((*blocks)[1].der.reveal_text(), "two");
}

TEST(Pem, AcceptsCarriageReturnsAndOtherColumns) {
  const auto blocks = parse_pem("-----BEGIN A-----\r\nb25\r\nl\r\n-----END A-----");
  ASSERT_TRUE(blocks && blocks->size() == 1);
  EXPECT_EQ(blocks->front().der.reveal_text(), "one");
}

TEST(Pem, TextWithoutBlocksHoldsNone) {
  for (const char* text : {"", "\n\n", "hello", "----BEGIN A----", "-----BEGIN A----"}) {
    const auto blocks = parse_pem(text);
    ASSERT_TRUE(blocks.has_value()) << text;
    EXPECT_TRUE(blocks->empty()) << text;
  }
}

TEST(Pem, RefusesBlocksThatAreMalformed) {
  for (const char* text :
       {"-----BEGIN A-----", "-----BEGIN A-----\nb25l\n", "-----BEGIN A-----\nb25l\n-----END B-----",
        "-----BEGIN A-----\nb25\n-----END A-----", "-----BEGIN A-----\nb2!l\n-----END A-----",
        "-----BEGIN A-----\n-----END A-----",
        "-----BEGIN A-----\nb25l\n-----BEGIN A-----\nb25l\n"
        "-----END A-----",
        "-----BEGIN A-----\nName: value\n\nb25l\n-----END A-----"}) {
    const auto blocks = parse_pem(text);
    ASSERT_FALSE(blocks.has_value()) << text;
    EXPECT_EQ(blocks.error().code, ErrorCode::kInvalidArgument) << text;
  }
}

TEST(Pem, RefusesEncryptedKeysAndNamesTheCommandThatDecrypts) {
  for (const char* text :
       {"-----BEGIN ENCRYPTED PRIVATE KEY-----\nb25l\n-----END ENCRYPTED PRIVATE KEY-----",
        "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nb25l\n-----END EC PRIVATE KEY-----"}) {
    const auto blocks = parse_pem(text);
    ASSERT_FALSE(blocks.has_value());
    EXPECT_EQ(blocks.error().code, ErrorCode::kUnsupported);
    EXPECT_THAT(blocks.error().message, HasSubstr("openssl pkey -in ENCRYPTED.pem -out PRIVATE.pem"));
  }
}

TEST(Pem, BoundsTextAndBlocks) {
  EXPECT_EQ(parse_pem(std::string(kMaxPemBytes + 1, ' ')).error().code, ErrorCode::kLimitExceeded);
  std::string text;
  for (std::size_t i = 0; i < kMaxPemBlocks; ++i) text += text_of("A", "one");
  EXPECT_EQ(parse_pem(text)->size(), kMaxPemBlocks);
  EXPECT_EQ(parse_pem(text + text_of("A", "one")).error().code, ErrorCode::kLimitExceeded);
}

}  // namespace
}  // namespace holdfast::crypto
