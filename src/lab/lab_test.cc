#include "lab/lab.h"

#include <gmock/gmock-matchers.h>

#include <filesystem>

#include "lab/feed_forward.h"
#include "lab/probe/lies.h"

// The client against a lab that lies. Against the real one: model_torch/lab_program_test.cc.

namespace holdfast::lab {
namespace {

using base::ErrorCode;
using probe::Lie;
using ::testing::AllOf;
using ::testing::HasSubstr;

const std::vector<float> kValues{1, 2, 3, 4};
const std::vector<std::int32_t> kLabels{0, 1};

MatrixView rows() { return {.rows = 2, .columns = 2, .values = kValues}; }
worker::Deadline patience() { return worker::deadline_in(std::chrono::seconds(60)); }

LabOptions options() {
  return {.executable = std::filesystem::read_symlink("/proc/self/exe").parent_path() / HOLDFAST_LAB_PROBE};
}

Lab start() {
  auto started = Lab::start(options());
  EXPECT_TRUE(started.has_value()) << started.error().message;
  return std::move(started).value();
}

base::Result<TrainResult> train(Lab& lab, Lie lie, worker::Deadline deadline) {
  TrainSpec spec{.hidden = {}, .epochs = 1};
  spec.seed = static_cast<std::uint64_t>(lie);
  return lab.train({.features = rows(), .labels = kLabels}, {}, spec, deadline);
}

base::Result<AttackResult> attack(Lab& lab, Lie lie) {
  AttackSpec spec{.columns = {{.can_change = true, .max_change = 1.0}, {}}};
  spec.seed = static_cast<std::uint64_t>(lie);
  return lab.attack({}, rows(), kLabels, spec, patience());
}

TEST(Lab, TakesWhatFits) {
  Lab lab = start();
  const auto trained = train(lab, Lie::kTruth, patience());
  ASSERT_TRUE(trained) << trained.error().message;
  EXPECT_EQ(trained->best_epoch, 1U);
  const auto attacked = attack(lab, Lie::kTruth);
  ASSERT_TRUE(attacked) << attacked.error().message;
  EXPECT_EQ(attacked->rows, kValues);
  EXPECT_EQ(attacked->count(RowOutcome::kHeld), 2U);
  EXPECT_TRUE(attacked->warnings.empty());
}

struct Told {
  Lie lie;
  ErrorCode code;
  const char* words;
};

class Lying : public ::testing::TestWithParam<Told> {};

TEST_P(Lying, IsFoundOutAndEnded) {
  const auto& [lie, code, words] = GetParam();
  Lab lab = start();
  const auto error =
      lie >= Lie::kBeyondConstraints ? attack(lab, lie).error() : train(lab, lie, patience()).error();
  EXPECT_EQ(error.code, code) << error.message;
  EXPECT_THAT(error.message, HasSubstr(words));
  EXPECT_EQ(train(lab, Lie::kTruth, patience()).error().code, ErrorCode::kUnavailable);
}

INSTANTIATE_TEST_SUITE_P(
    All, Lying,
    ::testing::Values(
        Told{Lie::kGarbageModel, ErrorCode::kDataCorrupt, "answer is false"},
        Told{Lie::kOtherShape, ErrorCode::kDataCorrupt, "takes 3 columns and gives 2, not 2 and 2"},
        Told{Lie::kWeightsNotFinite, ErrorCode::kDataCorrupt, "not finite"},
        Told{Lie::kNoSuchEpoch, ErrorCode::kDataCorrupt, "best epoch"},
        Told{Lie::kEpochsOutOfOrder, ErrorCode::kDataCorrupt, "out of order"},
        Told{Lie::kHugeModel, ErrorCode::kDataCorrupt, "larger than any"},
        Told{Lie::kShortChunk, ErrorCode::kDataCorrupt, "wrong size"},
        Told{Lie::kGarbageFrame, ErrorCode::kDataCorrupt, "no answer that it can give"},
        Told{Lie::kEndlessProgress, ErrorCode::kDataCorrupt, "progress without end"},
        Told{Lie::kEnd, ErrorCode::kUnavailable, "ended by itself with status 3"},
        Told{Lie::kBeyondConstraints, ErrorCode::kDataCorrupt, "row 0 breaks its constraints"},
        Told{Lie::kChangedAndHeld, ErrorCode::kDataCorrupt, "row 0 was changed, and did not fool"},
        Told{Lie::kNoSuchOutcome, ErrorCode::kDataCorrupt, "outcome is none"}));

TEST(Lab, GivesUpOnSilenceAtTheDeadline) {
  Lab lab = start();
  const auto late = train(lab, Lie::kSilence, worker::deadline_in(std::chrono::milliseconds(100)));
  EXPECT_EQ(late.error().code, ErrorCode::kDeadline);
}

TEST(Lab, PassesOnARefusalAndStaysUsable) {
  Lab lab = start();
  const auto refused = train(lab, Lie::kFailure, patience());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(refused.error().message, "not asked");
  EXPECT_TRUE(train(lab, Lie::kTruth, patience()));
}

TEST(Lab, RefusesBadRequestsBeforeItAsks) {
  Lab lab = start();
  const std::vector<std::int32_t> labels{0, 5};
  EXPECT_THAT(lab.train({.features = rows(), .labels = labels}, {}, {}, patience()).error().message,
              HasSubstr("label of the training row 1 is 5"));
  EXPECT_THAT(lab.train({.features = {.columns = 2}}, {}, {}, patience()).error().message,
              HasSubstr("no training rows"));
  const MatrixView narrow{.rows = 4, .columns = 1, .values = kValues};
  const std::vector<std::int32_t> four(4);
  const LabelledRows validation{.features = narrow, .labels = four};
  EXPECT_THAT(lab.train({.features = rows(), .labels = kLabels}, validation, {}, patience()).error().message,
              HasSubstr("validation rows have 1 columns, and the training rows 2"));
  EXPECT_TRUE(train(lab, Lie::kTruth, patience()));
}

TEST(Lab, SaysHowToGetALab) {
  LabOptions wrong = options();
  wrong.executable += "-not-there";
  const auto started = Lab::start(wrong);
  ASSERT_FALSE(started.has_value());
  EXPECT_EQ(started.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(started.error().message, AllOf(HasSubstr("not-there"), HasSubstr("libtorch-dev")));
  wrong = options();
  wrong.threads = 0;
  EXPECT_EQ(Lab::start(wrong).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace holdfast::lab
