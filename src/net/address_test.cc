#include "net/address.h"

#include <gtest/gtest.h>

namespace holdfast::net {
namespace {

Reach reach_of(std::string_view text) {
  const auto address = IpAddress::parse(text);
  EXPECT_TRUE(address) << text;
  return address ? address->reach() : Reach::kNever;
}

TEST(IpAddress, ReadsStrictTextAlone) {
  for (const auto* text : {"1.2.3.4", "::1", "2606:4700::1111", "::ffff:1.2.3.4"}) {
    const auto address = IpAddress::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->text(), text);
  }
  for (const auto* text : {"", "1.2.3", "127.1", "0x7f.0.0.1", "01.2.3.4", "1.2.3.4.", "256.1.1.1", "[::1]",
                           "::1%lo", " 1.2.3.4", "1.2.3.4 ", "2130706433", "fe80::1%25eth0"}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
  EXPECT_FALSE(IpAddress::parse(std::string_view("1.2.3.4\0", 8)));
  EXPECT_FALSE(IpAddress::from_bytes(base::Bytes(5)));
  EXPECT_EQ(IpAddress::from_bytes(base::Bytes{127, 0, 0, 1}), IpAddress::parse("127.0.0.1"));
  EXPECT_EQ(IpAddress().reach(), Reach::kNever);
}

TEST(IpAddress, KnowsTheInternet) {
  for (const auto* text : {"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
                           "172.15.255.255", "172.32.0.0", "192.167.255.255", "223.255.255.255",
                           "2606:4700::1", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"}) {
    EXPECT_EQ(reach_of(text), Reach::kGlobal) << text;
  }
}

TEST(IpAddress, KnowsWhatLiesInside) {
  for (const auto* text : {"10.0.0.1",          "100.64.0.1",       "100.127.255.255",
                           "127.0.0.1",         "127.255.255.255",  "169.254.169.254",
                           "172.16.0.1",        "172.31.255.255",   "192.168.0.1",
                           "198.18.0.1",        "198.19.255.255",   "::1",
                           "fc00::1",           "fd12:3456::1",     "fe80::1",
                           "febf::1",           "::ffff:127.0.0.1", "::ffff:169.254.169.254",
                           "64:ff9b::10.0.0.1", "64:ff9b:1::1",     "2001:db8::1"}) {
    EXPECT_EQ(reach_of(text), Reach::kPrivate) << text;
  }
}

TEST(IpAddress, KnowsWhereNobodyIs) {
  for (const auto* text :
       {"0.0.0.0", "0.1.2.3", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
        "::", "::ffff:0.0.0.0", "ff02::1", "2002:7f00:1::1", "2001::1", "fec0::1", "::1.2.3.4", "4000::1"}) {
    EXPECT_EQ(reach_of(text), Reach::kNever) << text;
  }
}

}  // namespace
}  // namespace holdfast::net
