#include "store/disk.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace holdfast::store {
namespace {

using base::Result;
using std::filesystem::path;

Result<> check(int result, std::string_view doing, const path& name) {
  if (result == 0) return {};
  return base::fail_errno(fmt::format("cannot {} {}", doing, name.string()), errno);
}

class SystemDisk final : public Disk {
 public:
  Result<base::UniqueFd> create(const path& file) override {
    base::UniqueFd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    HF_CHECK(check(fd.valid() ? 0 : -1, "create", file));
    return fd;
  }
  Result<> write(int fd, base::ByteView bytes) override { return base::write_full(fd, bytes); }
  Result<> sync(int fd) override {
    if (::fsync(fd) == 0) return {};
    return base::fail_errno("cannot sync a file", errno);
  }
  Result<> rename(const path& from, const path& to) override {
    return check(::rename(from.c_str(), to.c_str()), "put a file at", to);
  }
  Result<> remove(const path& file) override { return check(::unlink(file.c_str()), "remove", file); }
  Result<> make_folder(const path& folder) override {
    const int result = ::mkdir(folder.c_str(), 0700);
    if (result != 0 && errno == EEXIST) return {};
    return check(result, "make the folder", folder);
  }
  Result<> sync_folder(const path& folder) override { return base::sync_folder(folder); }
};

}  // namespace

Disk& system_disk() {
  static SystemDisk disk;
  return disk;
}

}  // namespace holdfast::store
