// Blobs on a disk that fails, or a process that is killed, at each step: what was acknowledged stays, and
// nothing half done is to be seen.

#include <gmock/gmock-matchers.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "store/blob_testing.h"
#include "store/blobs.h"
#include "store/testing.h"

namespace holdfast::store {
namespace {

namespace fs = std::filesystem;
using base::ByteView;
using base::ErrorCode;
using base::Result;

enum class Fault { kOneError, kErrorsFromThereOn, kKill };

// The system's disk until a certain step, which fails; a write fails half way through.
class FaultyDisk final : public Disk {
 public:
  FaultyDisk(int at, Fault fault) : at_(at), fault_(fault) {}
  [[nodiscard]] bool struck() const { return steps_ > at_; }

  Result<base::UniqueFd> create(const fs::path& file) override {
    HF_CHECK(step());
    return system_disk().create(file);
  }
  Result<> write(int fd, ByteView bytes) override {
    if (steps_ == at_) HF_CHECK(system_disk().write(fd, bytes.first(bytes.size() / 2)));
    HF_CHECK(step());
    return system_disk().write(fd, bytes);
  }
  Result<> sync(int fd) override {
    HF_CHECK(step());
    return system_disk().sync(fd);
  }
  Result<> rename(const fs::path& from, const fs::path& to) override {
    HF_CHECK(step());
    return system_disk().rename(from, to);
  }
  Result<> remove(const fs::path& file) override {
    HF_CHECK(step());
    return system_disk().remove(file);
  }
  Result<> make_folder(const fs::path& folder) override {
    HF_CHECK(step());
    return system_disk().make_folder(folder);
  }
  Result<> sync_folder(const fs::path& folder) override {
    HF_CHECK(step());
    return system_disk().sync_folder(folder);
  }

 private:
  Result<> step() {
    const int now = steps_++;
    if (now == at_ && fault_ == Fault::kKill) ::raise(SIGKILL);
    if (now == at_ || (now > at_ && fault_ == Fault::kErrorsFromThereOn)) {
      return base::fail(ErrorCode::kUnavailable, "the disk is full");
    }
    return {};
  }

  int at_;
  Fault fault_;
  int steps_ = 0;
};

constexpr int kMostSteps = 200;

class BlobFaultTest : public testing::Test {
 protected:
  // Opens the folder as after a restart: every blob that it lists is whole, and nothing else lies in it.
  std::vector<BlobId> survivors(const fs::path& folder) {
    const auto store = BlobStore::open(folder).value();
    auto blobs = store->list(keys_.workspace).value();
    for (const auto& id : blobs) EXPECT_TRUE(store->verify(keys_, id));
    EXPECT_EQ(count_files(folder), blobs.size());
    return blobs;
  }

  BlobKeys keys_ = make_keys("default");
};

TEST_F(BlobFaultTest, AFailedStepFailsThePutAndHarmsNothing) {
  for (const Fault fault : {Fault::kOneError, Fault::kErrorsFromThereOn}) {
    bool struck = true;
    int at = 0;
    for (; struck && at < kMostSteps; ++at) {
      const TemporaryFolder folder;
      const BlobId first = put(*BlobStore::open(folder.path()).value(), keys_, pattern(10)).value().id;
      FaultyDisk disk(at, fault);
      const auto store = BlobStore::open(folder.path(), disk);
      const auto second = store ? put(**store, keys_, pattern(100'000)) : fail(store.error());
      struck = disk.struck();
      EXPECT_EQ(second.has_value(), !struck) << at;
      if (struck && store && fault == Fault::kOneError) {
        EXPECT_TRUE(put(**store, keys_, pattern(100'000))) << at;
      }
      EXPECT_THAT(survivors(folder.path()), testing::Contains(first)) << at;
    }
    EXPECT_FALSE(struck);
    EXPECT_GT(at, 15);
  }
}

TEST_F(BlobFaultTest, AKillAtAnyStepLosesNothingAcknowledged) {
  bool killed = true;
  int at = 0;
  for (; killed && at < kMostSteps; ++at) {
    const TemporaryFolder folder;
    std::array<int, 2> acks{};
    ASSERT_EQ(::pipe(acks.data()), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      FaultyDisk disk(at, Fault::kKill);
      const auto store = BlobStore::open(folder.path(), disk);
      for (std::size_t i = 0; store && i < 3; ++i) {
        const auto blob = put(**store, keys_, pattern(50'000 * i));
        if (!blob || ::write(acks[1], &blob->id, sizeof(BlobId)) != sizeof(BlobId)) ::_exit(1);
      }
      ::_exit(0);
    }
    ::close(acks[1]);
    std::vector<BlobId> acknowledged;
    for (BlobId id; ::read(acks[0], &id, sizeof(id)) == sizeof(id);) acknowledged.push_back(id);
    ::close(acks[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    killed = WIFSIGNALED(status);
    ASSERT_TRUE(killed || WEXITSTATUS(status) == 0);
    EXPECT_THAT(survivors(folder.path()), testing::IsSupersetOf(acknowledged)) << at;
    EXPECT_TRUE(killed || acknowledged.size() == 3);
  }
  EXPECT_FALSE(killed);
  EXPECT_GT(at, 30);
}

}  // namespace
}  // namespace holdfast::store
