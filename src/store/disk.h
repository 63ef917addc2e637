#pragma once

#include <filesystem>

#include "base/bytes.h"
#include "base/file.h"
#include "base/result.h"

namespace holdfast::store {

// What the blob store does to a disk, step by step: a parameter, so that a test can make each step fail.
// Errors are those of the system, and name the file. Thread-safe.
class Disk {
 public:
  virtual ~Disk() = default;
  // A new file that only its owner can read.
  virtual base::Result<base::UniqueFd> create(const std::filesystem::path& file) = 0;
  virtual base::Result<> write(int fd, base::ByteView bytes) = 0;
  virtual base::Result<> sync(int fd) = 0;
  // In place of what has the name `to`, if anything.
  virtual base::Result<> rename(const std::filesystem::path& from, const std::filesystem::path& to) = 0;
  virtual base::Result<> remove(const std::filesystem::path& file) = 0;
  // A folder that only its owner can enter; it may be there already.
  virtual base::Result<> make_folder(const std::filesystem::path& folder) = 0;
  virtual base::Result<> sync_folder(const std::filesystem::path& folder) = 0;
};

Disk& system_disk();

}  // namespace holdfast::store
