// People, services, tokens and keys by the routes: what is taken away is gone at once, and the log knows.
#include <fmt/format.h>
#include <gmock/gmock-matchers.h>

#include <atomic>
#include <thread>

#include "server/testing.h"

namespace holdfast::server {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kPassword = "a few words in a row";

class AccessRoutesTest : public InstallationTest {
 protected:
  AccessRoutesTest() {
    const auto opened = open();
    EXPECT_TRUE(opened) << opened.error().message;
  }

  std::string make_person(const std::string& name, const std::string& group) {
    const auto made = ask(Method::kPost, "/v1/people", json{{"name", name}}.dump());
    EXPECT_EQ(made.status, 201);
    const auto set =
        ask(Method::kPost, "/v1/password",
            json{{"name", name}, {"current", made.json["one_time_password"]}, {"new", kPassword}}.dump());
    EXPECT_EQ(set.status, 200) << set.json;
    const std::string id = made.json["id"];
    EXPECT_EQ(ask(Method::kPut, fmt::format("/v1/groups/{}/members/{}", group, id), "{}").status, 200);
    return id;
  }
  Answered sign_in(const std::string& name, const std::string& audience = "api") {
    return ask(Method::kPost, "/v1/token",
               fmt::format("grant_type=password&username={}&password={}&audience={}", name,
                           "a+few+words+in+a+row", audience));
  }
  std::string token_of(const std::string& name, const std::string& audience = "api") {
    const auto answered = sign_in(name, audience);
    EXPECT_EQ(answered.status, 200) << answered.json;
    return answered.json.value("access_token", "");
  }
  int list_with(const std::string& bearer) { return ask(Method::kGet, "/v1/principals", {}, bearer).status; }
  Answered enable(const std::string& id, bool enabled, const std::string& bearer = {}) {
    return ask(Method::kPut, "/v1/principals/" + id, json{{"enabled", enabled}}.dump(), bearer);
  }
};

TEST_F(AccessRoutesTest, WhoIsDisabledIsOutAtOnceAndComesBackWithoutTheirTokens) {
  const auto ada = make_person("ada", "auditors");
  const auto token = token_of("ada");
  EXPECT_EQ(list_with(token), 200);
  EXPECT_EQ(enable(ada, false).status, 200);
  EXPECT_EQ(list_with(token), 401);
  EXPECT_EQ(sign_in("ada").status, 401);
  EXPECT_EQ(enable(ada, true).status, 200);
  EXPECT_EQ(list_with(token), 401);
  EXPECT_EQ(list_with(token_of("ada")), 200);
  EXPECT_EQ(enable("nobody", false).status, 404);
  close();
  const auto again = open();  // whose rows are compared with the log
  EXPECT_TRUE(again) << again.error().message;
}

TEST_F(AccessRoutesTest, TheLastAdministratorIsShutOutByTheLocalOperatorAlone) {
  const auto ada = make_person("ada", "administrators");
  const auto token = token_of("ada");
  const auto people = ask(Method::kGet, "/v1/principals").json["principals"];
  std::string admin;
  for (const auto& one : people) {
    if (one["name"] == "admin") admin = one["id"];
  }
  EXPECT_EQ(enable(admin, false, token).status, 200);
  const auto refused = enable(ada, false, token);
  EXPECT_EQ(refused.status, 409);
  EXPECT_THAT(refused.json.dump(), HasSubstr("last administrator"));
  EXPECT_EQ(ask(Method::kDelete, "/v1/groups/administrators/members/" + ada, {}, token).status, 409);
  EXPECT_EQ(list_with(token), 200);
  EXPECT_EQ(enable(ada, false).status, 200) << "by the local operator";
  EXPECT_EQ(list_with(token), 401);
}

TEST_F(AccessRoutesTest, TokensAreListedAndEndOneByOneOrAllAtOnce) {
  const auto ada = make_person("ada", "auditors");
  const auto first = sign_in("ada").json;
  const auto second = token_of("ada");
  const auto listed = ask(Method::kGet, "/v1/principals/" + ada + "/tokens").json["tokens"];
  EXPECT_EQ(listed.size(), 2U);
  EXPECT_EQ(listed.dump().find(first["access_token"]), std::string::npos);
  EXPECT_EQ(ask(Method::kDelete, "/v1/tokens/" + first["token_id"].get<std::string>()).status, 200);
  EXPECT_EQ(list_with(first["access_token"]), 401);
  EXPECT_EQ(list_with(second), 200);
  EXPECT_EQ(ask(Method::kDelete, "/v1/tokens/" + first["token_id"].get<std::string>()).status, 404);
  EXPECT_EQ(ask(Method::kDelete, "/v1/principals/" + ada + "/tokens").status, 200);
  EXPECT_EQ(list_with(second), 401);
}

TEST_F(AccessRoutesTest, SigningOutEndsTheTokenThatIsBorne) {
  make_person("ada", "auditors");
  const auto token = token_of("ada");
  const auto narrow = token_of("ada", "endpoint:credit");
  EXPECT_EQ(ask(Method::kDelete, "/v1/token", {}, narrow).status, 401) << "for another audience";
  EXPECT_EQ(ask(Method::kDelete, "/v1/token?audience=endpoint:credit", {}, narrow).status, 200);
  EXPECT_EQ(ask(Method::kDelete, "/v1/token", {}, token).status, 200);
  EXPECT_EQ(list_with(token), 401);
  EXPECT_EQ(ask(Method::kDelete, "/v1/token", {}, token).status, 401);
  EXPECT_EQ(ask(Method::kDelete, "/v1/token").status, 400) << "the local operator holds none";
}

TEST_F(AccessRoutesTest, WhoHasNoRightToItEndsNobodysTokens) {
  const auto ada = make_person("ada", "auditors");
  make_person("bea", "scientists");
  const auto bea = token_of("bea");
  for (const auto& path : {"/v1/principals/" + ada + "/tokens", std::string("/v1/tokens/unknown"),
                           std::string("/v1/grants/grant-1")}) {
    EXPECT_EQ(ask(Method::kDelete, path, {}, bea).status, 403) << path;
  }
  EXPECT_EQ(enable(ada, false, bea).status, 403);
  EXPECT_EQ(ask(Method::kPost, "/v1/keys/master/rotations", {}, bea).status, 403);
  EXPECT_EQ(ask(Method::kGet, "/v1/keys", {}, bea).status, 403);
}

// Requests go on while the token is taken away: none that begins after the answer is let through.
TEST_F(AccessRoutesTest, ATokenThatIsRevokedDuringUseIsGoodForNoLaterRequest) {
  constexpr int kThreads = 4;
  const auto ada = make_person("ada", "auditors");
  for (int round = 0; round < 5; ++round) {
    const auto api = token_of("ada");
    const auto narrow = token_of("ada", "endpoint:credit");
    std::atomic<bool> revoked = false;
    std::atomic<int> used = 0;
    std::atomic<int> late = 0;
    std::vector<std::thread> threads;
    for (int number = 0; number < kThreads; ++number) {
      threads.emplace_back([&, number] {
        for (bool over = false; !over;) {
          over = revoked;
          const int status = number % 2 == 0
                                 ? list_with(api)
                                 : ask(Method::kPost, "/v2/models/credit/infer", "{}", narrow).status;
          if (status != 401) ++(over ? late : used);
        }
      });
    }
    while (used < 2 * kThreads) std::this_thread::yield();
    EXPECT_EQ(ask(Method::kDelete, "/v1/principals/" + ada + "/tokens").status, 200);
    revoked = true;
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(late, 0);
  }
}

TEST_F(AccessRoutesTest, AGrantIsTakenBackAndAGroupIsLeft) {
  const auto ada = make_person("ada", "scientists");
  const auto token = token_of("ada");
  const auto granted =
      ask(Method::kPost, "/v1/grants",
          json{{"principal", ada}, {"action", "infer"}, {"type", "Endpoint"}, {"id", "credit"}}.dump());
  ASSERT_EQ(granted.status, 201) << granted.json;
  const std::string grant = granted.json["policy"];
  EXPECT_THAT(ask(Method::kGet, "/v1/policies").json.dump(), HasSubstr(grant));
  EXPECT_EQ(ask(Method::kDelete, "/v1/grants/" + grant).status, 200);
  EXPECT_THAT(ask(Method::kGet, "/v1/policies").json.dump(), Not(HasSubstr(grant)));
  EXPECT_EQ(ask(Method::kDelete, "/v1/grants/" + grant).status, 404);
  EXPECT_EQ(ask(Method::kGet, "/v1/runs", {}, token).status, 200);
  EXPECT_EQ(ask(Method::kDelete, "/v1/groups/scientists/members/" + ada).status, 200);
  EXPECT_EQ(ask(Method::kGet, "/v1/runs", {}, token).status, 403);
}

TEST_F(AccessRoutesTest, KeysAreListedAndRotated) {
  const auto listed = ask(Method::kGet, "/v1/keys");
  ASSERT_EQ(listed.status, 200);
  EXPECT_EQ(listed.json["keys"][0]["name"], "master");
  EXPECT_EQ(ask(Method::kPost, "/v1/keys/nothing/rotations").status, 404);
  EXPECT_EQ(ask(Method::kPost, "/v1/keys/blobs/rotations").status, 200);
  const auto unsupported = ask(Method::kPost, "/v1/keys/master/rotations");
  EXPECT_EQ(unsupported.status, 422) << "the master key of this test is in no file of the installation's";
  const auto records = ask(Method::kGet, "/v1/audit/records?limit=1000").json["records"].dump();
  EXPECT_THAT(records, HasSubstr("key.rotated"));
}

}  // namespace
}  // namespace holdfast::server
