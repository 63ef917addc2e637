#include "supply/version.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "supply/ecosystem.h"

namespace holdfast::supply {
namespace {

std::strong_ordering compare(VersionOrder order, std::string_view a, std::string_view b) {
  const auto first = Version::parse(order, a);
  const auto second = Version::parse(order, b);
  EXPECT_TRUE(first) << a;
  EXPECT_TRUE(second) << b;
  return first && second ? *first <=> *second : std::strong_ordering::equal;
}

// Each against each: all of an earlier line is older, all of one line is equal.
void expect_ladder(VersionOrder order, const std::vector<std::vector<std::string>>& ladder) {
  for (std::size_t i = 0; i < ladder.size(); ++i) {
    for (std::size_t j = 0; j < ladder.size(); ++j) {
      for (const auto& a : ladder[i]) {
        for (const auto& b : ladder[j]) EXPECT_EQ(compare(order, a, b), i <=> j) << a << " and " << b;
      }
    }
  }
}

// Rules of apk-tools' version.c, each with its neighbours.
TEST(Version, OrdersAlpineAsApkDoes) {
  expect_ladder(VersionOrder::kApk, {{"0.9"},     {"1.0_alpha"},  {"1.0_alpha2"}, {"1.0_beta1"}, {"1.0_pre1"},
                                     {"1.0_rc1"}, {"1.0_rc1-r3"}, {"1.0"},        {"1.0-r0"},    {"1.0-r10"},
                                     {"1.0_p1"},  {"1.0_p1-r1"},  {"1.0a"},       {"1.0b-r1"},   {"1.0.1"},
                                     {"1.01"},    {"1.1"},        {"1.9"},        {"1.10"},      {"2"}});
  for (const auto* bad : {"", "a", "1..2", "1.", "1_x", "1-r", "1-1", "1.0 ", "1.0A"}) {
    EXPECT_FALSE(Version::parse(VersionOrder::kApk, bad)) << bad;
  }
}

// PEP 440, "Examples of compliant version schemes" and "Summary of permitted suffixes", in full.
TEST(Version, OrdersPyPiAsPep440Does) {
  expect_ladder(VersionOrder::kPep440, {{"0.9"},
                                        {"1.dev0", "1.0.dev"},
                                        {"1.0.dev456", "1.0-DEV456", "1_dev456"},
                                        {"1.0a1", "1.0.alpha.1", "v1.0-a_1"},
                                        {"1.0a2.dev456"},
                                        {"1.0a12.dev456"},
                                        {"1.0a12"},
                                        {"1.0b1.dev456"},
                                        {"1.0b2", "1.0beta2"},
                                        {"1.0b2.post345.dev456"},
                                        {"1.0b2.post345", "1.0b2-345", "1.0b2.rev345"},
                                        {"1.0rc1.dev456"},
                                        {"1.0rc1", "1.0c1", "1.0.preview1"},
                                        {"1.0", "1", "1.0.0", " 1.00 "},
                                        {"1.0+abc.5"},
                                        {"1.0+abc.7", "1.0+ABC_7"},
                                        {"1.0+5"},
                                        {"1.0.post456.dev34"},
                                        {"1.0.post456", "1.0-456", "1.0r456"},
                                        {"1.0.15"},
                                        {"1.1.dev1"},
                                        {"1.9"},
                                        {"1.10"},
                                        {"2013.10"},
                                        {"99999999999999999999999"},
                                        {"1!0.1"}});
}

// semver.org, section 11.4.4, and Go's modules (go.dev/ref/mod#versions).
TEST(Version, OrdersSemanticVersionsAsTheirSpecificationDoes) {
  expect_ladder(VersionOrder::kSemver, {{"0.0.0-20191109021931-daa7c04131f5"},
                                        {"0.0.0", "0", "v0.0.0"},
                                        {"1.0.0-alpha"},
                                        {"1.0.0-alpha.1"},
                                        {"1.0.0-alpha.beta"},
                                        {"1.0.0-beta"},
                                        {"1.0.0-beta.2"},
                                        {"1.0.0-beta.11"},
                                        {"1.0.0-rc.1"},
                                        {"1.0.0", "1", "1.0", "1.0.0+build.7", "v1.0.0+incompatible"},
                                        {"1.0.1"},
                                        {"1.2.0"},
                                        {"1.10.0"},
                                        {"1.10.18446744073709551616"}});
}

// deb-version(7), and lib/dpkg/t/t-version.c of dpkg.
TEST(Version, OrdersDebianAsDpkgDoes) {
  expect_ladder(VersionOrder::kDpkg, {{"0~~"},
                                      {"0~~a"},
                                      {"0~"},
                                      {"0", "0-0", "0-", "0:0-0", "00"},
                                      {"0-0a"},
                                      {"0a"},
                                      {"1.0~beta1~svn1245"},
                                      {"1.0~beta1"},
                                      {"1.0", "1.0-0"},
                                      {"1.0-1~bpo12+1"},
                                      {"1.0-1"},
                                      {"1.0-1+b1"},
                                      {"1.0-1+deb12u1"},
                                      {"1.0-1.1"},
                                      {"1.0a-1"},
                                      {"1.0+dfsg-1"},
                                      {"1.0.1-1"},
                                      {"1.9-1"},
                                      {"1.10-1"},
                                      {"1:0.1"},
                                      {"2:0"}});
}

// rpm's tests/rpmvercmp.at.
TEST(Version, OrdersRpmAsRpmvercmpDoes) {
  expect_ladder(VersionOrder::kRpm, {{"1.0~rc1~git123"},
                                     {"1.0~rc1"},
                                     {"1.0", "1_0", "1.0."},
                                     {"1.0^git1~pre"},
                                     {"1.0^git1"},
                                     {"1.0^git2"},
                                     {"1.0a"},
                                     {"1.0xyz"},
                                     {"1.0.1", "1.0.01"},
                                     {"2.0"},
                                     {"2.0.1a"},
                                     {"5.5p1"},
                                     {"5.5p10"},
                                     {"10abc"},
                                     {"10.0001", "10.1"},
                                     {"10.0039"},
                                     {"20101121-1.el8"},
                                     {"20101121-1.el8_2"},
                                     {"20101121-2.el8"},
                                     {"1:0.1-1"}});
}

// Maven's own ComparableVersionTest: its qualifiers and its numbers.
TEST(Version, OrdersMavenAsComparableVersionDoes) {
  expect_ladder(VersionOrder::kMaven, {{"1-alpha2snapshot"},
                                       {"1-alpha2", "1a2"},
                                       {"1-alpha-123"},
                                       {"1-beta-2"},
                                       {"1-beta123"},
                                       {"1-m2"},
                                       {"1-m11"},
                                       {"1-rc", "1-cr"},
                                       {"1-cr2"},
                                       {"1-rc123"},
                                       {"1-SNAPSHOT"},
                                       {"1", "1.0", "1-ga", "1.0.0", "1-0", "1.final"},
                                       {"1-sp"},
                                       {"1-sp2"},
                                       {"1-sp123"},
                                       {"1-abc"},
                                       {"1-def"},
                                       {"1-pom-1"},
                                       {"1-1-snapshot"},
                                       {"1-1"},
                                       {"1-2"},
                                       {"1-123"},
                                       {"1.0.1"},
                                       {"1.1"},
                                       {"1.2"},
                                       {"1.10"},
                                       {"2.0"},
                                       {"2.1-a"},
                                       {"2.1b", "2.1-b"},
                                       {"2.1-c"},
                                       {"2.1-1"},
                                       {"2.1.0.1"}});
}

TEST(Version, RefusesWhatIsNoVersion) {
  for (const char* text :
       {"", " ", "abc", "1.0-", "1..0", "1.0+", "1.0+a..b", "1.0 2.0", "1.0a1b2", "!1", "1.0*"}) {
    EXPECT_FALSE(Version::parse(VersionOrder::kPep440, text)) << text;
  }
  for (const char* text : {"", "v", "x1", "1.", "1.2.3.4", "1.2.3-", "1.2.3-a..b", "1.2.3-\xff", "^1.2.3"}) {
    EXPECT_FALSE(Version::parse(VersionOrder::kSemver, text)) << text;
  }
  for (const auto order : {VersionOrder::kDpkg, VersionOrder::kRpm}) {
    for (const char* text : {"", "1 0", "x:1", "1\n"}) EXPECT_FALSE(Version::parse(order, text)) << text;
  }
  EXPECT_FALSE(Version::parse(VersionOrder::kDpkg, std::string(256, '1')));
  EXPECT_TRUE(Version::parse(VersionOrder::kDpkg, std::string(255, '1')));
}

// Any texts at all: what is a version equals itself, and three of them never go round in a circle.
TEST(Version, IsATotalOrder) {
  std::mt19937 random(20261123);
  constexpr std::string_view kAlphabet = "0123019.-~^+ab:rcdevpost!";
  for (const auto order : {VersionOrder::kPep440, VersionOrder::kSemver, VersionOrder::kDpkg,
                           VersionOrder::kRpm, VersionOrder::kApk, VersionOrder::kMaven}) {
    std::vector<std::pair<std::string, Version>> versions;
    while (versions.size() < 60) {
      std::string text;
      for (auto left = 1 + random() % 7; left > 0; --left)
        text.push_back(kAlphabet[random() % kAlphabet.size()]);
      if (auto version = Version::parse(order, text)) versions.emplace_back(text, *std::move(version));
    }
    for (const auto& [a_text, a] : versions) {
      EXPECT_EQ(a, a);
      for (const auto& [b_text, b] : versions) {
        EXPECT_EQ(a<b, b> a) << a_text << " and " << b_text;
        for (const auto& [c_text, c] : versions) {
          EXPECT_FALSE(a <= b && b < c && c <= a) << a_text << ", " << b_text << ", " << c_text;
        }
      }
    }
  }
}

TEST(Ecosystem, SpellsNamesInOneWay) {
  EXPECT_EQ(normalised_name("PyPI", "Friendly-._.Bard"), "friendly-bard");
  EXPECT_EQ(normalised_name("npm", "@Scope/Name"), "@Scope/Name");
  EXPECT_EQ(normalised_name("Debian:12", "OpenSSL"), "openssl");
  EXPECT_EQ(normalised_name("nobody knows", "A_b"), "A_b");
  EXPECT_EQ(version_order("Debian:12"), VersionOrder::kDpkg);
  EXPECT_EQ(version_order("ConanCenter"), std::nullopt);
  EXPECT_EQ(purl_type("crates.io"), "cargo");
  EXPECT_EQ(ecosystem_of_purl_type("golang"), "Go");
}

}  // namespace
}  // namespace holdfast::supply
