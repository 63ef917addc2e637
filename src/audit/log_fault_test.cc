// Each step on the disk fails in turn: the log stops, tells everybody, and the next start has all that was
// acknowledged, even where the disk forgot what was not synced.

#include <gmock/gmock-matchers.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "audit/testing.h"

namespace holdfast::audit {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using base::Result;
using testing::HasSubstr;

enum class Failing { kOnce, kFromThenOn };

// Fails at a step by its number, and remembers what was synced.
class StepDisk final : public store::Disk {
 public:
  StepDisk(int fail_at, Failing failing) : fail_at_(fail_at), failing_(failing) {}

  Result<base::UniqueFd> create(const fs::path& file) override {
    HF_CHECK(step());
    auto fd = store::system_disk().create(file);
    if (fd) open_[fd->get()] = file;
    if (fd) unsynced_.insert(file);
    return fd;
  }
  Result<> write(int fd, base::ByteView bytes) override {
    auto failed = step();
    // A disk that fills up takes a part.
    HF_CHECK(store::system_disk().write(fd, failed ? bytes : bytes.first(bytes.size() / 2)));
    written_[open_[fd]] += failed ? bytes.size() : bytes.size() / 2;
    return failed;
  }
  Result<> sync(int fd) override {
    HF_CHECK(step());
    unsynced_.erase(open_[fd]);
    synced_[open_[fd]] = written_[open_[fd]];
    return store::system_disk().sync(fd);
  }
  Result<> rename(const fs::path& from, const fs::path& to) override {
    HF_CHECK(step());
    HF_CHECK(store::system_disk().rename(from, to));
    for (auto& [fd, file] : open_) {
      if (file == from) file = to;
    }
    unsynced_.erase(to);
    if (unsynced_.erase(from) > 0) unsynced_.insert(to);
    synced_[to] = synced_[from];
    written_[to] = written_[from];
    return {};
  }
  Result<> remove(const fs::path& file) override {
    HF_CHECK(step());
    return store::system_disk().remove(file);
  }
  Result<> make_folder(const fs::path& folder) override {
    HF_CHECK(step());
    return store::system_disk().make_folder(folder);
  }
  Result<> sync_folder(const fs::path& folder) override {
    HF_CHECK(step());
    return store::system_disk().sync_folder(folder);
  }

  [[nodiscard]] bool failed() const { return steps_ > fail_at_; }

  // What the disk has after a power cut: files that were never synced are empty, and what was appended to
  // others after their last sync is gone.
  void cut_power() const {
    for (const auto& file : unsynced_) {
      if (fs::exists(file)) fs::resize_file(file, 0);
    }
    for (const auto& [file, size] : synced_) {
      if (!unsynced_.contains(file) && fs::exists(file) && fs::file_size(file) > size)
        fs::resize_file(file, size);
    }
  }

 private:
  Result<> step() {
    const int now = steps_++;
    if (now == fail_at_ || (failing_ == Failing::kFromThenOn && now > fail_at_)) {
      return base::fail(ErrorCode::kUnavailable, "cannot write: No space left on device");
    }
    return {};
  }
  int fail_at_;
  Failing failing_;
  int steps_ = 0;
  std::map<int, fs::path> open_;
  std::set<fs::path> unsynced_;
  std::map<fs::path, std::uintmax_t> written_;
  std::map<fs::path, std::uintmax_t> synced_;
};

class LogFaultTest : public testing::Test {
 protected:
  // Appends until the disk fails; gives the receipts.
  std::vector<Receipt> append_until_failure(StepDisk& disk, std::size_t most) {
    std::vector<Receipt> receipts;
    const auto log = Log::open(folder_.log(), *keys_, {.disk = &disk});
    if (!log) return receipts;
    for (std::size_t i = 0; i < most; ++i) {
      const auto receipt = (*log)->append(record_of(i));
      if (receipt) {
        receipts.push_back(*receipt);
        continue;
      }
      EXPECT_EQ(receipt.error().code, ErrorCode::kUnavailable);
      // Stopped for good, even if the disk could write again.
      const auto later = (*log)->append(record_of(i));
      EXPECT_EQ(code_of(later), ErrorCode::kUnavailable);
      EXPECT_THAT(later.error().message, HasSubstr("the audit log has stopped"));
      EXPECT_FALSE((*log)->note(record_of(i)));
      EXPECT_FALSE((*log)->flush());
      return receipts;
    }
    static_cast<void>((*log)->flush().has_value());
    return receipts;
  }

  void check(const std::vector<Receipt>& receipts, std::uint64_t before) {
    const auto log = Log::open(folder_.log(), *keys_);
    ASSERT_TRUE(log) << log.error().message;
    ASSERT_GE((*log)->size(), before + receipts.size());
    for (const auto& receipt : receipts) {
      ASSERT_EQ((*log)->read(receipt.index, 1)->at(0).receipt, receipt);
    }
    ASSERT_TRUE((*log)->append(record_of(77)));
    ASSERT_TRUE((*log)->flush());
    ASSERT_EQ(fault_of(folder_, {.keys = keys_.get()}), "");
  }

  void fail_each_step(Failing failing, bool power_cut, std::uint64_t before) {
    constexpr int kMostSteps = 1000;
    constexpr std::size_t kAppends = 6;
    if (before > 0) {
      const auto log = Log::open(folder_.log(), *keys_).value();
      for (std::uint64_t i = 0; i < before; ++i) ASSERT_TRUE(log->note(record_of(i)));
    }
    if (before > 0) fs::rename(folder_.log(), folder_.path() / "template");
    bool finished = false;
    for (int at = 0; at < kMostSteps && !finished; ++at) {
      fs::remove_all(folder_.log());
      if (before > 0) fs::copy(folder_.path() / "template", folder_.log(), fs::copy_options::recursive);
      StepDisk disk(at, failing);
      const auto receipts = append_until_failure(disk, kAppends);
      finished = !disk.failed();
      if (finished) {
        EXPECT_EQ(receipts.size(), kAppends);
      }
      if (power_cut) disk.cut_power();
      check(receipts, before);
      ASSERT_FALSE(HasFailure()) << "step " << at;
    }
    EXPECT_TRUE(finished);
  }

  TestFolder folder_;
  std::unique_ptr<keys::KeyStore> keys_ = open_keys(folder_);
};

TEST_F(LogFaultTest, AnyStepOfANewLogMayFailOnce) { fail_each_step(Failing::kOnce, false, 0); }
TEST_F(LogFaultTest, TheDiskMayBeFullFromAnyStepOn) { fail_each_step(Failing::kFromThenOn, false, 0); }
TEST_F(LogFaultTest, ThePowerMayGoAtAnyStepOfANewLog) { fail_each_step(Failing::kFromThenOn, true, 0); }
// The sixth record opens a new file of bodies, after tiles of two levels are full.
TEST_F(LogFaultTest, AnyStepAtTheEndOfASegmentMayFailOnce) {
  fail_each_step(Failing::kOnce, false, kRecordsPerSegment - 4);
}
TEST_F(LogFaultTest, ThePowerMayGoAtAnyStepAtTheEndOfASegment) {
  fail_each_step(Failing::kFromThenOn, true, kRecordsPerSegment - 4);
}

// Lets no sync through until it is opened.
class Gate final : public store::Disk {
 public:
  Result<base::UniqueFd> create(const fs::path& file) override { return store::system_disk().create(file); }
  Result<> write(int fd, base::ByteView bytes) override { return store::system_disk().write(fd, bytes); }
  Result<> sync(int fd) override {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
    return store::system_disk().sync(fd);
  }
  Result<> rename(const fs::path& from, const fs::path& to) override {
    return store::system_disk().rename(from, to);
  }
  Result<> remove(const fs::path& file) override { return store::system_disk().remove(file); }
  Result<> make_folder(const fs::path& folder) override { return store::system_disk().make_folder(folder); }
  Result<> sync_folder(const fs::path& folder) override { return store::system_disk().sync_folder(folder); }

  void set(bool open) {
    const std::lock_guard lock(mutex_);
    open_ = open;
    waiting_ = 0;
    changed_.notify_all();
  }
  void wait_for_sync() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_ > 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = true;
  int waiting_ = 0;
};

TEST_F(LogFaultTest, TheQueueIsBoundedWhileTheDiskIsSlow) {
  Gate disk;
  const auto log = Log::open(folder_.log(), *keys_, {.disk = &disk}).value();
  ASSERT_TRUE(log->flush());
  disk.set(false);
  std::thread first([&] { EXPECT_TRUE(log->append(record_of(0))); });
  disk.wait_for_sync();
  for (std::size_t i = 0; i < Log::kMaxQueued; ++i) ASSERT_TRUE(log->note(record_of(i))) << i;
  EXPECT_EQ(code_of(log->note(record_of(1))), ErrorCode::kUnavailable);
  EXPECT_EQ(code_of(log->append(record_of(1))), ErrorCode::kUnavailable);
  EXPECT_EQ(log->size(), 0U);
  disk.set(true);
  first.join();
  ASSERT_TRUE(log->flush());
  EXPECT_EQ(log->size(), Log::kMaxQueued + 1);
}

}  // namespace
}  // namespace holdfast::audit
