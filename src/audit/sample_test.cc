// A log that is committed with the code: whatever changes here must still read it.

#include <gtest/gtest.h>

#include "audit/testing.h"
#include "base/file.h"

namespace holdfast::audit {
namespace {

namespace fs = std::filesystem;

const fs::path kSample = fs::path(HOLDFAST_TESTDATA) / "sample";

// A copy whose folders others can't enter, which no repository keeps.
void copy_sample(const TestFolder& folder) {
  fs::copy(kSample, folder.path(), fs::copy_options::recursive);
  for (const auto& entry : fs::recursive_directory_iterator(folder.path())) {
    if (entry.is_directory()) fs::permissions(entry.path(), fs::perms::owner_all);
  }
}

TEST(SampleLogTest, IsReadVerifiedAndContinued) {
  const TestFolder folder;
  copy_sample(folder);
  const auto keys = open_keys(folder);
  EXPECT_EQ(fault_of(folder, {.keys = keys.get()}), "");
  const auto log = Log::open(folder.log(), *keys).value();
  ASSERT_EQ(log->size(), 5U);
  EXPECT_EQ(log->read(0, 1)->at(0).record, record_of(0));
  EXPECT_EQ(log->read(3, 1)->at(0).body, BodyState::kDestroyed);
  ASSERT_TRUE(log->append(record_of(5)));
  ASSERT_TRUE(log->flush());
  EXPECT_EQ(fault_of(folder, {.keys = keys.get()}), "");
}

// Run with --gtest_also_run_disabled_tests after a change of the format that is meant, and never otherwise.
TEST(SampleLogTest, DISABLED_IsWrittenAnew) {
  const TestFolder folder;
  {
    const auto keys = open_keys(folder);
    const auto log = Log::open(folder.log(), *keys).value();
    for (std::uint64_t i = 0; i < 4; ++i) ASSERT_TRUE(log->append(record_of(i)));
    ASSERT_TRUE(log->destroy_body(3, base::WorkspaceId("credit"), "user:grace"));
  }
  fs::remove(folder.log() / "holdfast.lock");
  fs::remove_all(kSample);
  fs::copy(folder.path(), kSample, fs::copy_options::recursive);
}

}  // namespace
}  // namespace holdfast::audit
