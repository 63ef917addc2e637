#include "net/url.h"

#include <gmock/gmock-matchers.h>

namespace holdfast::net {
namespace {

using base::ErrorCode;
using testing::HasSubstr;
using testing::Not;

TEST(Url, IsReadIntoItsParts) {
  const Url url = Url::parse("HTTPS://Hooks.Example.com/a/b?c=d&e=%20").value();
  EXPECT_EQ(
      url,
      (Url{.scheme = Scheme::kHttps, .host = "hooks.example.com", .port = 443, .target = "/a/b?c=d&e=%20"}));
  EXPECT_EQ(url.text(), "https://hooks.example.com:443/a/b?c=d&e=%20");
  EXPECT_EQ(Url::parse("http://a-1.b:8080").value().text(), "http://a-1.b:8080/");
  EXPECT_EQ(Url::parse("http://a").value().port, 80);
  EXPECT_EQ(Url::parse("https://a?b").value().target, "/?b");
  EXPECT_EQ(Url::parse("https://10.0.0.7:1/").value().authority(), "10.0.0.7:1");
  const Url six = Url::parse("https://[2001:DB8:0:0::1]:8443/x").value();
  EXPECT_EQ(six.host, "2001:db8::1");
  EXPECT_EQ(six.authority(), "[2001:db8::1]:8443");
}

TEST(Url, RefusesWhatCouldBeReadInTwoWays) {
  for (const auto* text : {"",
                           "hooks.example.com",
                           "//a/b",
                           "ftp://a/",
                           "https:/a",
                           "https://",
                           "https:///a",
                           "https://u@a/",
                           "https://u:p@a/",
                           "https://allowed.example@evil.example/",
                           "https://a\\@b/",
                           "https://a/b#c",
                           "https://a/ b",
                           "https://a/\r\nX: y",
                           "https://a:/",
                           "https://a:0/",
                           "https://a:65536/",
                           "https://a:+1/",
                           "https://a:80x/",
                           "https://[::1/",
                           "https://[::1]x/",
                           "https://[1.2.3.4]/",
                           "https://[fe80::1%25lo]/",
                           "https://a..b/",
                           "https://a./",
                           "https://.a/",
                           "https://-a/",
                           "https://a-/",
                           "https://a_b/",
                           "https://127.1/",
                           "https://0x7f.1/",
                           "https://2130706433/",
                           "https://0177.0.0.1/",
                           "https://1.2.3.4.5/",
                           "https://1.2.3.04/",
                           "https://\xc3\xa9.fr/",
                           "https://a%2eb/",
                           "https://a:80:80/",
                           "https://::1/"}) {
    const auto url = Url::parse(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().code, ErrorCode::kInvalidArgument) << text;
  }
  EXPECT_FALSE(Url::parse("https://a/" + std::string(Url::kMaxBytes, 'x')));
  EXPECT_FALSE(Url::parse("https://" + std::string(64, 'x') + "/"));
  EXPECT_FALSE(Url::parse(std::string_view("https://a/\0", 11)));
}

TEST(Url, KeepsTheTokenInAPathToItself) {
  const auto url = Url::parse("https://a/services/T0KEN#x");
  ASSERT_FALSE(url);
  EXPECT_THAT(url.error().message, HasSubstr("fragment"));
  EXPECT_THAT(url.error().message, Not(HasSubstr("T0KEN")));
}

}  // namespace
}  // namespace holdfast::net
