// Services: their keys, their assertions used once, and what people own.
#include <gmock/gmock-matchers.h>

#include <thread>

#include "access/jwt_builder.h"
#include "access/testing.h"

namespace holdfast::access {
namespace {

using base::ErrorCode;
using crypto::KeyAlgorithm;
using crypto::PrivateKey;
using testing::HasSubstr;

class ServicesTest : public AccessTest {
 protected:
  ServicesTest() {
    service_ = access_->create_service(*local_, {.name = "scorer"}).value();
    key_id_ = access_->add_service_key(*local_, service_, key_.public_key()).value();
  }
  std::string assertion(const std::string& jti) {
    const auto claims = good_claims(service_.value(), kIssuer, clock_.now().microseconds() / 1'000'000, jti);
    return sign_jwt(key_, R"({"alg":"EdDSA","typ":"JWT"})", claims.dump());
  }
  base::Result<IssuedToken> sign_in_by(const std::string& assertion,
                                       std::string_view audience = "endpoint:credit") {
    return access_->sign_in(AssertionSignIn{
        .workspace = kHome, .assertion = assertion, .source = "10.0.0.9", .audience = audience});
  }

  PrivateKey key_ = PrivateKey::generate(KeyAlgorithm::kEd25519);
  PrincipalId service_;
  std::string key_id_;
};

TEST_F(ServicesTest, AnAssertionGivesAShortLivedToken) {
  const auto token = sign_in_by(assertion("1"));
  ASSERT_TRUE(token) << token.error().message;
  EXPECT_EQ(token->expires - clock_.now(), std::chrono::minutes(15));
  const Caller caller = access_->authenticate(token->token.reveal_text(), "endpoint:credit").value();
  EXPECT_EQ(caller.kind(), Kind::kService);
  EXPECT_EQ(caller.name(), "scorer");
  EXPECT_FALSE(may(caller, Action::kInfer, endpoint("credit")));
  const auto grant = access_->grant(*local_, service_, Action::kInfer, endpoint("credit"));
  ASSERT_TRUE(grant) << grant.error().message;
  EXPECT_TRUE(may(caller, Action::kInfer, endpoint("credit")));
  ASSERT_TRUE(access_->revoke_grant(*local_, *grant));
  EXPECT_FALSE(may(caller, Action::kInfer, endpoint("credit")));
}

TEST_F(ServicesTest, AnAssertionIsGoodOnce) {
  const std::string once = assertion("1");
  EXPECT_TRUE(sign_in_by(once));
  EXPECT_EQ(code_of(sign_in_by(once)), ErrorCode::kUnauthenticated);
  EXPECT_THAT(log_.last().entry.details, HasSubstr("was used before"));
  EXPECT_EQ(code_of(sign_in_by(once, kApiAudience)), ErrorCode::kUnauthenticated);
  open();  // nor after a restart
  EXPECT_EQ(code_of(sign_in_by(once)), ErrorCode::kUnauthenticated);
  EXPECT_TRUE(sign_in_by(assertion("2")));
  clock_.advance(std::chrono::seconds(121));
  EXPECT_THAT(message_of(sign_in_by(once)), HasSubstr("expired"));
  EXPECT_TRUE(sign_in_by(assertion("1")));  // the memory of a jti ends with its assertion
}

TEST_F(ServicesTest, TwoAtOnceWithOneAssertionGetOneToken) {
  const std::string once = assertion("1");
  std::atomic<int> given = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { given += sign_in_by(once) ? 1 : 0; });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(given, 1);
}

TEST_F(ServicesTest, ADisabledServiceAndARemovedKeySignNobodyIn) {
  const auto token = sign_in_by(assertion("1"));
  ASSERT_TRUE(access_->set_enabled(*local_, service_, false));
  EXPECT_FALSE(access_->authenticate(token->token.reveal_text(), "endpoint:credit"));
  EXPECT_THAT(message_of(sign_in_by(assertion("2"))), HasSubstr("disabled"));
  ASSERT_TRUE(access_->set_enabled(*local_, service_, true));
  const auto again = sign_in_by(assertion("3"));
  EXPECT_THAT(access_->list_service_keys(*local_, service_).value(), testing::ElementsAre(key_id_));
  ASSERT_TRUE(access_->remove_service_key(*local_, service_, key_id_));
  EXPECT_FALSE(access_->authenticate(again->token.reveal_text(), "endpoint:credit"));
  EXPECT_THAT(message_of(sign_in_by(assertion("4"))), HasSubstr("no key"));
  EXPECT_EQ(code_of(access_->remove_service_key(*local_, service_, key_id_)), ErrorCode::kNotFound);
  EXPECT_TRUE(rows_hold()) << rows_hold().error().message;
}

TEST_F(ServicesTest, KeysAreFewAndOfTwoKinds) {
  EXPECT_EQ(code_of(access_->add_service_key(*local_, service_,
                                             PrivateKey::generate(KeyAlgorithm::kEcdsaP384).public_key())),
            ErrorCode::kUnsupported);
  EXPECT_EQ(access_->add_service_key(*local_, service_, key_.public_key()).value(), key_id_);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(access_->add_service_key(*local_, service_,
                                         PrivateKey::generate(KeyAlgorithm::kEcdsaP256).public_key()));
  }
  EXPECT_EQ(code_of(access_->add_service_key(*local_, service_,
                                             PrivateKey::generate(KeyAlgorithm::kEd25519).public_key())),
            ErrorCode::kLimitExceeded);
  const PrincipalId bob = person("bob");
  EXPECT_EQ(code_of(access_->add_service_key(*local_, bob, key_.public_key())), ErrorCode::kNotFound);
}

TEST_F(ServicesTest, GarbageIsRefusedAndItsRecordsAreBounded) {
  const auto before = log_.all().size();
  for (int i = 0; i < 1'000; ++i) {
    EXPECT_EQ(code_of(sign_in_by("not.a.token")), ErrorCode::kUnauthenticated);
  }
  EXPECT_LE(log_.all().size() - before, 20U);
  EXPECT_TRUE(sign_in_by(assertion("1")));  // from the same address: the service is not kept out
}

TEST_F(ServicesTest, APersonIsNoService) {
  const PrincipalId bob = person("bob");
  const auto claims = good_claims(bob.value(), kIssuer, clock_.now().microseconds() / 1'000'000, "1");
  EXPECT_EQ(code_of(sign_in_by(sign_jwt(key_, R"({"alg":"EdDSA"})", claims.dump()))),
            ErrorCode::kUnauthenticated);
}

TEST_F(ServicesTest, AServiceNeverAdministersOrApproves) {
  ASSERT_TRUE(access_->add_member(*local_, PrincipalId("administrators"), service_));
  const auto token = sign_in_by(assertion("1"), kApiAudience);
  const Caller robot = access_->authenticate(token->token.reveal_text(), kApiAudience).value();
  EXPECT_TRUE(may(robot, Action::kRelease, endpoint("credit")));
  EXPECT_FALSE(may(robot, Action::kApprove, version("3", {})));
  EXPECT_FALSE(may(robot, Action::kGrant, endpoint("credit")));
  EXPECT_EQ(code_of(access_->create_person(robot, "eve")), ErrorCode::kPermissionDenied);
}

// Attack 23: approval by one's own service, or of what one's own service made.
TEST_F(ServicesTest, NobodyApprovesWhatTheirOwnServiceMade) {
  const PrincipalId bob = person("bob", kApprovers);
  const PrincipalId carol = person("carol", kApprovers);
  const PrincipalId trainer = access_->create_service(*local_, {.name = "trainer", .owner = bob}).value();
  EXPECT_FALSE(may(caller("bob"), Action::kApprove, version("3", {trainer})));
  EXPECT_FALSE(may(caller("bob"), Action::kApprove, version("3", {bob})));
  EXPECT_FALSE(may(caller("bob"), Action::kWaive, version("3", {carol, bob})));
  EXPECT_TRUE(may(caller("carol"), Action::kApprove, version("3", {trainer, bob})));
  EXPECT_EQ(code_of(access_->create_service(*local_, {.name = "x", .owner = trainer})),
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace holdfast::access
