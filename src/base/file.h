#pragma once

#include <filesystem>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"

// Files by descriptor, read within bounds and written so that a reader sees the whole old or the whole new
// one.

namespace holdfast::base {

// Owns one file descriptor.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
  void reset();

 private:
  int fd_ = -1;
};

// Opens a regular file for reading (O_CLOEXEC). kInvalidArgument for anything that is no regular file: a fifo
// would block, a device never ends.
Result<UniqueFd> open_regular_file(const std::filesystem::path& path);

// The whole file, at most max_bytes of it: kLimitExceeded beyond.
Result<Bytes> read_file(const std::filesystem::path& path, std::size_t max_bytes);

// Reads until `buffer` is full or the file ends; gives the count.
Result<std::size_t> read_full(int fd, MutableByteView buffer);
// As read_full, at an offset, leaving the file's position alone.
Result<std::size_t> read_full_at(int fd, std::uint64_t offset, MutableByteView buffer);
Result<> write_full(int fd, ByteView bytes);

// A file that appears under its name only by commit(): written under a temporary name in the same folder,
// synced, renamed, and the folder synced. Without commit() the temporary is removed and the name is
// untouched.
class AtomicFile {
 public:
  // `mode` as for open(2), e.g. 0600 for what holds a secret.
  static Result<AtomicFile> create(const std::filesystem::path& path, unsigned mode);

  AtomicFile(AtomicFile&&) noexcept = default;
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile();

  [[nodiscard]] int fd() const { return fd_.get(); }
  Result<> write(ByteView bytes) { return write_full(fd_.get(), bytes); }
  // Durable on return. kAlreadyExists when `replace` is false and the name is taken.
  Result<> commit(bool replace = true);

 private:
  AtomicFile(UniqueFd fd, std::filesystem::path temporary, std::filesystem::path path)
      : fd_(std::move(fd)), temporary_(std::move(temporary)), path_(std::move(path)) {}
  UniqueFd fd_;
  std::filesystem::path temporary_;  // empty once committed or moved from
  std::filesystem::path path_;
};

Result<> write_file_atomically(const std::filesystem::path& path, ByteView bytes, unsigned mode = 0644);

// Makes what happened to the names in a folder durable.
Result<> sync_folder(const std::filesystem::path& folder);

}  // namespace holdfast::base
