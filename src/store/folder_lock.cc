#include "store/folder_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace holdfast::store {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using base::UniqueFd;
using std::filesystem::path;

constexpr std::string_view kMountPoint = "lost+found";  // what mkfs leaves at the root of a file system

Result<> make_folder(const path& folder) {
  if (::mkdir(folder.c_str(), 0700) == 0) return base::sync_folder(folder.parent_path());
  if (errno == EEXIST) return {};
  return base::fail_errno(fmt::format("cannot make the state folder {}", folder.string()), errno);
}

Result<> check_private(const path& folder) {
  struct stat status{};
  if (::stat(folder.c_str(), &status) != 0) {
    return base::fail_errno(fmt::format("cannot read the state folder {}", folder.string()), errno);
  }
  if (!S_ISDIR(status.st_mode)) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("{} is no folder", folder.string()));
  }
  if (status.st_uid != ::geteuid()) {
    return fail(ErrorCode::kPermissionDenied,
                fmt::format("the state folder {} belongs to user {}, not to user {} who runs this",
                            folder.string(), status.st_uid, ::geteuid()));
  }
  if ((status.st_mode & 077U) != 0) {
    return fail(ErrorCode::kPermissionDenied,
                fmt::format("others have access to the state folder {}; run: chmod 700 {}", folder.string(),
                            folder.string()));
  }
  return {};
}

// What is being written, or was left by a process that was killed then: <known>.<16 hexadecimal
// digits>.partial (base/file.cc).
bool is_partial_of(std::string_view name, std::span<const std::string_view> known) {
  constexpr std::string_view kEnd = ".partial";
  constexpr std::size_t kRandom = 1 + 16;
  if (!name.ends_with(kEnd) || name.size() < kEnd.size() + kRandom) return false;
  name.remove_suffix(kEnd.size() + kRandom);
  return std::find(known.begin(), known.end(), name) != known.end();
}

// Ends at the first name that is not ours, so that it takes no longer in a folder of millions.
Result<> check_names(const path& folder, std::span<const std::string_view> known) {
  std::error_code error;
  std::filesystem::directory_iterator entry(folder, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name == FolderLock::kLockName || name == kMountPoint) continue;
    if (std::find(known.begin(), known.end(), name) != known.end() || is_partial_of(name, known)) continue;
    return fail(
        ErrorCode::kInvalidArgument,
        fmt::format("the folder {} holds \"{}\", which is not Holdfast's; name an empty or a new folder",
                    folder.string(), name));
  }
  if (error)
    return base::fail_errno(fmt::format("cannot read the folder {}", folder.string()), error.value());
  return {};
}

tl::unexpected<base::Error> held(const path& folder, int fd) {
  std::array<std::uint8_t, 20> text{};
  const auto got = base::read_full_at(fd, 0, text);
  const std::string_view digits = base::as_text(base::ByteView(text).first(got.value_or(0)));
  const bool is_number = !digits.empty() && std::all_of(digits.begin(), digits.end(),
                                                        [](char c) { return c >= '0' && c <= '9'; });
  return fail(
      ErrorCode::kUnavailable,
      fmt::format("the state folder {} is in use by {}; stop it, or give your command to it", folder.string(),
                  is_number ? fmt::format("process {}", digits) : "another process"));
}

}  // namespace

Result<FolderLock> FolderLock::acquire(const path& folder, std::span<const std::string_view> known) {
  HF_CHECK(make_folder(folder));
  HF_CHECK(check_private(folder));
  HF_CHECK(check_names(folder, known));
  const path name = folder / kLockName;
  UniqueFd fd(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) return base::fail_errno(fmt::format("cannot open {}", name.string()), errno);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return held(folder, fd.get());
    return base::fail_errno(fmt::format("cannot lock {}", name.string()), errno);
  }
  // For the message of whoever comes next; the lock itself is the kernel's.
  if (::ftruncate(fd.get(), 0) != 0)
    return base::fail_errno(fmt::format("cannot write {}", name.string()), errno);
  HF_CHECK(base::write_full(fd.get(), base::as_bytes(fmt::format("{}", ::getpid()))));
  return FolderLock(std::move(fd));
}

}  // namespace holdfast::store
