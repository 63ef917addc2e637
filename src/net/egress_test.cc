#include "net/egress.h"

#include <gmock/gmock-matchers.h>

namespace holdfast::net {
namespace {

using base::ErrorCode;
using testing::HasSubstr;

EgressPolicy policy(std::vector<std::string> entries) { return EgressPolicy::parse(entries).value(); }

bool permits(const EgressPolicy& policy, std::string_view url) {
  const auto entry = policy.permit(Url::parse(url).value());
  if (!entry) {
    EXPECT_EQ(entry.error().code, ErrorCode::kPermissionDenied);
  }
  return entry.has_value();
}

TEST(EgressPolicy, AllowsNothingThatIsNotNamed) {
  EXPECT_FALSE(permits(EgressPolicy(), "https://a.example/"));
  const auto one = policy({"hooks.example.com:443"});
  EXPECT_TRUE(permits(one, "https://hooks.example.com/x"));
  EXPECT_TRUE(permits(one, "https://HOOKS.example.com:443/"));
  for (const auto* url :
       {"https://hooks.example.com:8443/", "http://hooks.example.com:443/", "https://example.com/",
        "https://a.hooks.example.com/", "https://hooks.example.com.evil.example/",
        "https://xhooks.example.com/", "https://1.2.3.4/"}) {
    EXPECT_FALSE(permits(one, url)) << url;
  }
}

TEST(EgressPolicy, SaysWhatToAdd) {
  const auto refused = EgressPolicy().permit(Url::parse("http://hooks.example.com:8080/T0KEN").value());
  EXPECT_THAT(refused.error().message, HasSubstr("add \"http://hooks.example.com:8080\" to egress.allow"));
  EXPECT_THAT(refused.error().message, testing::Not(HasSubstr("T0KEN")));
}

TEST(EgressPolicy, AWildcardStandsForOneLabel) {
  const auto wild = policy({"*.example.com:443"});
  EXPECT_TRUE(permits(wild, "https://a.example.com/"));
  for (const auto* url : {"https://example.com/", "https://a.b.example.com/", "https://a.example.org/",
                          "https://aexample.com/", "https://a.example.com:444/"}) {
    EXPECT_FALSE(permits(wild, url)) << url;
  }
}

TEST(EgressPolicy, AnExactEntryDecidesBeforeAWildcard) {
  const auto both = policy({"*.corp.example:443 private", "public.corp.example:443"});
  const auto inside = IpAddress::parse("10.1.2.3").value();
  const auto exact = both.permit(Url::parse("https://public.corp.example/").value()).value();
  EXPECT_FALSE(permit_address(exact, inside));
  const auto wild = both.permit(Url::parse("https://siem.corp.example/").value()).value();
  EXPECT_TRUE(permit_address(wild, inside));
}

TEST(EgressPolicy, AnAddressInsideTakesAMarkOrItsOwnEntry) {
  const auto inside = IpAddress::parse("169.254.169.254").value();
  const auto outside = IpAddress::parse("8.8.8.8").value();
  const auto nobody = IpAddress::parse("0.0.0.0").value();
  const auto entry_of = [](const char* entry, const char* url) {
    return policy({entry}).permit(Url::parse(url).value()).value();
  };
  const auto named = entry_of("a.example:443", "https://a.example/");
  const auto marked = entry_of("a.example:443 private", "https://a.example/");
  const auto literal = entry_of("169.254.169.254:80", "https://169.254.169.254:80/");
  EXPECT_TRUE(permit_address(named, outside));
  const auto refused = permit_address(named, inside);
  EXPECT_EQ(refused.error().code, ErrorCode::kPermissionDenied);
  EXPECT_THAT(refused.error().message, HasSubstr("\"a.example:443 private\""));
  EXPECT_TRUE(permit_address(marked, inside));
  EXPECT_TRUE(permit_address(literal, inside));
  EXPECT_FALSE(permit_address(marked, nobody));
}

TEST(EgressPolicy, AnAddressIsNamedInItsOneForm) {
  const auto six = policy({"[2606:4700:0:0::1]:443"});
  EXPECT_TRUE(permits(six, "https://[2606:4700::1]/"));
  EXPECT_FALSE(permits(policy({"1.2.3.4:443"}), "https://[::ffff:1.2.3.4]/"));
}

TEST(EgressPolicy, RefusesAListThatItCantRead) {
  for (const auto* entry : {"",
                            "a.example",
                            "a.example:",
                            "a.example:0",
                            "a.example:65536",
                            "a.example:443 ",
                            "a.example:443 Private",
                            "a.example:443  private",
                            " private",
                            "https://a.example:443",
                            "*:443",
                            "*.com:443",
                            "*.1.2.3:443",
                            "a.*.com:443",
                            "*a.example:443",
                            "*.*.example.com:443",
                            "a.example:443/path",
                            "::1:443",
                            "[::]:443",
                            "0.0.0.0:80",
                            "224.0.0.1:80",
                            "127.1:80",
                            "u@a.example:443",
                            "a b:443"}) {
    const auto parsed = EgressPolicy::parse(std::vector<std::string>{"ok.example:443", entry});
    ASSERT_FALSE(parsed) << entry;
    EXPECT_EQ(parsed.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(parsed.error().message, HasSubstr("\"" + std::string(entry) + "\""));
  }
  const std::vector<std::string> many(EgressPolicy::kMaxEntries + 1, "a.example:443");
  EXPECT_EQ(EgressPolicy::parse(many).error().code, ErrorCode::kLimitExceeded);
}

}  // namespace
}  // namespace holdfast::net
