#include "server/http.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace holdfast::server {
namespace {

using base::ErrorCode;

TEST(Target, IsDecodedOnce) {
  const auto target = parse_target("/a%20b/c%2525?x=1&y=a+b%26&empty=&flag").value();
  EXPECT_EQ(target.path, "/a b/c%25");
  EXPECT_EQ(target.query,
            (std::map<std::string, std::string>{{"x", "1"}, {"y", "a b&"}, {"empty", ""}, {"flag", ""}}));
  EXPECT_EQ(parse_target("/")->path, "/");
  EXPECT_EQ(parse_target("/a/")->path, "/a/");
}

TEST(Target, RefusesWhatCouldBeUnderstoodInTwoWays) {
  for (const auto* text : {"",          "a",
                           "http://x/", "*",
                           "/%",        "/%2",
                           "/%zz",      "/%00",
                           "/..",       "/a/../b",
                           "/./a",      "/%2e%2e/a",
                           "/a%2fb",    "/?x=1&x=2",
                           "/?x=%0",    "/?%00=1",
                           "/%ff",      "/%c0%ae%c0%ae/a",
                           "/?x=%ff",   "/?%ed%a0%80=1",
                           "/\xff"}) {
    EXPECT_FALSE(parse_target(text)) << text;
  }
  EXPECT_EQ(parse_target("/" + std::string(9000, 'a')).error().code, ErrorCode::kLimitExceeded);
}

TEST(Peer, OfAnIpv6AddressTheWholeSubscriberIsOne) {
  EXPECT_EQ(Peer{.address = "2001:db8:1:2:3:4:5:6"}.network(), "2001:db8:1:2::/64");
  EXPECT_EQ(Peer{.address = "fe80::1%eth0"}.network(), "fe80::/64");
  EXPECT_EQ(Peer{.address = "10.0.0.7"}.network(), "10.0.0.7");
  EXPECT_EQ(Peer{.address = "local"}.network(), "local");
}

TEST(Problem, HasTheShapeOfRfc9457AndHidesItsOwnFaults) {
  const auto refused = problem(base::Error{ErrorCode::kPermissionDenied, "no grant"});
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.content_type, "application/problem+json");
  const auto body = nlohmann::json::parse(std::get<std::string>(refused.body));
  EXPECT_EQ(body["title"], "Forbidden");
  EXPECT_EQ(body["detail"], "no grant");
  const auto fault = problem(base::Error{ErrorCode::kInternal, "secret detail"});
  EXPECT_EQ(fault.status, 500);
  EXPECT_THAT(std::get<std::string>(fault.body), testing::Not(testing::HasSubstr("secret")));
}

}  // namespace
}  // namespace holdfast::server
