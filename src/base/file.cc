#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/encoding.h"
#include "base/random.h"

namespace holdfast::base {

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void UniqueFd::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Result<UniqueFd> open_regular_file(const std::filesystem::path& path) {
  // O_NONBLOCK: opening a fifo would otherwise wait for a writer.
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return fail_errno(fmt::format("cannot open {}", path.string()), errno);
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return fail_errno(fmt::format("cannot read {}", path.string()), errno);
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("{} is not a regular file", path.string()));
  }
  return fd;
}

Result<Bytes> read_file(const std::filesystem::path& path, std::size_t max_bytes) {
  HF_TRY(const UniqueFd fd, open_regular_file(path));
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return fail_errno(fmt::format("cannot read {}", path.string()), errno);
  const auto too_large = [&] {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("{} is larger than the {} bytes allowed here", path.string(), max_bytes));
  };
  const auto expected = static_cast<std::size_t>(status.st_size);
  if (expected > max_bytes) return too_large();
  // One byte more than expected, to see that the file has not grown since.
  Bytes bytes(expected + 1);
  HF_TRY(const std::size_t got, read_full(fd.get(), bytes));
  if (got > expected)
    return fail(ErrorCode::kConflict, fmt::format("{} grew while it was read", path.string()));
  bytes.resize(got);
  return bytes;
}

Result<std::size_t> read_full(int fd, MutableByteView buffer) {
  std::size_t done = 0;
  while (done < buffer.size()) {
    const ssize_t got = ::read(fd, buffer.data() + done, buffer.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("cannot read", errno);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

Result<std::size_t> read_full_at(int fd, std::uint64_t offset, MutableByteView buffer) {
  std::size_t done = 0;
  while (done < buffer.size()) {
    const ssize_t got =
        ::pread(fd, buffer.data() + done, buffer.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("cannot read", errno);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

Result<> write_full(int fd, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return fail_errno("cannot write", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  return {};
}

Result<AtomicFile> AtomicFile::create(const std::filesystem::path& path, unsigned mode) {
  auto temporary = path;
  temporary += fmt::format(".{}.partial", hex_encode(system_random().take(8)));
  UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!fd.valid()) return fail_errno(fmt::format("cannot create {}", path.string()), errno);
  return AtomicFile(std::move(fd), std::move(temporary), path);
}

AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Result<> AtomicFile::commit(bool replace) {
  const auto doing = fmt::format("cannot write {}", path_.string());
  if (::fsync(fd_.get()) != 0) return fail_errno(doing, errno);
  const unsigned flags = replace ? 0U : static_cast<unsigned>(RENAME_NOREPLACE);
  if (::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, path_.c_str(), flags) != 0) {
    return fail_errno(doing, errno);
  }
  temporary_.clear();
  return sync_folder(path_.parent_path());
}

Result<> write_file_atomically(const std::filesystem::path& path, ByteView bytes, unsigned mode) {
  HF_TRY(AtomicFile file, AtomicFile::create(path, mode));
  if (auto written = file.write(bytes); !written) {
    return fail(std::move(written).error().within(path.string()));
  }
  return file.commit();
}

Result<> sync_folder(const std::filesystem::path& folder) {
  const std::filesystem::path named = folder.empty() ? std::filesystem::path(".") : folder;
  const UniqueFd fd(::open(named.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() || ::fsync(fd.get()) != 0) {
    return fail_errno(fmt::format("cannot sync the folder {}", named.string()), errno);
  }
  return {};
}

}  // namespace holdfast::base
