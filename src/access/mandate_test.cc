// What was asked for and is done later: by whom, and what ends it.
#include "access/mandate.h"

#include <gmock/gmock-matchers.h>

#include <nlohmann/json.hpp>

#include "access/testing.h"

namespace holdfast::access {
namespace {

using base::ErrorCode;
using std::chrono::hours;
using testing::HasSubstr;

class MandateTest : public AccessTest {
 protected:
  Mandate mandate(const Caller& caller) {
    const auto authorised = access_->authorise(caller, Action::kTrainModel, model("credit")).value();
    return Mandate::of(authorised, clock_.now() + hours(24));
  }
  base::Result<Authorised> act(const Mandate& mandate) {
    HF_TRY(const auto snapshot, access_->snapshot());
    HF_TRY(const auto caller, snapshot->caller_by(mandate, clock_.now()));
    return access_->authorise(caller, mandate.action, mandate.resource);
  }
};

TEST_F(MandateTest, ItIsKeptAsText) {
  person("mia", kScientists);
  const auto kept = mandate(caller("mia"));
  const auto read = Mandate::parse(kept.json()).value();
  EXPECT_EQ(read.json(), kept.json());
  EXPECT_TRUE(act(read));
}

TEST_F(MandateTest, ItOutlivesTheTokenAndEndsByItself) {
  person("mia", kScientists);
  const Caller ada = caller("mia");
  const auto kept = mandate(ada);
  clock_.advance(hours(2));
  EXPECT_FALSE(access_->authorise(ada, Action::kTrainModel, model("credit")));
  const auto acted = act(kept);
  ASSERT_TRUE(acted) << acted.error().message;
  EXPECT_FALSE(acted->caller().is_local_operator());
  EXPECT_EQ(acted->caller().text(), ada.text());
  clock_.advance(hours(22));
  EXPECT_EQ(act(kept).error().code, ErrorCode::kPermissionDenied);
  EXPECT_THAT(act(kept).error().message, HasSubstr("ask for it again"));
}

TEST_F(MandateTest, WhatWasTakenAwaySinceIsNotDone) {
  const PrincipalId id = person("mia", kScientists);
  const auto kept = mandate(caller("mia"));
  ASSERT_TRUE(access_->remove_member(*local_, PrincipalId(std::string(kScientists)), id));
  EXPECT_THAT(act(kept).error().message, HasSubstr("no policy permits it"));
  ASSERT_TRUE(access_->add_member(*local_, PrincipalId(std::string(kScientists)), id));
  EXPECT_TRUE(act(kept));
  ASSERT_TRUE(access_->set_enabled(*local_, id, false));
  EXPECT_THAT(act(kept).error().message, HasSubstr("disabled"));
}

TEST_F(MandateTest, TheLocalOperatorsIsItsOwn) {
  const auto kept = mandate(*local_);
  EXPECT_TRUE(act(kept)->caller().is_local_operator());
  // Nobody else becomes it by leaving the audience out.
  auto forged = kept.json();
  forged["principal"] = person("mia", kScientists).value();
  EXPECT_EQ(Mandate::parse(forged).error().code, ErrorCode::kDataCorrupt);
}

TEST_F(MandateTest, WhatIsNoneIsNotRead) {
  const auto whole = mandate(*local_).json();
  EXPECT_FALSE(Mandate::parse(nlohmann::json::array()));
  for (const auto& [name, value] : whole.items()) {
    auto without = whole;
    without.erase(name);
    EXPECT_EQ(Mandate::parse(without).error().code, ErrorCode::kDataCorrupt) << name;
    auto wrong = whole;
    wrong[name] = true;
    EXPECT_EQ(Mandate::parse(wrong).error().code, ErrorCode::kDataCorrupt) << name;
  }
  auto unknown = whole;
  unknown["action"] = "launch";
  EXPECT_FALSE(Mandate::parse(unknown));
  unknown = whole;
  unknown["resource"]["type"] = "Moon";
  EXPECT_FALSE(Mandate::parse(unknown));
}

}  // namespace
}  // namespace holdfast::access
