#include "server/router.h"

#include <gmock/gmock.h>

#include <set>

#include "registry/schema.h"
#include "release/schema.h"
#include "server/testing.h"

namespace holdfast::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

class RouterTest : public InstallationTest {
 protected:
  void SetUp() override {
    const auto opened = open();
    ASSERT_TRUE(opened) << opened.error().message;
  }
};

TEST_F(RouterTest, EveryRouteIsDecidedButThoseThatSayWhyNot) {
  std::set<std::string> open;
  for (const auto& route : router_->routes()) {
    if (route.action) continue;
    EXPECT_NE(route.open_because, "") << route.path;
    open.insert(route.path);
  }
  EXPECT_THAT(open, UnorderedElementsAre("/v1/health", "/v1/token", "/v1/password", "/openapi.json", "/v2",
                                         "/v2/health/live", "/v2/health/ready"));
}

TEST_F(RouterTest, NobodyGetsThroughADecidedRouteWithoutAToken) {
  for (const auto& route : router_->routes()) {
    if (!route.action) continue;
    std::string path = route.path;
    for (std::size_t at = 0; (at = path.find('{')) != std::string::npos;) {
      path.replace(at, path.find('}') - at + 1, "1");
    }
    const auto answered = ask(route.method, path, "{}", {}, /*local=*/false);
    EXPECT_EQ(answered.status, 401) << route.path;
    const auto forged = ask(route.method, path, "{}", "forged");
    EXPECT_EQ(forged.status, 401) << route.path;
  }
}

TEST_F(RouterTest, OperationsAndPathsAreUnique) {
  std::set<std::string> operations;
  std::set<std::pair<Method, std::string>> paths;
  for (const auto& route : router_->routes()) {
    EXPECT_TRUE(operations.insert(route.operation).second) << route.operation;
    EXPECT_TRUE(paths.insert({route.method, route.path}).second) << route.path;
  }
}

TEST_F(RouterTest, SaysWhatIsWrongWithAPathAMethodAndAQuery) {
  EXPECT_EQ(ask(Method::kGet, "/v1/nothing").status, 404);
  const auto method = ask(Method::kDelete, "/v1/health");
  EXPECT_EQ(method.status, 405);
  EXPECT_THAT(method.response.headers, ElementsAre(std::pair<std::string, std::string>("Allow", "GET")));
  const auto query = ask(Method::kGet, "/v1/models?modle=credit");
  EXPECT_EQ(query.status, 400);
  EXPECT_THAT(query.json["detail"].get<std::string>(), HasSubstr("no query parameter modle"));
}

TEST_F(RouterTest, TheOpenApiDocumentHasEveryRoute) {
  const auto document = ask(Method::kGet, "/openapi.json").json;
  EXPECT_EQ(document["openapi"], "3.1.0");
  std::size_t operations = 0;
  for (const auto& path : document["paths"]) operations += path.size();
  EXPECT_EQ(operations, router_->routes().size());
  EXPECT_EQ(document["paths"]["/v1/models/{model}/versions"]["post"]["x-holdfast-action"], "registerModel");
}

TEST_F(RouterTest, BodiesAreReadStrictly) {
  EXPECT_THAT(ask(Method::kPost, "/v1/people", "{").json["detail"].get<std::string>(), HasSubstr("no JSON"));
  EXPECT_EQ(ask(Method::kPost, "/v1/people", "[]").status, 400);
  EXPECT_EQ(ask(Method::kPost, "/v1/people", R"({"name":7})").status, 400);
  EXPECT_EQ(ask(Method::kPost, "/v1/people", R"({"name":"ada","nmae":"x"})").status, 400);
  EXPECT_EQ(ask(Method::kPost, "/v1/people", std::string(10'000, '[')).status, 400);
  EXPECT_EQ(ask(Method::kPost, "/v1/people", std::string(70'000, ' ')).status, 413);
}

TEST_F(RouterTest, APersonSignsInAndMayDoWhatTheirGroupMay) {
  const auto made = ask(Method::kPost, "/v1/people", R"({"name":"ada"})").json;
  const std::string password = made["one_time_password"];
  EXPECT_EQ(
      ask(Method::kPost, "/v1/password",
          nlohmann::json{{"name", "ada"}, {"current", password}, {"new", "correct horse battery staple"}}
              .dump(),
          {}, /*local=*/false)
          .status,
      200);
  const auto signed_in = ask(Method::kPost, "/v1/token",
                             "grant_type=password&username=ada&password=correct+horse+battery+staple", {},
                             /*local=*/false);
  ASSERT_EQ(signed_in.status, 200) << signed_in.json;
  const std::string bearer = signed_in.json["access_token"];
  EXPECT_EQ(ask(Method::kGet, "/v1/models", {}, bearer).status, 403);
  const std::string member = "/v1/groups/scientists/members/" + made["id"].get<std::string>();
  EXPECT_EQ(ask(Method::kPut, member).status, 200);
  EXPECT_EQ(ask(Method::kGet, "/v1/models", {}, bearer).status, 200);
  EXPECT_EQ(ask(Method::kGet, "/v1/audit/records", {}, bearer).status, 403);
  EXPECT_EQ(ask(Method::kDelete, member).status, 200);
  EXPECT_EQ(ask(Method::kGet, "/v1/models", {}, bearer).status, 403);
}

TEST_F(RouterTest, WhoMayReadNothingLearnsNotEvenWhatThereIs) {
  const auto made = ask(Method::kPost, "/v1/people", R"({"name":"eve"})").json;
  ask(Method::kPost, "/v1/password",
      nlohmann::json{{"name", "eve"}, {"current", made["one_time_password"]}, {"new", "a few words in a row"}}
          .dump());
  const auto signed_in =
      ask(Method::kPost, "/v1/token", "grant_type=password&username=eve&password=a+few+words+in+a+row").json;
  const std::string eve = signed_in["access_token"];
  EXPECT_EQ(ask(Method::kGet, "/v1/models/credit/versions/7", {}, eve).status, 403);
  EXPECT_EQ(ask(Method::kPost, "/v1/models/credit/versions/7/approve", "{}", eve).status, 403);
  EXPECT_EQ(ask(Method::kGet, "/v1/models/credit/versions/7").status, 404);
}

TEST_F(RouterTest, ADenialIsInTheLog) {
  const auto made = ask(Method::kPost, "/v1/people", R"({"name":"eve"})").json;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(ask(Method::kGet, "/v1/models", {}, "stolen").status, 401);
  }
  const auto records = ask(Method::kGet, "/v1/audit/records?limit=1000").json["records"];
  bool created = false;
  int refused = 0;
  for (const auto& record : records) {
    created = created || record["action"] == "createPrincipal";
    if (record["action"] == "authenticate") ++refused;
  }
  EXPECT_TRUE(created) << records;
  EXPECT_EQ(refused, 60) << "in one minute; the others are counted";
  ASSERT_TRUE(deployment_->record_counts(Deployment::Counts::kAll));
  ASSERT_TRUE(installation_->log().flush());
  const auto counted = ask(Method::kGet, "/v1/audit/records?limit=1000").json["records"].dump();
  EXPECT_THAT(counted, HasSubstr(R"("further_refusals":{"401":40})"));
}

// Not only a row that says something else: one that says nothing any more.
TEST_F(RouterTest, ARowThatCanNotBeReadIsDamage) {
  ASSERT_EQ(ask(Method::kPost, "/v1/endpoints", R"({"name":"credit","model":"credit"})").status, 201);
  close();
  {
    const store::ModuleMigrations modules[] = {access::access_migrations(), registry::migrations(),
                                               release::migrations(), alerts::alerts_migrations()};
    const auto database = store::Database::open({.path = state() / "holdfast.db"}, modules).value();
    auto change = database->begin().value();
    ASSERT_TRUE(change.execute(store::Sql("UPDATE endpoints SET guard = '{'")));
    ASSERT_TRUE(change.commit());
  }
  const auto tampered = open();
  ASSERT_FALSE(tampered);
  EXPECT_EQ(tampered.error().code, base::ErrorCode::kDataCorrupt) << tampered.error().message;
}

}  // namespace
}  // namespace holdfast::server
