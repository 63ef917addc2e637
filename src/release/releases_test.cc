#include "release/releases.h"

#include <gmock/gmock-matchers.h>

#include <nlohmann/json.hpp>

#include "intake/testing.h"
#include "registry/evidence.h"
#include "registry/row_record.h"
#include "registry/samples.h"
#include "registry/testing.h"
#include "release/schema.h"
#include "trust/statement.h"

namespace holdfast::release {
namespace {

using access::Action;
using access::ResourceType;
using base::ErrorCode;
using registry::Version;
using testing::HasSubstr;

class ReleasesTest : public registry::RegistryTest {
 protected:
  ReleasesTest() : RegistryTest({migrations()}), approver_(person("ada", access::kApprovers)) {}

  Releases releases() { return {*parts_, *models_}; }
  base::Result<Endpoint> create(const std::string& name, const std::string& model = "credit") {
    return releases().create_endpoint(may(Action::kCreateEndpoint, ResourceType::kWorkspace),
                                      {.name = name, .model = model});
  }
  Version quarantined(float number, const std::string& model = "credit") {
    const auto admitted = models_->admit(may(Action::kRegisterModel, ResourceType::kModel, model),
                                         {.model = model, .file_name = "m.onnx"},
                                         registry::file_of(registry::sample_onnx(number)));
    return std::get<Version>(admitted.value());
  }
  Version approved(float number, const std::string& model = "credit") {
    const auto version = quarantined(number, model);
    auto change = database_->begin().value();
    auto recorded =
        models_->approve(change, may(approver_, Action::kApprove, version.resource()), version, {});
    EXPECT_TRUE(recorded->commit(change));
    return models_->find(registry::kHome, model, version.version).value();
  }
  base::Result<Endpoint> change(const EndpointSettings& wanted) {
    return releases().change_endpoint(may(Action::kCreateEndpoint, ResourceType::kEndpoint, "credit"),
                                      wanted);
  }
  base::Result<> remove() {
    return releases().remove_endpoint(may(Action::kCreateEndpoint, ResourceType::kEndpoint, "credit"));
  }
  base::Result<Release> withdraw(std::int64_t expected) {
    return releases().withdraw(may(Action::kRollback, ResourceType::kEndpoint, "credit"), expected);
  }
  base::Result<Release> release(const Version& version, std::int64_t expected) {
    return releases().release(may(Action::kRelease, ResourceType::kEndpoint, "credit"), version, expected);
  }
  base::Result<Release> rollback(const Version& version, std::int64_t expected) {
    return releases().rollback(may(Action::kRollback, ResourceType::kEndpoint, "credit"), version, expected);
  }

  // What the log says against the rows, the first thing; empty where they agree.
  std::string fault() {
    const auto view = database_->snapshot().value();
    auto claims = registry::row_claims(view).value();
    auto more = row_claims(view).value();
    for (auto& claim : more) claims.push_back(std::move(claim));
    const auto checked = rows_hold(std::move(claims));
    return checked ? std::string() : checked.error().message;
  }

  access::Caller approver_;
};

TEST_F(ReleasesTest, AnEndpointIsMadeOnce) {
  EXPECT_EQ(create("Credit!").error().code, ErrorCode::kInvalidArgument);
  ASSERT_TRUE(create("credit"));
  EXPECT_EQ(create("credit").error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(releases().list(registry::kHome)->size(), 1U);
  EXPECT_EQ(releases().find(registry::kHome, "other").error().code, ErrorCode::kNotFound);
}

TEST_F(ReleasesTest, OnlyAnApprovedVersionOfItsModelIsReleased) {
  const auto endpoint = create("credit").value();
  EXPECT_EQ(release(quarantined(1), 0).error().code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(release(approved(2, "other"), 0).error().code, ErrorCode::kInvalidArgument);
  EXPECT_FALSE(releases().current(endpoint)->has_value());
}

TEST_F(ReleasesTest, SerialNumbersRiseAlsoWhenAnOlderVersionComesBack) {
  const auto endpoint = create("credit").value();
  const auto one = approved(1);
  const auto two = approved(2);
  EXPECT_EQ(release(one, 0)->serial, 1);
  EXPECT_EQ(releases().rollback_target(endpoint).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(release(two, 1)->serial, 2);
  EXPECT_EQ(releases().rollback_target(endpoint)->version, one.version);
  const auto back = rollback(one, 2).value();
  EXPECT_EQ(back.serial, 3);
  EXPECT_EQ(back.kind, ReleaseKind::kRollback);
  EXPECT_EQ(releases().current(endpoint)->value().model_version, one.version);
  EXPECT_EQ(releases().history(endpoint, 10)->size(), 3U);
}

TEST_F(ReleasesTest, AnOlderVersionGoesOutAsARollbackAlone) {
  const auto endpoint = create("credit").value();
  const auto one = approved(1);
  const auto two = approved(2);
  const auto three = approved(3);
  ASSERT_TRUE(release(two, 0));
  const auto older = release(one, 1);
  ASSERT_FALSE(older);
  EXPECT_EQ(older.error().code, ErrorCode::kPermissionDenied);
  EXPECT_THAT(older.error().message, HasSubstr("holdfast rollback credit --to 1"));
  EXPECT_EQ(rollback(three, 1).error().code, ErrorCode::kPermissionDenied);
  ASSERT_TRUE(rollback(one, 1));
  // Having gone back does not lower what was served.
  EXPECT_EQ(release(one, 2).error().code, ErrorCode::kPermissionDenied);
  EXPECT_TRUE(release(two, 2));
  EXPECT_TRUE(release(three, 3));
}

TEST_F(ReleasesTest, EachReleaseIsStated) {
  ASSERT_TRUE(create("credit"));
  const auto one = approved(1);
  ASSERT_TRUE(release(one, 0));
  const auto stated =
      registry::EvidenceRoom(*parts_).newest(registry::kHome, one.digest, trust::kRelease).value();
  ASSERT_TRUE(stated);
  EXPECT_EQ(stated->statement.predicate_json, R"({"purl":"pkg:generic/credit@1","releaseId":"credit/1"})");
}

TEST_F(ReleasesTest, WhoDidNotSeeTheReleaseBeforeIsRefused) {
  ASSERT_TRUE(create("credit"));
  const auto one = approved(1);
  ASSERT_TRUE(release(one, 0));
  EXPECT_EQ(release(one, 0).error().code, ErrorCode::kConflict);
}

TEST_F(ReleasesTest, ADecisionForARollbackIsNoneForARelease) {
  ASSERT_TRUE(create("credit"));
  const auto one = approved(1);
  EXPECT_EQ(
      releases().release(may(Action::kRollback, ResourceType::kEndpoint, "credit"), one, 0).error().code,
      ErrorCode::kPermissionDenied);
}

TEST_F(ReleasesTest, SettingsChangeAndTheLogKnowsThem) {
  ASSERT_TRUE(create("credit"));
  EndpointSettings wanted{.requests_per_second = 7, .learned_domain = LearnedDomain::kRefuse};
  wanted.limits["debt"] = {0, 5000};
  ASSERT_TRUE(change(wanted));
  EXPECT_EQ(releases().find(registry::kHome, "credit")->settings, wanted);
  EXPECT_EQ(fault(), "");
  behind_the_back(store::Sql("UPDATE endpoints SET guard = ''"));
  EXPECT_THAT(fault(), HasSubstr("the row endpoints/default/credit is not as record"));
  EXPECT_EQ(change({.requests_per_second = 0}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(releases()
                .change_endpoint(may(Action::kRelease, ResourceType::kEndpoint, "credit"), EndpointSettings())
                .error()
                .code,
            ErrorCode::kPermissionDenied);
  EXPECT_EQ(releases()
                .change_endpoint(may(Action::kCreateEndpoint, ResourceType::kEndpoint, "other"), wanted)
                .error()
                .code,
            ErrorCode::kNotFound);
}

TEST_F(ReleasesTest, AnEndpointEndsOnceItServesNothing) {
  const auto endpoint = create("credit").value();
  const auto one = approved(1);
  EXPECT_EQ(withdraw(0).error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(release(one, 0));
  EXPECT_EQ(remove().error().code, ErrorCode::kConflict);
  EXPECT_EQ(withdraw(0).error().code, ErrorCode::kConflict);
  const auto withdrawn = withdraw(1).value();
  EXPECT_EQ(withdrawn.serial, 2);
  EXPECT_EQ(withdrawn.kind, ReleaseKind::kWithdrawal);
  EXPECT_FALSE(releases().current(endpoint)->has_value());
  ASSERT_TRUE(remove());
  EXPECT_EQ(releases().find(registry::kHome, "credit").error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(releases().list(registry::kHome)->empty());
  EXPECT_EQ(remove().error().code, ErrorCode::kNotFound);
  EXPECT_EQ(release(one, 2).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(fault(), "");
}

TEST_F(ReleasesTest, SerialNumbersGoOnWhereAnEndpointComesBack) {
  ASSERT_TRUE(create("credit"));
  const auto one = approved(1);
  ASSERT_TRUE(release(one, 0));
  ASSERT_TRUE(withdraw(1));
  ASSERT_TRUE(remove());
  EXPECT_EQ(create("credit", "other").error().code, ErrorCode::kConflict);
  const auto again = create("credit").value();
  EXPECT_FALSE(releases().current(again)->has_value());
  EXPECT_EQ(releases().last_serial(again).value(), 2);
  EXPECT_EQ(release(one, 2)->serial, 3);
  EXPECT_EQ(fault(), "");
  behind_the_back(store::Sql("UPDATE endpoints SET removed_at = 1"));
  EXPECT_THAT(fault(), HasSubstr("the row endpoints/default/credit is not as record"));
}

TEST_F(ReleasesTest, ARowThatTheLogDoesNotKnowIsNamed) {
  ASSERT_TRUE(create("credit"));
  const auto one = approved(1);
  const auto two = approved(2);
  ASSERT_TRUE(release(one, 0));
  ASSERT_TRUE(release(two, 1));
  EXPECT_EQ(fault(), "");
  const std::vector<std::pair<store::Sql, store::Sql>> changes{
      {store::Sql("UPDATE releases SET model_version = 1 WHERE serial = 2"),
       store::Sql("UPDATE releases SET model_version = 2 WHERE serial = 2")},
      {store::Sql("UPDATE releases SET released_by = released_by || 'x' WHERE serial = 2"),
       store::Sql("UPDATE releases SET released_by = substr(released_by, 1, length(released_by) - 1)"
                  " WHERE serial = 2")},
      {store::Sql("UPDATE releases SET record_index = record_index + 1 WHERE serial = 2"),
       store::Sql("UPDATE releases SET record_index = record_index - 1 WHERE serial = 2")}};
  for (const auto& [change, back] : changes) {
    behind_the_back(change);
    EXPECT_THAT(fault(), HasSubstr("the row releases/default/credit/2 is not as record"));
    behind_the_back(back);
    EXPECT_EQ(fault(), "");
  }
  behind_the_back(store::Sql("UPDATE endpoints SET requests_per_second = 1000000"));
  EXPECT_THAT(fault(), HasSubstr("the row endpoints/default/credit is not as record"));
}

TEST_F(ReleasesTest, AReleaseThatWasTakenAwayOrAddedIsNamed) {
  ASSERT_TRUE(create("credit"));
  ASSERT_TRUE(release(approved(1), 0));
  ASSERT_TRUE(release(approved(2), 1));
  behind_the_back(store::Sql("DELETE FROM releases WHERE serial = 2"));
  EXPECT_THAT(fault(), HasSubstr("the row releases/default/credit/2, which record"));
  EXPECT_THAT(fault(), HasSubstr("is gone"));
  behind_the_back(
      store::Sql("INSERT INTO releases SELECT workspace, endpoint, 3, model_version, digest, kind,"
                 " released_at, released_by, record_index, record FROM releases"));
  EXPECT_THAT(fault(), HasSubstr("no record in the log made the row releases/default/credit/3"));
}

}  // namespace
}  // namespace holdfast::release

int main(int argc, char** argv) { return holdfast::intake::run_tests_or_worker(argc, argv); }
