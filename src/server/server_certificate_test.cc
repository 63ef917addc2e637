#include "server/server_certificate.h"

#include <gtest/gtest.h>

#include <atomic>

namespace holdfast::server {
namespace {

using std::chrono::days;

class MovedClock final : public base::Clock {
 public:
  [[nodiscard]] base::Timestamp now() const override { return base::Timestamp::from_microseconds(now_); }
  void advance(std::chrono::microseconds by) { now_ += by.count(); }

 private:
  std::atomic<std::int64_t> now_{1'764'000'000'000'000};
};

class ServerCertificateTest : public testing::Test {
 protected:
  MovedClock clock_;
  ServerCertificate certificate_{
      crypto::CertificateAuthority::create("test", clock_, base::system_random()).value(),
      {"localhost", "127.0.0.1", "::1"},
      clock_};
};

TEST_F(ServerCertificateTest, IsDueBeforeItEndsAndNotAgainOnceRenewed) {
  EXPECT_TRUE(certificate_.due());
  const auto first = certificate_.issue().value();
  EXPECT_FALSE(certificate_.due());
  clock_.advance(days(59));
  EXPECT_FALSE(certificate_.due());
  clock_.advance(days(2));
  EXPECT_TRUE(certificate_.due());
  const auto second = certificate_.issue().value();
  EXPECT_GT(second.ends, first.ends);
  EXPECT_NE(second.chain_pem, first.chain_pem);
  EXPECT_FALSE(certificate_.due());
}

TEST_F(ServerCertificateTest, EndsWithItsAuthorityAtTheLatest) {
  clock_.advance(crypto::CertificateAuthority::kLifetime - days(10));
  const auto last = certificate_.issue();
  ASSERT_TRUE(last) << last.error().message;
  EXPECT_LE(last->ends - clock_.now(), days(10));
  EXPECT_TRUE(certificate_.due());
  clock_.advance(days(11));
  const auto none = certificate_.issue();
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, base::ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace holdfast::server
