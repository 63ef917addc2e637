#include "policy/extension_ipaddr.h"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::policy {
namespace {

IpAddress ip(std::string_view text) {
  const auto address = IpAddress::parse(text);
  EXPECT_TRUE(address.has_value()) << text;
  return address.value_or(IpAddress());
}

TEST(IpAddress, ReadsBothFamilies) {
  EXPECT_EQ(ip("10.0.0.1").text(), "10.0.0.1/32");
  EXPECT_EQ(ip("10.0.0.1/0").text(), "10.0.0.1/0");
  EXPECT_EQ(ip("::").text(), "0:0:0:0:0:0:0:0/128");
  EXPECT_EQ(ip("ABCD::1/64").text(), "abcd:0:0:0:0:0:0:1/64");
  EXPECT_EQ(ip("1:2:3:4:5:6:7::").text(), "1:2:3:4:5:6:7:0/128");
  EXPECT_EQ(ip("::2:3:4:5:6:7:8").text(), "0:2:3:4:5:6:7:8/128");
  EXPECT_EQ(ip("1111:2222:3333:4444:5555:6666:7777:8888/128").text(),
            "1111:2222:3333:4444:5555:6666:7777:8888/128");
}

TEST(IpAddress, RefusesOtherTexts) {
  for (const char* text : {"",
                           "1",
                           "10.0.0",
                           "10.0.0.0.1",
                           "10.0.0.256",
                           "10.0.0.1000",
                           "010.0.0.1",
                           "10.0.0.1/33",
                           "10.0.0.1/08",
                           "10.0.0.1/",
                           "10.0.0.1/8/8",
                           "10.0.0.1/-1",
                           " 10.0.0.1",
                           "10.0.0.1 ",
                           "10..0.1",
                           ":",
                           ":::",
                           "1:::2",
                           "1::2::3",
                           "1:2:3:4:5:6:7",
                           "1:2:3:4:5:6:7:8:9",
                           "1:2:3:4::5:6:7:8",
                           "12345::",
                           "g::",
                           "::1/129",
                           "::1/",
                           "fe80::1%eth0",
                           "::ffff:1.2.3.4",
                           "[::1]",
                           "0x7f.0.0.1",
                           "1.2.3.4:80",
                           "00001111:2222:3333:4444:5555:6666:7777:8888/128"}) {
    EXPECT_FALSE(IpAddress::parse(text).has_value()) << text;
  }
}

TEST(IpAddress, ComparesThePrefixToo) {
  EXPECT_NE(ip("10.0.0.1"), ip("10.0.0.1/24"));
  EXPECT_NE(ip("10.0.0.1/24"), ip("10.0.0.2/24"));
  EXPECT_EQ(ip("10.0.0.1"), ip("10.0.0.1/32"));
  EXPECT_NE(ip("0.0.0.1"), ip("::1"));
}

TEST(IpAddress, IsInARangeThatHoldsAllOfIt) {
  EXPECT_TRUE(ip("10.1.2.3").is_in_range(ip("10.0.0.0/8")));
  EXPECT_TRUE(ip("10.1.2.3").is_in_range(ip("10.99.0.0/8")));  // host bits of the range don't matter
  EXPECT_TRUE(ip("10.1.2.3").is_in_range(ip("0.0.0.0/0")));
  EXPECT_FALSE(ip("10.0.0.0/8").is_in_range(ip("10.0.0.0/9")));
  EXPECT_FALSE(ip("10.128.0.0").is_in_range(ip("10.0.0.0/9")));
  EXPECT_FALSE(ip("11.0.0.0").is_in_range(ip("10.0.0.0/8")));
  EXPECT_FALSE(ip("::1").is_in_range(ip("0.0.0.0/0")));
  EXPECT_TRUE(ip("2001:db8::5").is_in_range(ip("2001:db8::/33")));
  EXPECT_FALSE(ip("2001:db8:8000::5").is_in_range(ip("2001:db8::/33")));
}

TEST(IpAddress, KnowsSpecialRanges) {
  EXPECT_TRUE(ip("127.3.2.1").is_loopback());
  EXPECT_TRUE(ip("127.0.0.0/8").is_loopback());
  EXPECT_FALSE(ip("127.0.0.0/7").is_loopback());
  EXPECT_TRUE(ip("::1").is_loopback());
  EXPECT_FALSE(ip("::1/127").is_loopback());
  EXPECT_TRUE(ip("239.255.0.1").is_multicast());
  EXPECT_FALSE(ip("224.0.0.0/3").is_multicast());
  EXPECT_TRUE(ip("ff02::1").is_multicast());
  EXPECT_FALSE(ip("fe80::1").is_multicast());
}

}  // namespace
}  // namespace holdfast::policy
