// A database file that was damaged, or made to hurt: errors, never a crash, a hang or a wrong type.

#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "base/file.h"
#include "store/changes.h"
#include "store/jobs.h"
#include "store/outbox.h"
#include "store/testing.h"

namespace holdfast::store {
namespace {

namespace fs = std::filesystem;
using base::Bytes;
using base::WorkspaceId;

struct Parts {
  StillClock clock;
  Jobs jobs{clock};
  Outbox outbox{clock};
};

base::Result<> fill(Database& database, const Parts& parts) {
  HF_TRY(Transaction change, database.begin());
  for (int i = 0; i < 50; ++i) {
    const WorkspaceId workspace("w" + std::to_string(i % 3));
    HF_CHECK(change.next_change(workspace, "kind", "subject"));
    HF_CHECK(parts.jobs.enqueue(change, {.workspace = workspace,
                                         .kind = "scan",
                                         .idempotency_key = std::to_string(i),
                                         .payload = Bytes(static_cast<std::size_t>(i) * 100)}));
    HF_CHECK(parts.outbox.post(change, {.workspace = workspace,
                                        .destination = "d" + std::to_string(i % 5),
                                        .kind = "hook",
                                        .body = Bytes(10)}));
  }
  return change.commit();
}

// Reads and writes through all that store offers.
base::Result<> use(const fs::path& file, const Parts& parts) {
  HF_TRY(const auto database, Database::open({.path = file, .statement_limit = std::chrono::seconds(2)}));
  {
    HF_TRY(const Snapshot view, database->snapshot());
    HF_CHECK(changes_after(view, 0));
    HF_CHECK(parts.jobs.status(view, WorkspaceId("w1"), JobId(2)));
    HF_CHECK(parts.outbox.status(view, WorkspaceId("w1"), MessageId(2)));
  }
  for (int i = 0; i < 10; ++i) {
    HF_TRY(Transaction change, database->begin());
    HF_TRY(const auto job, parts.jobs.lease(change, "scan", std::chrono::seconds(1)));
    if (job) HF_CHECK(parts.jobs.complete(change, *job));
    HF_TRY(const auto delivery, parts.outbox.lease(change, std::chrono::seconds(1)));
    if (delivery) HF_CHECK(parts.outbox.failed(change, *delivery, "down"));
    HF_CHECK(change.commit());
  }
  return fill(*database, parts);
}

Bytes read(const fs::path& file) { return base::read_file(file, 64UL << 20).value(); }
void write(const fs::path& file, const Bytes& bytes) {
  std::ofstream(file, std::ios::binary).write(base::as_text(bytes).data(), std::ssize(bytes));
}

class DamageTest : public testing::Test {
 protected:
  void SetUp() override {
    {
      const auto database = Database::open({.path = file_}).value();
      ASSERT_TRUE(fill(*database, parts_));
    }
    whole_ = read(file_);
    ASSERT_GT(whole_.size(), 50'000U);
  }
  // Uses the file with these bytes; true where that gave an error.
  bool fails_with(const Bytes& bytes) {
    const TemporaryFolder folder;
    write(folder.path() / "a.db", bytes);
    return !use(folder.path() / "a.db", parts_).has_value();
  }

  Parts parts_;
  TemporaryFolder folder_;
  fs::path file_ = folder_.path() / "a.db";
  Bytes whole_;
};

TEST_F(DamageTest, TheWholeFileWorks) { EXPECT_FALSE(fails_with(whole_)); }

TEST_F(DamageTest, FlippedBytesGiveErrors) {
  constexpr int kFiles = 400;
  std::mt19937_64 random(1);
  int failed = 0;
  for (int i = 0; i < kFiles; ++i) {
    Bytes damaged = whole_;
    const std::uint64_t flips = 1 + random() % 64;
    for (std::uint64_t flip = 0; flip < flips; ++flip) {
      // Half of the flips hit the head of a page, where the structure is.
      const std::size_t page = random() % (damaged.size() / 4096) * 4096;
      const std::size_t at = random() % 2 == 0 ? page + random() % 128 : random() % damaged.size();
      damaged[at] ^= static_cast<std::uint8_t>(1 + random() % 255);
    }
    if (fails_with(damaged)) ++failed;
  }
  EXPECT_GT(failed, kFiles / 2);
}

TEST_F(DamageTest, ACutFileGivesErrors) {
  const auto fails_at = [&](std::size_t size) {
    return fails_with(Bytes(whole_.begin(), whole_.begin() + static_cast<std::ptrdiff_t>(size)));
  };
  for (std::size_t size = 1; size < 4096; size += 31) EXPECT_TRUE(fails_at(size)) << size;
  for (std::size_t size = 4096; size < whole_.size(); size += 4096) EXPECT_TRUE(fails_at(size)) << size;
}

}  // namespace
}  // namespace holdfast::store
