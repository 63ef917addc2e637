#include "cli/client_assertion.h"

#include <gtest/gtest.h>

#include "access/assertion.h"

namespace holdfast::cli {
namespace {

using crypto::KeyAlgorithm;
using crypto::PrivateKey;

constexpr auto kNow = base::Timestamp::from_microseconds(1'800'000'000'000'000);

TEST(ClientAssertion, IsWhatTheServerTakes) {
  for (const auto algorithm : {KeyAlgorithm::kEcdsaP256, KeyAlgorithm::kEd25519}) {
    const auto key = PrivateKey::generate(algorithm);
    const access::ServiceKey keys[] = {{.id = key.public_key().id().hex(), .key = key.public_key()}};
    // ECDSA's r and s are now and then shorter than their coordinate.
    for (int i = 0; i < 600; ++i) {
      const auto text = make_client_assertion(key, "0123", "holdfast", kNow, base::system_random());
      ASSERT_TRUE(text.has_value()) << text.error().message;
      const auto token = access::parse_jwt(*text);
      ASSERT_TRUE(token.has_value()) << token.error().message;
      const auto checked = access::check_assertion(*token, "0123", "holdfast", keys, kNow);
      ASSERT_TRUE(checked.has_value()) << checked.error().message;
    }
  }
}

TEST(ClientAssertion, IsForOneInstallationAndOneUse) {
  const auto key = PrivateKey::generate(KeyAlgorithm::kEd25519);
  const access::ServiceKey keys[] = {{.id = key.public_key().id().hex(), .key = key.public_key()}};
  const auto first = make_client_assertion(key, "0123", "holdfast", kNow, base::system_random());
  const auto second = make_client_assertion(key, "0123", "holdfast", kNow, base::system_random());
  const auto token = access::parse_jwt(first.value()).value();
  EXPECT_NE(token.id, access::parse_jwt(second.value()).value().id);
  EXPECT_FALSE(access::check_assertion(token, "0123", "elsewhere", keys, kNow));
  EXPECT_FALSE(access::check_assertion(token, "0123", "holdfast", keys, kNow + std::chrono::seconds(61)));
}

TEST(ClientAssertion, NeedsAKeyThatTheServerTakes) {
  const auto key = PrivateKey::generate(KeyAlgorithm::kEcdsaP384);
  EXPECT_EQ(make_client_assertion(key, "0123", "holdfast", kNow, base::system_random()).error().code,
            base::ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace holdfast::cli
