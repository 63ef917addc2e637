#include "intake/inspector.h"

#include <gmock/gmock-matchers.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "intake/dataset_surveyor.h"
#include "intake/inspect_wire.h"
#include "intake/inspect_worker.h"
#include "intake/model_describer.h"
#include "intake/model_wire.h"
#include "worker/child.h"

// The test program is also the worker: main() below. This one does what a worker may do that a hostile file
// has taken over; the real one is tested by the transcripts of `holdfast inspect`.

namespace holdfast::intake {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

inspect::Finding finding_about(const std::string& path) {
  return {.rule_id = "file.link",
          .severity = inspect::Severity::kLow,
          .path = path,
          .offset = {},
          .message = "seen"};
}

void say(worker::Channel& channel, std::string_view text) {
  if (!channel.send(base::as_bytes(text), worker::kNoDeadline)) std::exit(EXIT_FAILURE);
}

// A survey's file has no name: its first bytes say what befalls its worker.
void misbehave_at_survey(worker::Channel& channel, const base::UniqueFd& file) {
  std::array<char, 8> text{};
  if (::pread(file.get(), text.data(), text.size(), 0) < 0) std::exit(EXIT_FAILURE);
  if (text[0] == 'c') std::abort();
  if (text[0] == 'f') ::socket(AF_INET, SOCK_STREAM, 0);  // forbidden
  for (volatile unsigned spin = 0; text[0] == 'h';) spin = spin + 1;
  say(channel, "{}");
}

int misbehave() {
  auto channel = worker::begin_work();
  if (!channel) return EXIT_FAILURE;
  while (auto frame = channel->receive(worker::kNoDeadline, worker::Descriptors::kAccept).value()) {
    const auto request = decode_request(frame->bytes);
    if (request->verb == Verb::kSurvey) misbehave_at_survey(*channel, frame->descriptor);
    if (request->verb == Verb::kSurvey) continue;
    const auto& path = request->path;
    const auto name = fs::path(path).filename().string();
    if (name == "crash") std::abort();
    if (name == "crash-after-finding") {
      say(*channel, encode(finding_about(path)));
      std::abort();
    }
    if (name == "leave") return EXIT_SUCCESS;
    for (volatile unsigned spin = 0; name == "hang";) spin = spin + 1;
    if (name == "slander") say(*channel, encode(finding_about("/another/file")));
    while (name == "flood") say(*channel, encode(finding_about(path)));
    if (request->verb == Verb::kDescribe) {
      if (name == "nonsense") {
        say(*channel, "{}");
      } else if (name == "other") {
        say(*channel, encode(base::Result<supply::ModelDescription>(
                          base::fail(base::ErrorCode::kUnsupported, "other is text"))));
      } else {
        say(*channel,
            encode(base::Result<supply::ModelDescription>(supply::ModelDescription{.format = "test"})));
      }
      continue;
    }
    if (name == "finding") say(*channel, encode(finding_about(path)));
    say(*channel,
        encode(InspectDone{.coverage = {.format = "test", .not_looked_at = {}}, .findings_dropped = 0}));
  }
  return EXIT_SUCCESS;
}

class InspectorTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "holdfast-intake-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  void TearDown() override { fs::remove_all(folder_); }

  void add(std::string_view name) { ASSERT_TRUE(base::write_file_atomically(folder_ / name, {})); }

  base::Result<inspect::Report> inspect() {
    const fs::path paths[] = {folder_};
    return inspect_paths(paths, {.memory_bytes = 1UL << 30, .time_per_file = std::chrono::seconds(1)});
  }
  // The report on one file among others that are harmless, on which it must have no effect.
  inspect::FileReport inspect_beside_others(std::string_view name) {
    add(name);
    add("a-first");
    add("z-last");
    const auto report = inspect().value();
    EXPECT_EQ(report.files.size(), 3U);
    EXPECT_EQ(report.files.front().format, "test");
    EXPECT_EQ(report.files.back().format, "test");
    return report.files.at(1);
  }
  static bool died(const inspect::FileReport& file) {
    return !file.not_looked_at.empty() && file.findings.back().rule_id == "file.worker-died";
  }

  fs::path folder_;
};

TEST_F(InspectorTest, ReportsInTheOrderOfNames) {
  fs::create_directory(folder_ / "b");
  add("c");
  add("b/finding");
  add("a");
  const auto report = inspect().value();
  ASSERT_EQ(report.files.size(), 3U);
  EXPECT_EQ(report.files[1].path, folder_ / "b/finding");
  EXPECT_EQ(report.files[1].findings.size(), 1U);
  EXPECT_TRUE(report.complete());
}

TEST_F(InspectorTest, AnOpenFileGoesByTheNameItIsGiven) {
  add("finding");
  const auto file = formats::FileSource::open(folder_ / "finding").value();
  const auto report = inspect_file(file, "upload/finding", {.memory_bytes = 1UL << 30}).value();
  ASSERT_EQ(report.files.size(), 1U);
  EXPECT_EQ(report.files[0].path, "upload/finding");
  EXPECT_EQ(report.files[0].size_bytes, file.size());
  EXPECT_EQ(report.files[0].findings.size(), 1U);
}

TEST_F(InspectorTest, ACrashIsAFindingAndTakesNoOtherFileWithIt) {
  const auto file = inspect_beside_others("crash");
  EXPECT_TRUE(died(file));
  EXPECT_THAT(file.not_looked_at[0], HasSubstr("abort"));
}

TEST_F(InspectorTest, WhatWasFoundBeforeACrashIsKept) {
  const auto file = inspect_beside_others("crash-after-finding");
  EXPECT_TRUE(died(file));
  EXPECT_EQ(file.findings.front().rule_id, "file.link");
}

TEST_F(InspectorTest, AHangIsEndedByTheClock) {
  const auto file = inspect_beside_others("hang");
  EXPECT_TRUE(died(file));
  EXPECT_THAT(file.not_looked_at[0], HasSubstr("stopped after 1 s"));
}

TEST_F(InspectorTest, AnEarlyEndIsNoAnswer) { EXPECT_TRUE(died(inspect_beside_others("leave"))); }

TEST_F(InspectorTest, AWorkerThatSpeaksOfOtherFilesIsNotBelieved) {
  const auto file = inspect_beside_others("slander");
  EXPECT_TRUE(died(file));
  EXPECT_EQ(file.findings.size(), 1U);
}

TEST_F(InspectorTest, FindingsWithoutEndAreCut) {
  const auto file = inspect_beside_others("flood");
  EXPECT_TRUE(died(file));
  EXPECT_LE(file.findings.size(), inspect::Findings::kMax + 1);
}

TEST_F(InspectorTest, ALinkInAFolderIsFoundAndNotFollowed) {
  fs::create_symlink("/etc/hostname", folder_ / "link");
  const auto report = inspect().value();
  ASSERT_EQ(report.files.size(), 1U);
  EXPECT_EQ(report.files[0].findings.at(0).rule_id, "file.link");
}

TEST_F(InspectorTest, DescribesModelsAndNoFileSpoilsTheNext) {
  ModelDescriber describer({.memory_bytes = 1UL << 30, .time_per_file = std::chrono::seconds(1)});
  const auto describe = [&](std::string_view name) {
    add(name);
    return describer.describe(formats::FileSource::open(folder_ / name).value(), std::string(name));
  };
  EXPECT_EQ(describe("model")->format, "test");
  EXPECT_EQ(describe("other").error().code, base::ErrorCode::kUnsupported);
  EXPECT_EQ(describe("crash").error().code, base::ErrorCode::kUnavailable);
  EXPECT_EQ(describe("nonsense").error().code, base::ErrorCode::kDataCorrupt);
  EXPECT_EQ(describe("hang").error().code, base::ErrorCode::kDeadline);
  EXPECT_EQ(describe("model")->format, "test");
}

TEST_F(InspectorTest, ADatasetThatEndsItsWorkerIsRefused) {
  const auto survey = [&](std::string_view text) {
    EXPECT_TRUE(base::write_file_atomically(folder_ / "csv", base::as_bytes(text)));
    return survey_dataset(formats::FileSource::open(folder_ / "csv").value(),
                          {.memory_bytes = 1UL << 30, .least_time = std::chrono::seconds(1)})
        .error();
  };
  EXPECT_EQ(survey("crash").code, base::ErrorCode::kInvalidArgument);
  EXPECT_THAT(survey("crash").message, HasSubstr("ended the jailed process"));
  EXPECT_EQ(survey("forbidden").code, base::ErrorCode::kInvalidArgument);
  EXPECT_EQ(survey("hang").code, base::ErrorCode::kDeadline);
  EXPECT_EQ(survey("nonsense").code, base::ErrorCode::kDataCorrupt);
}

TEST_F(InspectorTest, APathThatIsNotThereIsAnError) {
  const fs::path paths[] = {folder_ / "none"};
  EXPECT_EQ(inspect_paths(paths, {}).error().code, base::ErrorCode::kNotFound);
}

}  // namespace
}  // namespace holdfast::intake

int main(int argc, char** argv) {
  if (argc == 2 && argv[1] == holdfast::intake::kInspectWorkerArgument) return holdfast::intake::misbehave();
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
