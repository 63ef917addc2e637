// Trainings on durable jobs: what a server that ends at any step leaves behind, what is decided again, and
// that each run makes one version or none.
#include "registry/run_queue.h"

#include <gmock/gmock-matchers.h>

#include <atomic>
#include <thread>

#include <nlohmann/json.hpp>

#include "registry/run_workers.h"
#include "registry/samples.h"
#include "registry/testing.h"

namespace holdfast::registry {
namespace {

using access::Action;
using access::ResourceType;
using base::ErrorCode;
using base::Result;
using std::chrono::seconds;
using testing::HasSubstr;

using Asked = Run;  // testing::Test has a Run of its own

constexpr std::chrono::microseconds kLease = seconds(15);

class RunQueueTest : public RegistryTest {
 protected:
  // A trainer without a lab: gives the model of that number, and does `meanwhile` first.
  Trainer trainer(float number, std::function<void()> meanwhile = {}) {
    return [this, number, meanwhile = std::move(meanwhile)](
               const Asked& run, const TrainOrder&, const std::stop_token&,
               const OnRunProgress& on_progress) -> Result<Trained> {
      trained_.push_back(run.id);
      on_progress(
          {.step = "training", .line = "epoch 1 of 2", .permille = 500, .metrics_json = R"({"loss":1})"});
      if (meanwhile) meanwhile();
      const auto onnx = sample_onnx(number);
      return Trained{.onnx = {onnx.begin(), onnx.end()}, .provenance_json = "{}", .metrics_json = "{}"};
    };
  }
  std::unique_ptr<RunQueue> queue(Trainer train, const RunQueueOptions& options = {}) {
    return std::make_unique<RunQueue>(RunQueue::Tools{.parts = *parts_,
                                                      .access = *access_,
                                                      .models = *models_,
                                                      .train = std::move(train),
                                                      .random = base::system_random()},
                                      options);
  }
  Asked ask(RunQueue& queue) { return ask(queue, local()); }
  Asked ask(RunQueue& queue, const access::Caller& caller) {
    return queue.ask(may(caller, Action::kTrainModel, credit()), {.model = "credit"}).value();
  }
  static access::Resource credit() {
    return {.type = ResourceType::kModel, .workspace = kHome, .id = "credit"};
  }
  Asked run(const Asked& asked) { return Runs(*parts_).find(kHome, asked.id).value(); }
  std::vector<Version> versions() { return models_->list(kHome, "credit", 10).value(); }
  // What a server leaves that was killed: its lease runs out, and nothing else happens.
  void kill_server() {
    close();
    clock_.advance(kLease + seconds(1));
    open();
  }

  std::vector<std::int64_t> trained_;
};

TEST_F(RunQueueTest, WhatIsAskedForIsDoneOnceAndRegistered) {
  const auto queue = this->queue(trainer(1));
  const auto asked = ask(*queue);
  EXPECT_EQ(run(asked).state, RunState::kWaiting);
  EXPECT_TRUE(versions().empty());
  EXPECT_TRUE(queue->work().value());
  const auto done = run(asked);
  EXPECT_EQ(done.state, RunState::kDone);
  EXPECT_EQ(done.attempt, 1);
  EXPECT_THAT(done.result_json, HasSubstr(R"("version":1)"));
  ASSERT_EQ(versions().size(), 1U);
  EXPECT_EQ(versions()[0].run, asked.id);
  EXPECT_EQ(EvidenceRoom(*parts_).about(kHome, versions()[0].digest)->size(), 3U);
  EXPECT_FALSE(queue->work().value()) << "nothing is left to do";
}

TEST_F(RunQueueTest, AServerThatWasKilledBeforeItTookTheRunLeavesItToTheNext) {
  const auto asked = ask(*queue(trainer(1)));
  kill_server();
  EXPECT_TRUE(queue(trainer(1))->work().value());
  EXPECT_EQ(run(asked).state, RunState::kDone);
  EXPECT_EQ(versions().size(), 1U);
}

// The first worker stands still while it trains, as one does that was stopped, or whose server was killed and
// whose process is not gone yet. The second takes over after the lease; what the first then brings counts for
// nothing.
TEST_F(RunQueueTest, OfTwoWorkersOnARunTheLaterOneRegisters) {
  const auto second = queue(trainer(2));
  const auto first = queue(trainer(1, [&] {
    clock_.advance(kLease + seconds(1));
    EXPECT_TRUE(second->work().value());
  }));
  const auto asked = ask(*first);
  EXPECT_TRUE(first->work().value());
  EXPECT_EQ(trained_.size(), 2U);
  EXPECT_EQ(run(asked).state, RunState::kDone);
  EXPECT_EQ(run(asked).attempt, 2);
  ASSERT_EQ(versions().size(), 1U);
  EXPECT_THAT(run(asked).result_json, HasSubstr(versions()[0].digest.hex()));
  EXPECT_TRUE(rows_hold(row_claims(database_->snapshot().value()).value()));
}

TEST_F(RunQueueTest, AfterTooManyEndsOfItsServerARunHasFailedAndSaysWhy) {
  RunQueueOptions options;
  options.max_attempts = 2;
  std::optional<Asked> asked;
  const std::unique_ptr<RunQueue> last = queue(trainer(3), options);
  const auto second =
      queue(trainer(2,
                    [&] {
                      clock_.advance(kLease + seconds(1));
                      EXPECT_FALSE(last->work().value());  // no attempt is left, so nothing is due
                      EXPECT_FALSE(last->work().value());
                    }),
            options);
  const auto first = queue(trainer(1,
                                   [&] {
                                     clock_.advance(kLease + seconds(1));
                                     EXPECT_TRUE(second->work().value());
                                   }),
                           options);
  asked = ask(*first);
  EXPECT_TRUE(first->work().value());
  EXPECT_EQ(run(*asked).state, RunState::kFailed);
  EXPECT_THAT(run(*asked).result_json, HasSubstr("the server ended 2 times"));
  EXPECT_TRUE(versions().empty());
}

TEST_F(RunQueueTest, ARunThatIsStoppedWithItsServerIsDueAgainAndLosesNoAttempt) {
  std::stop_source stop;
  const auto asked = ask(*queue(trainer(1)));
  EXPECT_TRUE(queue(trainer(1, [&] { stop.request_stop(); }))->work(stop.get_token()).value());
  EXPECT_EQ(run(asked).state, RunState::kWaiting);
  EXPECT_TRUE(versions().empty());
  EXPECT_TRUE(queue(trainer(1))->work().value());
  EXPECT_EQ(run(asked).state, RunState::kDone);
  EXPECT_EQ(run(asked).attempt, 1);
}

TEST_F(RunQueueTest, ACancelledRunMakesNothingWaitingOrRunning) {
  const auto may_train = [&] { return may(local(), Action::kTrainModel, credit()); };
  RunQueue* working = nullptr;
  std::optional<Asked> asked;
  const auto queue = this->queue(
      trainer(1, [&] { EXPECT_EQ(working->cancel(may_train(), asked->id)->state, RunState::kCancelled); }));
  working = queue.get();
  asked = ask(*queue);
  EXPECT_TRUE(queue->work().value());
  EXPECT_EQ(run(*asked).state, RunState::kCancelled);
  EXPECT_THAT(run(*asked).result_json, HasSubstr("cancelled by"));

  const auto waiting = ask(*queue);
  ASSERT_TRUE(queue->cancel(may_train(), waiting.id));
  EXPECT_EQ(queue->cancel(may_train(), waiting.id).error().code, ErrorCode::kConflict);
  EXPECT_TRUE(queue->work().value());
  EXPECT_EQ(trained_.size(), 1U) << "the one that waited was never begun";
  EXPECT_TRUE(versions().empty());
  EXPECT_EQ(queue
                ->cancel(may(local(), Action::kTrainModel,
                             {.type = ResourceType::kModel, .workspace = kHome, .id = "other"}),
                         waiting.id)
                .error()
                .code,
            ErrorCode::kPermissionDenied);
}

TEST_F(RunQueueTest, WhatWasTakenAwayBeforeItStartsIsNotDone) {
  const auto ada = person("ada", access::kScientists);
  const auto queue = this->queue(trainer(1));
  const auto asked = ask(*queue, ada);
  ASSERT_TRUE(
      access_->remove_member(local(), access::PrincipalId(std::string(access::kScientists)), ada.id()));
  EXPECT_TRUE(queue->work().value());
  EXPECT_EQ(run(asked).state, RunState::kFailed);
  EXPECT_THAT(run(asked).result_json, HasSubstr("may not trainModel"));
  EXPECT_TRUE(trained_.empty());
}

TEST_F(RunQueueTest, WhatWasTakenAwayWhileItTrainedIsNotRegistered) {
  const auto ada = person("ada", access::kScientists);
  const auto queue =
      this->queue(trainer(1, [&] { ASSERT_TRUE(access_->set_enabled(local(), ada.id(), false)); }));
  const auto asked = ask(*queue, ada);
  EXPECT_TRUE(queue->work().value());
  EXPECT_EQ(run(asked).state, RunState::kFailed);
  EXPECT_THAT(run(asked).result_json, HasSubstr("disabled"));
  EXPECT_EQ(trained_.size(), 1U);
  EXPECT_TRUE(versions().empty());
}

TEST_F(RunQueueTest, ItOutlivesTheTokenAndNotTheMandate) {
  const auto ada = person("ada", access::kScientists);
  const auto queue = this->queue(trainer(1));
  const auto in_time = ask(*queue, ada);
  clock_.advance(std::chrono::hours(2));  // her token has ended
  EXPECT_FALSE(access_->authorise(ada, Action::kTrainModel, credit()));
  EXPECT_TRUE(queue->work().value());
  EXPECT_EQ(run(in_time).state, RunState::kDone);
  EXPECT_THAT(versions().at(0).created_by, HasSubstr(ada.id().value()));

  const auto too_late = ask(*queue);
  clock_.advance(std::chrono::hours(25));
  EXPECT_TRUE(queue->work().value());
  EXPECT_EQ(run(too_late).state, RunState::kFailed);
  EXPECT_THAT(run(too_late).result_json, HasSubstr("ask for it again"));
}

TEST_F(RunQueueTest, AnOrderThatWasWrittenIntoTheDatabaseIsNotCarriedOut) {
  const auto queue = this->queue(trainer(1));
  const auto asked = ask(*queue);
  behind_the_back(store::Sql("UPDATE jobs SET payload = x'0102'"));
  EXPECT_TRUE(queue->work().value());
  EXPECT_EQ(run(asked).state, RunState::kFailed);
  EXPECT_TRUE(trained_.empty());
}

TEST_F(RunQueueTest, SoManyWaitAndNoMore) {
  RunQueueOptions options;
  options.max_open = 1;
  const auto queue = this->queue(trainer(1), options);
  static_cast<void>(ask(*queue));
  EXPECT_EQ(queue->ask(may(local(), Action::kTrainModel, credit()), {.model = "credit"}).error().code,
            ErrorCode::kUnavailable);
}

TEST_F(RunQueueTest, WorkersDoWhatIsAskedForWhenTheyAreWoken) {
  std::atomic<bool> begun = false;
  const auto queue = this->queue(trainer(1, [&] {
    begun = true;
    begun.notify_all();
  }));
  const auto asked = ask(*queue);
  {
    RunWorkers workers(*queue, {.poll = std::chrono::hours(1)});
    workers.wake();
    begun.wait(false);
  }
  const auto state = run(asked).state;  // by when the workers were told to end
  EXPECT_TRUE(state == RunState::kDone || state == RunState::kWaiting);
  while (queue->work().value()) {
  }
  EXPECT_EQ(run(asked).state, RunState::kDone);
  EXPECT_EQ(versions().size(), 1U);
}

}  // namespace
}  // namespace holdfast::registry
