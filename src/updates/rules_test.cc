#include "updates/rules.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/file.h"
#include "updates/folder.h"
#include "updates/testing.h"

namespace holdfast::updates {
namespace {

using base::ErrorCode;
using testing::HasSubstr;

class RulesTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(export_rules(set_));
    write_text(key_file_, key_.public_key().to_pem());
  }
  std::filesystem::path signed_as(std::int64_t version, std::string_view until = "2027-05-01") {
    const auto path = folder_ / "signed.bundle";
    const auto done = sign_rules(
        set_, path,
        {.kind = std::string(kRulesKind), .version = version, .issued_at = now_, .expires_at = day(until)},
        key_);
    EXPECT_TRUE(done) << (done ? "" : done.error().message);
    return path;
  }
  base::Result<inspect::RuleSet> install(const std::filesystem::path& bundle) {
    const crypto::PublicKey keys[] = {key_.public_key()};
    return install_rules(bundle, folder_.path(), keys, now_);
  }
  auto in_force() {
    const std::string files[] = {(folder_ / "none.pub").string(), key_file_.string()};
    return rules_in_force(folder_.path(), files);
  }

  TemporaryFolder folder_;
  crypto::PrivateKey key_ = new_key();
  std::filesystem::path set_ = folder_ / "set";
  std::filesystem::path key_file_ = folder_ / "key.pub";
  base::Timestamp now_ = day("2026-12-01");
  static constexpr std::int64_t kNewer = inspect::kBuiltinRulesVersion + 100;
};

TEST_F(RulesTest, TheProgramsOwnAreInForceAtFirst) {
  const auto set = in_force().value();
  EXPECT_EQ(set->name.version, inspect::kBuiltinRulesVersion);
  EXPECT_TRUE(set->lists.empty());
}

TEST_F(RulesTest, ASignedSetTakesTheirPlace) {
  write_text(set_ / "keras_allow.list", "my.module Layer\n");
  write_text(set_ / "rules.json", R"({"rules":{"file.link":{"severity":"low"}}})");
  ASSERT_TRUE(install(signed_as(kNewer)));
  const auto set = in_force().value();
  EXPECT_EQ(set->name.version, kNewer);
  EXPECT_EQ(set->name.signer, key_.public_key().id().hex());
  EXPECT_EQ(set->lists.at(inspect::RuleList::kKerasAllow), "my.module Layer\n");
  EXPECT_EQ(set->lists.size(), inspect::kRuleLists.size());
  EXPECT_EQ(set->rules.at("file.link").severity, inspect::Severity::kLow);
}

TEST_F(RulesTest, GoesBackToNothing) {
  ASSERT_TRUE(install(signed_as(kNewer)));
  EXPECT_TRUE(install(signed_as(kNewer)));
  EXPECT_THAT(install(signed_as(kNewer - 1)).error().message, HasSubstr("going back is refused"));
  EXPECT_EQ(install(signed_as(1)).error().code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(in_force().value()->name.version, kNewer);
}

TEST_F(RulesTest, RefusesAnExpiredSet) {
  const auto bundle = signed_as(kNewer, "2026-12-05");
  const crypto::PublicKey keys[] = {key_.public_key()};
  EXPECT_THAT(install_rules(bundle, folder_.path(), keys, day("2026-12-05")).error().message,
              HasSubstr("expired"));
  ASSERT_TRUE(install(bundle));
  EXPECT_EQ(overdue(*in_force().value(), 180, day("2026-12-04")), "");
  EXPECT_THAT(overdue(*in_force().value(), 180, day("2026-12-05")), HasSubstr("expired"));
  EXPECT_THAT(overdue(*in_force().value(), 2, day("2026-12-04")), HasSubstr("3 days ago"));
}

TEST_F(RulesTest, WhatWasInstalledAndIsDamagedIsNeverPassedOver) {
  ASSERT_TRUE(install(signed_as(kNewer)));
  auto bytes = base::read_file(rules_path(folder_.path()), kMaxRuleBundleBytes).value();
  bytes[bytes.size() / 2] ^= 1U;
  write_text(rules_path(folder_.path()), base::as_text(bytes));
  EXPECT_EQ(in_force().error().code, ErrorCode::kUnavailable);
  write_text(rules_path(folder_.path()), "");
  EXPECT_EQ(in_force().error().code, ErrorCode::kUnavailable);
  ASSERT_TRUE(install(signed_as(kNewer)));
  std::filesystem::remove(key_file_);  // nobody is trusted any more
  EXPECT_THAT(in_force().error().message, HasSubstr("rules.keys"));
}

TEST_F(RulesTest, AFolderThatIsMadeForItIsItsOwnersAlone) {
  const auto state = folder_ / "above" / "state";
  ASSERT_TRUE(make_private_folder(state));
  ASSERT_TRUE(make_private_folder(state));
  for (const auto& made : {state, folder_ / "above"}) {
    EXPECT_EQ(std::filesystem::status(made).permissions(), std::filesystem::perms::owner_all) << made;
  }
  EXPECT_FALSE(make_private_folder("/proc/nowhere/below"));
}

TEST_F(RulesTest, TheSetInForceIsTheOneThatIsNamedWhereAnOlderOneIsRefused) {
  ASSERT_TRUE(install(signed_as(kNewer)));
  EXPECT_THAT(install(signed_as(5)).error().message, HasSubstr(fmt::format("and {} is in force", kNewer)));
}

TEST_F(RulesTest, SignsNothingThatSaysNothing) {
  const Edition edition{
      .kind = "rules", .version = kNewer, .issued_at = now_, .expires_at = day("2027-01-01")};
  const auto path = folder_ / "no.bundle";
  write_text(set_ / "notes.txt", "hello");
  EXPECT_THAT(sign_rules(set_, path, edition, key_).error().message, HasSubstr("notes.txt"));
  std::filesystem::remove(set_ / "notes.txt");
  write_text(set_ / "keras_allow.list", "one\n");
  EXPECT_THAT(sign_rules(set_, path, edition, key_).error().message, HasSubstr("keras_allow.list"));
  EXPECT_EQ(sign_rules(folder_ / "nowhere", path, edition, key_).error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace holdfast::updates
