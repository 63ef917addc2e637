#include <gtest/gtest.h>

#include "base/digest.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/strong.h"

namespace holdfast::base {
namespace {

Result<int> half(int value) {
  if (value % 2 != 0) return fail(ErrorCode::kInvalidArgument, "odd");
  return value / 2;
}

Result<int> quarter(int value) {
  HF_TRY(const int once, half(value));
  HF_TRY(const int twice, half(once));
  return twice;
}

TEST(Result, TryGivesTheValueOrReturnsTheError) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(quarter(6).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(quarter(6).error().message, "odd");
}

TEST(Result, ErrnoBecomesACode) {
  EXPECT_EQ(fail_errno("x", ENOENT).value().code, ErrorCode::kNotFound);
  EXPECT_EQ(fail_errno("x", ENOSPC).value().code, ErrorCode::kUnavailable);
  EXPECT_EQ(fail_errno("cannot write f", ENOSPC).value().message, "cannot write f: No space left on device");
}

TEST(Digest, HasOneTextForm) {
  const std::string hex(64, 'a');
  const auto digest = Digest::from_hex(hex).value();
  EXPECT_EQ(digest.hex(), hex);
  EXPECT_EQ(Digest::from_hex(digest.prefixed()).value(), digest);
  EXPECT_FALSE(Digest::from_hex(std::string(64, 'A')));
  EXPECT_FALSE(Digest::from_hex(std::string(63, 'a')));
  EXPECT_FALSE(Digest::from_hex("sha512:" + hex));
  EXPECT_FALSE(Digest::from_bytes(Bytes(31)));
}

TEST(Secret, IsEmptyOnceMovedFrom) {
  Secret first = Secret::copy_of(as_bytes("hunter2"));
  const Secret second = std::move(first);
  EXPECT_TRUE(first.empty());
  EXPECT_EQ(second.reveal_text(), "hunter2");
}

TEST(Secret, EqualityIsOfContentAndLength) {
  EXPECT_TRUE(constant_time_equal(as_bytes("abc"), as_bytes("abc")));
  EXPECT_FALSE(constant_time_equal(as_bytes("abc"), as_bytes("abd")));
  EXPECT_FALSE(constant_time_equal(as_bytes("abc"), as_bytes("abcd")));
  EXPECT_TRUE(constant_time_equal({}, {}));
}

TEST(SystemRandom, FillsWhatItIsGiven) {
  EXPECT_NE(system_random().take(32), system_random().take(32));
  EXPECT_TRUE(system_random().take(0).empty());
}

}  // namespace
}  // namespace holdfast::base
