#pragma once

#include <filesystem>
#include <span>
#include <string_view>

#include "base/file.h"
#include "base/result.h"

// The folder that holds all state, in the hands of one process. The kernel drops the lock when that process
// ends, however it ends.

namespace holdfast::store {

class FolderLock {
 public:
  static constexpr std::string_view kLockName = "holdfast.lock";

  // Makes the folder where there is none (mode 0700; its parent exists), and locks it for as long as the
  // object lives. `known` are the names that may stand in it beside the lock. kUnavailable where a process
  // holds it, which the message names; kPermissionDenied for a folder of another user or one that others have
  // access to; kInvalidArgument for one that holds other files, which is not ours to use.
  static base::Result<FolderLock> acquire(const std::filesystem::path& folder,
                                          std::span<const std::string_view> known);

 private:
  explicit FolderLock(base::UniqueFd fd) : fd_(std::move(fd)) {}
  base::UniqueFd fd_;
};

}  // namespace holdfast::store
