#include <fmt/format.h>
#include <gmock/gmock-matchers.h>

#include <fstream>
#include <latch>
#include <thread>

#include <nlohmann/json.hpp>

#include "crypto/sha256.h"
#include "evaluate/evaluation.h"
#include "intake/testing.h"
#include "registry/datasets.h"
#include "registry/evidence.h"
#include "registry/gates.h"
#include "registry/model_signature.h"
#include "registry/requirements.h"
#include "registry/runs.h"
#include "registry/samples.h"
#include "registry/test_looks.h"
#include "registry/testing.h"
#include "registry/trials.h"
#include "trust/decide.h"
#include "trust/statement.h"

namespace holdfast::registry {
namespace {

using access::Action;
using access::ResourceType;
using base::ErrorCode;
using testing::HasSubstr;

class RoomsTest : public RegistryTest {
 protected:
  base::Result<Dataset> add_dataset(const std::string& csv, const std::string& name = "people") {
    return Datasets(*parts_).add(
        may(Action::kRegisterDataset, ResourceType::kWorkspace),
        {.name = name, .purpose = "credit scoring", .keep_until = clock_.now() + std::chrono::hours(24)},
        file_of(csv));
  }
  base::Result<std::variant<Version, Refusal>> admit(const std::string& bytes) {
    return models_->admit(may(Action::kRegisterModel, ResourceType::kModel, "credit"),
                          {.model = "credit", .file_name = "model.onnx"}, file_of(bytes));
  }
  Version version(float number) { return std::get<Version>(admit(sample_onnx(number)).value()); }
  base::Result<Requirements> require(std::string_view gate = kSampleGate) {
    return RequirementsRoom(*parts_).write(may(Action::kWritePolicy, ResourceType::kModel, "credit"),
                                           {.model = "credit",
                                            .dataset = "people",
                                            .task_toml = kSampleTask,
                                            .policies_cedar = std::string(gate)});
  }
  // Evidence as Trials makes it, with an AUC that was told.
  void measured(const Version& version, const base::Digest& dataset, double low,
                const std::string& split = "test") {
    const evaluate::Evaluation evaluation{
        .model = version.digest,
        .dataset = dataset,
        .split = split,
        .rows = 1000,
        .figures = {{.scope = {},
                     .measurement = {.name = "auc",
                                     .value = low + 0.01,
                                     .interval = {low, low + 0.02, stats::kConfidence95},
                                     .sample_size = 1000,
                                     .method = "told"}}}};
    auto change = database_->begin().value();
    ASSERT_TRUE(EvidenceRoom(*parts_).add(change, kHome,
                                          {.subject_name = "credit",
                                           .subject = version.digest,
                                           .predicate_type = std::string(kEvaluationPredicate),
                                           .predicate_json = evaluate::to_json(evaluation).value()}));
    ASSERT_TRUE(change.commit());
  }
  access::Authorised approval(const Version& version, const access::Caller& caller) {
    return may(caller, Action::kApprove, version.resource());
  }
};

TEST_F(RoomsTest, ADatasetIsSealedAndReadBack) {
  const auto csv = sample_csv(500);
  const auto dataset = add_dataset(csv).value();
  EXPECT_EQ(dataset.version, 1);
  const Datasets datasets(*parts_);
  EXPECT_EQ(base::as_text(datasets.open(dataset).value()), csv);
  EXPECT_EQ(datasets.train_profile(dataset)->rows(), dataset.part(data::Part::kTrain).rows);
  EXPECT_EQ(datasets.find(kHome, "people")->digest, dataset.digest);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_ / "state" / "blobs")) {
    if (!entry.is_regular_file()) continue;
    const auto bytes = base::read_file(entry.path(), 1UL << 20).value();
    EXPECT_THAT(std::string(base::as_text(bytes)), testing::Not(HasSubstr("x,sex,y")));
  }
}

TEST_F(RoomsTest, ADatasetOfOtherBytesIsTheNextVersion) {
  ASSERT_TRUE(add_dataset(sample_csv(500)));
  EXPECT_EQ(add_dataset(sample_csv(500)).error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(add_dataset(sample_csv(600))->version, 2);
  EXPECT_EQ(Datasets(*parts_).find(kHome, "people", 1)->rows, 500U);
  EXPECT_EQ(Datasets(*parts_).list(kHome, "", 10)->size(), 1U);
}

TEST_F(RoomsTest, ADatasetNeedsANamePurposeAndEnd) {
  const Datasets datasets(*parts_);
  const auto authorised = may(Action::kRegisterDataset, ResourceType::kWorkspace);
  const auto later = clock_.now() + std::chrono::hours(1);
  const auto code = [&](NewDataset wanted) {
    return Datasets(*parts_).add(authorised, wanted, file_of(sample_csv(500))).error().code;
  };
  EXPECT_EQ(code({.name = "../x", .purpose = "p", .keep_until = later}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({.name = "x", .purpose = "", .keep_until = later}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({.name = "x", .purpose = "p", .keep_until = clock_.now()}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(datasets.find(kHome, "x").error().code, ErrorCode::kNotFound);
}

TEST_F(RoomsTest, AModelIsKeptInQuarantineWithItsInspection) {
  const auto kept = version(1);
  EXPECT_EQ(kept.state, VersionState::kQuarantined);
  EXPECT_EQ(kept.format, "onnx");
  const auto evidence = EvidenceRoom(*parts_).about(kHome, kept.digest).value();
  ASSERT_EQ(evidence.size(), 2U);
  EXPECT_EQ(evidence[0].statement.predicate_type, kTestResultPredicate);
  EXPECT_EQ(evidence[1].statement.predicate_type, trust::kVerificationSummary);
  EXPECT_THAT(evidence[1].statement.predicate_json, HasSubstr("HOLDFAST_CLEAN_FROM_HIGH"));
  EXPECT_EQ(models_->signature_proof(kept).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(models_->signature(kept).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(admit(sample_onnx(1)).error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(version(2).version, 2);
}

TEST_F(RoomsTest, AHostileModelLeavesARecordAndNothingElse) {
  const auto refused = admit("cposix\nsystem\n(S'id'\ntR.").value();
  ASSERT_TRUE(std::holds_alternative<Refusal>(refused));
  EXPECT_THAT(std::get<Refusal>(refused).reason, HasSubstr("pickle."));
  EXPECT_TRUE(models_->list(kHome, "", 10)->empty());
  const auto last = log_->read(log_->size() - 1, 1).value().front().record;
  EXPECT_EQ(last.action, "model.refuse");
  EXPECT_EQ(last.decision, "refused");
}

TEST_F(RoomsTest, OfTwoRegistrationsOfOneModelAtOnceOneWins) {
  std::latch both(2);
  std::atomic<int> kept = 0;
  std::atomic<int> refused = 0;
  const auto work = [&] {
    both.arrive_and_wait();
    const auto admitted = admit(sample_onnx(1));
    if (admitted) {
      ++kept;
    } else if (admitted.error().code == ErrorCode::kAlreadyExists) {
      ++refused;
    }
  };
  std::thread one(work);
  std::thread two(work);
  one.join();
  two.join();
  EXPECT_EQ(kept, 1);
  EXPECT_EQ(refused, 1);
}

TEST_F(RoomsTest, RequirementsMustMakeSense) {
  EXPECT_EQ(require().error().code, ErrorCode::kNotFound);  // no dataset yet
  ASSERT_TRUE(add_dataset(sample_csv(500)));
  EXPECT_THAT(require("forbid(").error().message, HasSubstr("the gate's policies"));
  EXPECT_THAT(require("@id(\"a\") forbid(principal, action, resource);").error().message,
              HasSubstr("no permit"));
  // A requirement that would never be asked is no requirement.
  EXPECT_THAT(require(R"(permit(principal, action, resource);
                         @id("floor") forbid(principal, action == Action::"aprove", resource);)")
                  .error()
                  .message,
              HasSubstr("floor is not about Action::\"approve\""));
  EXPECT_THAT(
      require("permit(principal, action, resource); forbid(principal, action, resource);").error().message,
      HasSubstr("without @id"));
  EXPECT_EQ(require()->version, 1);
  EXPECT_EQ(require()->version, 2);
  EXPECT_EQ(RequirementsRoom(*parts_).find(kHome, "other").error().code, ErrorCode::kNotFound);
}

TEST_F(RoomsTest, LooksAtTheTestPartAreCounted) {
  const auto dataset = add_dataset(sample_csv(500)).value();
  TestLooks looks(*parts_);
  const auto evaluates = may(Action::kAddEvidence, access::ResourceType::kModel, "credit");
  EXPECT_EQ(looks.count(evaluates, dataset.digest, {}).value(), 1U);
  EXPECT_EQ(looks.count(evaluates, dataset.digest, {}).value(), 2U);
  EXPECT_EQ(looks.until_now(kHome, dataset.digest).value(), 2U);
  EXPECT_EQ(require()->looks_before, 2U);
}

TEST_F(RoomsTest, ALookAtTheTestPartThatIsHiddenIsNamed) {
  const auto dataset = add_dataset(sample_csv(500)).value();
  TestLooks looks(*parts_);
  const auto evaluates = may(Action::kAddEvidence, access::ResourceType::kModel, "credit");
  ASSERT_TRUE(looks.count(evaluates, dataset.digest, {}));
  ASSERT_TRUE(looks.count(evaluates, dataset.digest, {}));
  const auto check = [&] {
    const auto checked = rows_hold(row_claims(database_->snapshot().value()).value());
    return checked ? std::string() : checked.error().message;
  };
  EXPECT_EQ(check(), "");
  behind_the_back(store::Sql("UPDATE test_looks SET looked_at = looked_at - 1 WHERE number = 2"));
  const auto second = fmt::format("the row test_looks/default/{}/2", dataset.digest.hex());
  EXPECT_THAT(check(), HasSubstr(second));
  behind_the_back(store::Sql("DELETE FROM test_looks WHERE number = 2"));
  EXPECT_THAT(check(), HasSubstr(second + ", which record"));
}

TEST_F(RoomsTest, TheGateAsksForEvidenceOfThisModelOnThisTestPart) {
  const auto dataset = add_dataset(sample_csv(500)).value();
  ASSERT_TRUE(require());
  const auto kept = version(1);
  const Gates gates(*parts_, *models_);
  const auto outcome = [&] { return gates.decide(local(), kept)->report.requirements.at(0).outcome; };
  EXPECT_EQ(outcome(), evaluate::GateOutcome::kMissing);
  measured(kept, dataset.digest, 0.9, "train");
  EXPECT_EQ(outcome(), evaluate::GateOutcome::kMissing);
  measured(kept, crypto::sha256({}), 0.9);
  EXPECT_EQ(outcome(), evaluate::GateOutcome::kMissing);
  measured(kept, dataset.digest, 0.79);
  EXPECT_EQ(outcome(), evaluate::GateOutcome::kCouldNotTell);
  measured(kept, dataset.digest, 0.5);
  EXPECT_EQ(outcome(), evaluate::GateOutcome::kFellShort);
  measured(kept, dataset.digest, 0.9);
  EXPECT_EQ(outcome(), evaluate::GateOutcome::kPassed);
}

TEST_F(RoomsTest, WhatPassesIsApprovedAndSigned) {
  const auto dataset = add_dataset(sample_csv(500)).value();
  ASSERT_TRUE(require());
  const auto kept = version(1);
  const auto ada = person("ada", access::kApprovers);
  Gates gates(*parts_, *models_);
  EXPECT_FALSE(gates.approve(approval(kept, ada), kept)->passed);
  EXPECT_EQ(models_->find(kHome, "credit", 1)->state, VersionState::kQuarantined);
  measured(kept, dataset.digest, 0.9);
  EXPECT_TRUE(gates.approve(approval(kept, ada), kept)->passed);
  const auto approved = models_->find(kHome, "credit", 1).value();
  EXPECT_EQ(approved.state, VersionState::kApproved);
  EXPECT_EQ(base::as_text(models_->open_signed(approved).value()), sample_onnx(1));
  const auto key = models_->public_key(kHome).value();
  EXPECT_TRUE(check_model_signature(models_->signature(approved).value(), key, approved.digest));
  const auto proved =
      audit::verify_record_proof(models_->signature_proof(approved).value(), log_->verifier());
  ASSERT_TRUE(proved);
  EXPECT_TRUE(trust::check_logged(*proved, models_->signature(approved).value()));
  EXPECT_FALSE(trust::check_logged(*proved, "another bundle"));
  const auto stated = EvidenceRoom(*parts_).newest(kHome, kept.digest, trust::kVerificationSummary).value();
  ASSERT_TRUE(stated);
  EXPECT_THAT(stated->statement.predicate_json, HasSubstr("urn:holdfast:gate"));
  EXPECT_EQ(check_model_signature(models_->signature(approved).value(), key, crypto::sha256({})).error().code,
            ErrorCode::kDataCorrupt);
}

TEST_F(RoomsTest, NobodyApprovesOrWaivesWhatTheyMade) {
  const auto kept = version(1);
  EXPECT_EQ(access_->authorise(local(), Action::kApprove, kept.resource()).error().code,
            ErrorCode::kPermissionDenied);
  EXPECT_EQ(access_->authorise(local(), Action::kWaive, kept.resource()).error().code,
            ErrorCode::kPermissionDenied);
}

TEST_F(RoomsTest, ADecisionForOneVersionIsNoneForAnother) {
  ASSERT_TRUE(add_dataset(sample_csv(500)));
  ASSERT_TRUE(require());
  const auto one = version(1);
  const auto two = version(2);
  const auto ada = person("ada", access::kApprovers);
  Gates gates(*parts_, *models_);
  EXPECT_EQ(
      gates.waive(approval(one, ada), one, "auc", "why", clock_.now() + std::chrono::hours(1)).error().code,
      ErrorCode::kPermissionDenied);
  auto change = database_->begin().value();
  EXPECT_EQ(models_->approve(change, approval(one, ada), two, {}).error().code, ErrorCode::kPermissionDenied);
}

TEST_F(RoomsTest, AWaiverForgivesOneRequirementForATime) {
  const auto dataset = add_dataset(sample_csv(500)).value();
  ASSERT_TRUE(require());
  const auto kept = version(1);
  measured(kept, dataset.digest, 0.79);
  const auto ada = person("ada", access::kApprovers);
  const auto waiving = may(ada, Action::kWaive, kept.resource());
  Gates gates(*parts_, *models_);
  const auto soon = clock_.now() + std::chrono::hours(1);
  EXPECT_EQ(gates.waive(waiving, kept, "acu", "why", soon).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(gates.waive(waiving, kept, "auc", "", soon).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(gates.waive(waiving, kept, "auc", "why", clock_.now()).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(gates.waive(waiving, kept, "auc", "why", clock_.now() + std::chrono::days(91)).error().code,
            ErrorCode::kInvalidArgument);
  ASSERT_TRUE(gates.waive(waiving, kept, "auc", "a pilot", soon));
  const auto decision = gates.decide(ada, kept).value();
  EXPECT_TRUE(decision.passed);
  EXPECT_FALSE(decision.report.passed);
  EXPECT_EQ(decision.waivers.at(0).reason, "a pilot");
  EXPECT_TRUE(gates.check_waivers(ada, kept));
  clock_.advance(std::chrono::hours(2));
  EXPECT_FALSE(gates.decide(ada, kept)->passed);
  const auto over = gates.check_waivers(ada, kept);
  EXPECT_EQ(over.error().code, ErrorCode::kPermissionDenied);
  EXPECT_THAT(over.error().message, HasSubstr("approved by a waiver of auc, which was over at"));

  // Waived anew, or not refused any more, it can be released again.
  ASSERT_TRUE(gates.waive(waiving, kept, "auc", "a longer pilot", clock_.now() + std::chrono::hours(1)));
  EXPECT_TRUE(gates.check_waivers(ada, kept));
  EXPECT_EQ(gates.waivers(kept.workspace, kept.digest)->size(), 1U);
  clock_.advance(std::chrono::hours(2));
  EXPECT_FALSE(gates.check_waivers(ada, kept));
  measured(kept, dataset.digest, 0.9);
  EXPECT_TRUE(gates.check_waivers(ada, kept));
}

TEST_F(RoomsTest, WhatNobodyMeasuredIsNotWaived) {
  const auto dataset = add_dataset(sample_csv(500)).value();
  ASSERT_TRUE(require());
  const auto kept = version(1);
  const auto ada = person("ada", access::kApprovers);
  Gates gates(*parts_, *models_);
  const auto soon = clock_.now() + std::chrono::hours(1);
  const auto waive = [&] {
    return gates.waive(may(ada, Action::kWaive, kept.resource()), kept, "auc", "a pilot", soon);
  };
  EXPECT_EQ(waive().error().code, ErrorCode::kConflict);
  EXPECT_FALSE(gates.decide(ada, kept)->passed);
  measured(kept, dataset.digest, 0.79);
  ASSERT_TRUE(waive());
  EXPECT_TRUE(gates.decide(ada, kept)->passed);
}

TEST_F(RoomsTest, WhatPassedIsNotWaived) {
  const auto dataset = add_dataset(sample_csv(500)).value();
  ASSERT_TRUE(require());
  const auto kept = version(1);
  measured(kept, dataset.digest, 0.95);
  const auto ada = person("ada", access::kApprovers);
  Gates gates(*parts_, *models_);
  ASSERT_TRUE(gates.decide(ada, kept)->report.passed);
  const auto waived = gates.waive(may(ada, Action::kWaive, kept.resource()), kept, "auc", "a pilot",
                                  clock_.now() + std::chrono::hours(1));
  EXPECT_EQ(waived.error().code, ErrorCode::kConflict);
  EXPECT_THAT(waived.error().message, HasSubstr("nothing to forgive"));
}

TEST_F(RoomsTest, AWaiverThatSomebodyWroteIntoTheDatabaseIsNone) {
  const auto dataset = add_dataset(sample_csv(500)).value();
  ASSERT_TRUE(require());
  const auto kept = version(1);
  measured(kept, dataset.digest, 0.79);
  const auto ada = person("ada", access::kApprovers);
  Gates gates(*parts_, *models_);
  ASSERT_TRUE(gates.waive(may(ada, Action::kWaive, kept.resource()), kept, "auc", "a pilot",
                          clock_.now() + std::chrono::hours(1)));
  behind_the_back(store::Sql("UPDATE waivers SET expires_at = expires_at + 1000000"));
  EXPECT_EQ(gates.decide(ada, kept).error().code, ErrorCode::kDataCorrupt);
}

TEST_F(RoomsTest, RowsThatWereChangedBehindTheLogsBackAreNamed) {
  ASSERT_TRUE(add_dataset(sample_csv(500)));
  ASSERT_TRUE(require());
  version(1);
  const auto check = [&] {
    const auto checked = rows_hold(row_claims(database_->snapshot().value()).value());
    return checked ? std::string() : checked.error().message;
  };
  EXPECT_EQ(check(), "");
  behind_the_back(store::Sql("UPDATE model_versions SET state = 'approved'"));
  EXPECT_THAT(check(), HasSubstr("the row model_versions/default/credit/1 is not as record"));
  behind_the_back(store::Sql("UPDATE model_versions SET state = 'quarantined'"));
  EXPECT_EQ(check(), "");
  behind_the_back(store::Sql("UPDATE datasets SET purpose = 'anything'"));
  EXPECT_THAT(check(), HasSubstr("the row datasets/default/people/1 is not as record"));
  behind_the_back(store::Sql("UPDATE datasets SET purpose = 'credit scoring'"));
  behind_the_back(store::Sql("UPDATE requirements SET policies = 'permit(principal, action, resource);'"));
  EXPECT_THAT(check(), HasSubstr("the row requirements/default/credit/1 is not as record"));
}

TEST_F(RoomsTest, RowsThatWereTakenAwayAddedOrPutBackAreNamed) {
  const auto dataset = add_dataset(sample_csv(500)).value();
  ASSERT_TRUE(require());
  const auto kept = version(1);
  measured(kept, dataset.digest, 0.79);
  const auto ada = person("ada", access::kApprovers);
  ASSERT_TRUE(Gates(*parts_, *models_)
                  .waive(may(ada, Action::kWaive, kept.resource()), kept, "auc", "a pilot",
                         clock_.now() + std::chrono::hours(1)));
  const auto check = [&] {
    const auto checked = rows_hold(row_claims(database_->snapshot().value()).value());
    return checked ? std::string() : checked.error().message;
  };
  EXPECT_EQ(check(), "");
  const auto before =
      database_->snapshot()
          .value()
          .row<std::int64_t, base::Digest>(store::Sql("SELECT record_index, record FROM model_versions"))
          .value()
          .value();
  {
    auto change = database_->begin().value();
    auto approved = models_->approve(change, may(ada, Action::kApprove, kept.resource()), kept, {});
    ASSERT_TRUE(approved);
    ASSERT_TRUE(approved->commit(change));
  }
  EXPECT_EQ(check(), "");
  {
    auto change = database_->begin().value();
    ASSERT_TRUE(change.execute(store::Sql("UPDATE model_versions SET state = 'quarantined', signature = '',"
                                          " record_index = $1, record = $2"),
                               std::get<0>(before), std::get<1>(before)));
    ASSERT_TRUE(change.commit());
  }
  EXPECT_THAT(check(), HasSubstr("the row model_versions/default/credit/1"));
  EXPECT_THAT(check(), HasSubstr("put back to an older record"));
  behind_the_back(store::Sql("DELETE FROM model_versions"));
  EXPECT_THAT(check(), HasSubstr("the row model_versions/default/credit/1, which record"));
  behind_the_back(store::Sql("DELETE FROM waivers"));
  behind_the_back(store::Sql("UPDATE datasets SET name = 'a'"));
  EXPECT_THAT(check(), HasSubstr("no record in the log made the row datasets/default/a/1"));
}

TEST_F(RoomsTest, ADeletedWaiverOrRequirementIsNamed) {
  const auto dataset = add_dataset(sample_csv(500)).value();
  ASSERT_TRUE(require());
  const auto kept = version(1);
  measured(kept, dataset.digest, 0.79);
  const auto ada = person("ada", access::kApprovers);
  ASSERT_TRUE(Gates(*parts_, *models_)
                  .waive(may(ada, Action::kWaive, kept.resource()), kept, "auc", "a pilot",
                         clock_.now() + std::chrono::hours(1)));
  const auto message = [&] {
    return rows_hold(row_claims(database_->snapshot().value()).value()).error().message;
  };
  behind_the_back(store::Sql("DELETE FROM waivers"));
  EXPECT_THAT(message(), HasSubstr("the row waivers/default/"));
  EXPECT_THAT(message(), HasSubstr("is gone"));
  behind_the_back(store::Sql("DELETE FROM requirements"));
  EXPECT_THAT(message(), HasSubstr("the row requirements/default/credit/1, which record"));
}

TEST_F(RoomsTest, EvidenceThatWasChangedIsNotBelieved) {
  const auto kept = version(1);
  behind_the_back(
      store::Sql("UPDATE evidence SET envelope = replace(envelope, 'a', 'b')"
                 " WHERE id = (SELECT min(id) FROM evidence)"));
  EXPECT_EQ(EvidenceRoom(*parts_).about(kHome, kept.digest).error().code, ErrorCode::kDataCorrupt);
}

TEST_F(RoomsTest, OneEvaluationTooManyIsRefused) {
  const auto kept = version(1);
  Trials trials(*parts_, *models_, {.at_once = 0});
  EXPECT_EQ(trials.evaluate(may(local(), Action::kAddEvidence, kept.resource()), kept, {}, {}).error().code,
            ErrorCode::kUnavailable);
  EXPECT_TRUE(Runs(*parts_).list(kHome, 10)->empty());
}

TEST_F(RoomsTest, WhatCanNotBeTrainedIsToldBeforeItIsAskedFor) {
  const Trials trials(*parts_, *models_, {});
  const auto code = [&](const TrainOrder& order) { return trials.check(kHome, order).error().code; };
  EXPECT_EQ(code({.model = "credit"}), ErrorCode::kNotFound);  // nothing says what it must show
  ASSERT_TRUE(add_dataset(sample_csv(500)));
  ASSERT_TRUE(require());
  EXPECT_TRUE(trials.check(kHome, {.model = "credit"}));
  EXPECT_EQ(code({.model = "credit", .group = "sex"}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({.model = "credit", .attack = "pgd"}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({.model = "credit", .epochs = 0}), ErrorCode::kInvalidArgument);
  clock_.advance(std::chrono::hours(25));
  EXPECT_EQ(code({.model = "credit"}), ErrorCode::kPermissionDenied);  // the data may not be used any more
}

TEST_F(RoomsTest, ARunThatTheServersEndCutShortIsSaidToHaveFailed) {
  Runs runs(*parts_);
  const auto first = runs.start(local(), "train", "credit", {{"epochs", 3}}).value();
  const auto second = runs.start(local(), "train", "credit", nlohmann::json::object()).value();
  ASSERT_TRUE(runs.progress(second, {.step = "training", .line = "epoch 1 of 3"}));
  ASSERT_TRUE(runs.done(second, {{"version", 1}}));
  ASSERT_TRUE(runs.fail_interrupted());
  EXPECT_EQ(runs.find(kHome, first.id)->state, RunState::kFailed);
  EXPECT_EQ(runs.find(kHome, second.id)->state, RunState::kDone);
  EXPECT_EQ(runs.list(kHome, 10)->front().id, second.id);
  EXPECT_EQ(runs.find(kHome, 999).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace holdfast::registry

int main(int argc, char** argv) { return holdfast::intake::run_tests_or_worker(argc, argv); }
