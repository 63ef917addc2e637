// Trainings by the routes: asked for, worked off without a server's workers, shown, and cancelled by whom.
#include <fmt/format.h>
#include <gmock/gmock-matchers.h>

#include "server/testing.h"

namespace holdfast::server {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class RunRoutesTest : public InstallationTest {
 protected:
  void SetUp() override {
    const auto opened = open();
    ASSERT_TRUE(opened) << opened.error().message;
  }
};

TEST_F(RunRoutesTest, WhatCanNotBeTrainedIsRefusedBeforeARunIsMade) {
  EXPECT_EQ(ask(Method::kPost, "/v1/models/credit/train", "{}").status, 404);
  EXPECT_EQ(ask(Method::kPost, "/v1/models/credit/train", R"({"epoch":1})").status, 400);
  EXPECT_EQ(ask(Method::kPost, "/v1/models/credit/train", "{}", {}, /*local=*/false).status, 401);
  EXPECT_TRUE(ask(Method::kGet, "/v1/runs").json["runs"].empty());
}

TEST_F(RunRoutesTest, ARunThatIsNotThereIsNotCancelled) {
  EXPECT_EQ(ask(Method::kPost, "/v1/runs/1/cancel").status, 404);
  EXPECT_EQ(ask(Method::kPost, "/v1/runs/one/cancel").status, 400);
  EXPECT_EQ(ask(Method::kPost, "/v1/runs/99999999999999999999/cancel").status, 400);
  EXPECT_EQ(ask(Method::kPost, "/v1/runs/1/cancel", {}, {}, /*local=*/false).status, 401);
}

TEST_F(RunRoutesTest, ARunThatWaitsIsShownAndCancelled) {
  auto& access = installation_->access();
  const auto caller = access.local_operator(Installation::workspace()).value();
  const auto authorised =
      access
          .authorise(
              caller, access::Action::kTrainModel,
              {.type = access::ResourceType::kModel, .workspace = Installation::workspace(), .id = "credit"})
          .value();
  const auto run = installation_->run_queue().ask(authorised, {.model = "credit"}).value();
  const std::string at = fmt::format("/v1/runs/{}", run.id);
  EXPECT_EQ(ask(Method::kGet, at).json["state"], "waiting");
  const auto cancelled = ask(Method::kPost, at + "/cancel");
  EXPECT_EQ(cancelled.status, 200) << cancelled.json;
  EXPECT_EQ(cancelled.json["state"], "cancelled");
  EXPECT_EQ(ask(Method::kPost, at + "/cancel").status, 409);
  ASSERT_TRUE(installation_->work_off_runs());
  EXPECT_EQ(ask(Method::kGet, at).json["state"], "cancelled");
}

// As after a server that was killed: the run is still there when the folder is opened again.
TEST_F(RunRoutesTest, ARunOutlivesTheServerAndSaysWhyItFailed) {
  auto& access = installation_->access();
  const auto caller = access.local_operator(Installation::workspace()).value();
  const auto authorised =
      access
          .authorise(
              caller, access::Action::kTrainModel,
              {.type = access::ResourceType::kModel, .workspace = Installation::workspace(), .id = "credit"})
          .value();
  const auto run = installation_->run_queue().ask(authorised, {.model = "credit"}).value();
  const std::string at = fmt::format("/v1/runs/{}", run.id);
  close();
  ASSERT_TRUE(open());
  EXPECT_EQ(ask(Method::kGet, at).json["state"], "waiting");
  ASSERT_TRUE(installation_->work_off_runs());
  const auto ended = ask(Method::kGet, at).json;
  EXPECT_EQ(ended["state"], "failed");
  EXPECT_EQ(ended["attempt"], 1);
  EXPECT_THAT(ended["result"]["error"].get<std::string>(), HasSubstr("holdfast require"));
}

}  // namespace
}  // namespace holdfast::server
