#include "supply/cvss.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

namespace holdfast::supply {
namespace {

// first.org/cvss/v3-1/examples and first.org/cvss/v4-0/examples.
TEST(Cvss, ScoresTheExamplesOfItsAuthors) {
  struct Case {
    const char* vector;
    int tenths;
  };
  for (const auto& [vector, tenths] :
       {Case{"CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 61},
        Case{"CVSS:3.0/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 64},
        Case{"CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", 31},
        Case{"CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", 99},
        Case{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", 75},
        Case{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 98},
        Case{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 100},
        Case{"CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 73},
        Case{"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", 100},
        Case{"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 93},
        Case{"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N", 0}}) {
    const auto score = cvss_base_tenths(vector);
    ASSERT_TRUE(score) << vector << ": " << score.error().message;
    EXPECT_EQ(*score, tenths) << vector;
  }
}

TEST(Cvss, AgreesWithAnotherImplementation) {
  std::ifstream rows(std::string(HOLDFAST_TESTDATA) + "/cvss/peer.txt");
  int count = 0;
  for (std::string line; std::getline(rows, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream row(line);
    std::string vector;
    int tenths = -1;
    row >> vector >> tenths;
    const auto score = cvss_base_tenths(vector);
    ASSERT_TRUE(score) << vector << ": " << score.error().message;
    EXPECT_EQ(*score, tenths) << vector;
    ++count;
  }
  EXPECT_GE(count, 80);
}

TEST(Cvss, PassesOverWhatIsNoBaseMetric) {
  EXPECT_EQ(*cvss_base_tenths("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:P/RL:O"), 98);
}

TEST(Cvss, RefusesWhatIsNoVector) {
  for (const char* vector :
       {"", "CVSS:2.0/AV:N", "AV:N/AC:L/Au:N/C:N/I:N/A:C", "CVSS:3.1/", "CVSS:3.1/AV:N", "CVSS:3.1",
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:X", "CVSS:3.1/AV:N/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/junk", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H"}) {
    EXPECT_FALSE(cvss_base_tenths(vector)) << vector;
  }
}

TEST(Cvss, NamesTheSeverity) {
  EXPECT_EQ(severity_of_tenths(0), Severity::kNone);
  EXPECT_EQ(severity_of_tenths(39), Severity::kLow);
  EXPECT_EQ(severity_of_tenths(40), Severity::kMedium);
  EXPECT_EQ(severity_of_tenths(89), Severity::kHigh);
  EXPECT_EQ(severity_of_tenths(90), Severity::kCritical);
  EXPECT_EQ(severity_of_word("MODERATE"), Severity::kMedium);
  EXPECT_EQ(severity_of_word("dreadful"), Severity::kUnknown);
}

}  // namespace
}  // namespace holdfast::supply
