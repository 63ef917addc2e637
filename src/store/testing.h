#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <string>

#include "base/time.h"

// For the tests of store/ alone: a folder that goes with its scope, and a clock that stands still.

namespace holdfast::store {

class TemporaryFolder {
 public:
  TemporaryFolder() : path_(make("/dev/shm")) {
    if (path_.empty()) path_ = make(std::filesystem::temp_directory_path());
    if (path_.empty()) ADD_FAILURE() << "cannot make a temporary folder";
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  // In memory where there is such a place: no test here proves anything by waiting for a real disk.
  static std::filesystem::path make(const std::filesystem::path& where) {
    std::string name = (where / "store_test.XXXXXX").string();
    return ::mkdtemp(name.data()) == nullptr ? std::string() : name;
  }
  std::filesystem::path path_;
};

class StillClock final : public base::Clock {
 public:
  [[nodiscard]] base::Timestamp now() const override { return base::Timestamp::from_microseconds(now_); }
  void advance(std::chrono::microseconds by) { now_ += by.count(); }

 private:
  std::atomic<std::int64_t> now_{1'764'000'000'000'000};
};

// The code of a Result that must be an error.
template <typename T>
base::ErrorCode code_of(const base::Result<T>& result) {
  EXPECT_FALSE(result.has_value());
  return result ? base::ErrorCode::kInternal : result.error().code;
}

}  // namespace holdfast::store
