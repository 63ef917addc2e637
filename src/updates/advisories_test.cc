#include "updates/advisories.h"

#include <gmock/gmock-matchers.h>

#include "base/file.h"
#include "updates/testing.h"

namespace holdfast::updates {
namespace {

using base::ErrorCode;
using testing::HasSubstr;

// Two archives of one advisory each, as Python's zipfile writes them without compression.
std::filesystem::path testdata(std::string_view name) {
  return std::filesystem::path(HOLDFAST_TESTDATA) / "osv" / name;
}

class AdvisoriesTest : public testing::Test {
 protected:
  std::filesystem::path packed(std::int64_t version) {
    const std::filesystem::path paths[] = {testdata("")};
    const auto path = folder_ / "advisories.bundle";
    const auto done = pack_advisories(paths, path,
                                      {.kind = std::string(kAdvisoriesKind),
                                       .version = version,
                                       .issued_at = day("2026-11-20"),
                                       .expires_at = day("2026-12-20")},
                                      key_);
    EXPECT_TRUE(done) << (done ? "" : done.error().message);
    return path;
  }
  auto import(const std::filesystem::path& bundle, base::Timestamp now = day("2026-11-25")) {
    const crypto::PublicKey keys[] = {key_.public_key()};
    return import_advisories(bundle, index_, keys, now);
  }

  TemporaryFolder folder_;
  crypto::PrivateKey key_ = new_key();
  std::filesystem::path index_ = folder_ / "state" / "advisories.index";
};

TEST_F(AdvisoriesTest, ABundleBecomesAnIndexOfItsOwnDate) {
  const auto bundle = packed(5);
  EXPECT_TRUE(is_bundle(bundle).value());
  EXPECT_FALSE(is_bundle(testdata("PyPI/all.zip")).value());
  const auto imported = import(bundle);
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_EQ(imported->edition.version, 5);
  EXPECT_EQ(imported->status.advisories, 2U);
  EXPECT_EQ(imported->status.imported_at, day("2026-11-20"));
  const auto index = supply::AdvisoryIndex::open(base::read_file(index_, 1UL << 20).value()).value();
  EXPECT_EQ(index.find("PyPI", "left").value().size(), 1U);
  EXPECT_EQ(index.find("npm", "right").value().size(), 1U);
}

TEST_F(AdvisoriesTest, GoesBackToNothingAndTakesNothingExpired) {
  ASSERT_TRUE(import(packed(5)));
  EXPECT_TRUE(import(packed(5)));
  const auto older = import(packed(4));
  EXPECT_EQ(older.error().code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(import(packed(6), day("2026-12-20")).error().code, ErrorCode::kPermissionDenied);
  EXPECT_TRUE(import(packed(6)));
}

TEST_F(AdvisoriesTest, RefusesOtherSignersAndWhatIsNoAdvisory) {
  const crypto::PublicKey others[] = {new_key().public_key()};
  EXPECT_EQ(import_advisories(packed(5), index_, others, day("2026-11-25")).error().code,
            ErrorCode::kUnauthenticated);
  EXPECT_FALSE(std::filesystem::exists(index_));
  write_text(folder_ / "none" / "all.zip", "no archive");
  const std::filesystem::path paths[] = {folder_ / "none"};
  const Edition edition{
      .kind = "advisories", .version = 1, .issued_at = day("2026-11-20"), .expires_at = day("2026-12-20")};
  EXPECT_THAT(pack_advisories(paths, folder_ / "x", edition, key_).error().message, HasSubstr("all.zip"));
  std::filesystem::create_directories(folder_ / "empty");
  const std::filesystem::path empty[] = {folder_ / "empty"};
  EXPECT_EQ(pack_advisories(empty, folder_ / "x", edition, key_).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace holdfast::updates
