#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "base/bytes.h"
#include "base/file.h"
#include "worker/layers.h"

namespace holdfast::worker {

using base::ErrorCode;
using base::fail;
using base::fail_errno;
using base::Result;

namespace {

constexpr uid_t kNobody = 65534;
constexpr int kNamespaces =
    CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS | CLONE_NEWCGROUP;

// The beginning of a file of /proc; empty where there is none.
std::string read_proc(const char* path) {
  constexpr std::size_t kMaxBytes = 4096;
  const auto file = base::open_regular_file(path);
  if (!file) return {};
  std::string text(kMaxBytes, '\0');
  const auto got = base::read_full(file->get(), {reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  text.resize(got.value_or(0));
  return text;
}

struct Obstacle {
  const char* file;
  std::string_view shows;
  std::string_view remedy;
};

// Who is known to refuse namespaces, by what it shows. The last is the least certain: a filter may be there
// and allow.
constexpr std::array kObstacles{
    Obstacle{"/proc/sys/kernel/unprivileged_userns_clone", "0\n",
             "the setting kernel.unprivileged_userns_clone is 0; set it to 1 with sysctl"},
    Obstacle{"/proc/sys/user/max_user_namespaces", "0\n",
             "the setting user.max_user_namespaces is 0; raise it with sysctl, or do not start this program "
             "inside a sandbox that forbids further ones"},
    Obstacle{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n",
             "AppArmor keeps user namespaces from programs without a profile; give this program a profile "
             "with the rule \"userns,\""},
    Obstacle{
        "/proc/self/status", "Seccomp:\t2\n",
        "a seccomp filter around this program refuses it; in a container, run it with a seccomp profile that "
        "allows unshare, mount, umount2 and pivot_root; in a systemd unit, take out RestrictNamespaces"},
};

std::string cause_of(int error) {
  for (const auto& [file, shows, remedy] : kObstacles) {
    if (read_proc(file).find(shows) != std::string::npos) return std::string(remedy);
  }
  if (error == ENOSPC) {
    return "a limit on namespaces is reached: this program runs inside a sandbox that forbids further ones, "
           "or user.max_user_namespaces (or its like for net, ipc, uts, mnt, cgroup) is to be raised with "
           "sysctl";
  }
  return "the system does not say why; inside a chroot, and in a kernel without CONFIG_USER_NS, it always "
         "does so";
}

tl::unexpected<base::Error> fail_refused(std::string_view step, int error) {
  return fail(ErrorCode::kUnsupported, fmt::format("the system refuses a worker's jail at {} ({}): {}", step,
                                                   std::generic_category().message(error), cause_of(error)));
}

// An empty tmpfs in the place of the root, and the old one detached. pivot_root(2), "pivot_root(".", ".")". A
// mount over "/" is reached by "/.." alone: so no folder of the system need exist for it.
Result<> empty_root() {
  constexpr unsigned long kFlags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return fail_refused("mount", errno);
  if (::mount("tmpfs", "/", "tmpfs", kFlags, "size=4k,nr_inodes=1,mode=0555") != 0) {
    return fail_refused("mount", errno);
  }
  if (::chdir("/..") != 0) return fail_refused("chdir", errno);
  if (::syscall(SYS_pivot_root, ".", ".") != 0) return fail_refused("pivot_root", errno);
  if (::umount2(".", MNT_DETACH) != 0) return fail_refused("umount2", errno);
  if (::chdir("/") != 0) return fail_refused("chdir", errno);
  return {};
}

}  // namespace

Result<> leave_root() {
  if (::geteuid() != 0) return {};
  if (::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) return fail_errno("cannot keep capabilities", errno);
  const bool left = ::setgroups(0, nullptr) == 0 && ::setresgid(kNobody, kNobody, kNobody) == 0 &&
                    ::setresuid(kNobody, kNobody, kNobody) == 0;
  // Root without CAP_SETUID, or in a user namespace that has no nobody, stays what it is: no other layer
  // needs this.
  if (!left && errno != EPERM && errno != EINVAL) {
    return fail_errno("cannot change from root to nobody", errno);
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  if (::syscall(SYS_capget, &header, sets.data()) != 0) return fail_errno("cannot read capabilities", errno);
  for (auto& set : sets) set.effective = set.permitted;
  if (::syscall(SYS_capset, &header, sets.data()) != 0) return fail_errno("cannot keep capabilities", errno);
  return {};
}

Result<> enter_namespaces() {
  if (::unshare(kNamespaces) != 0) return fail_refused("unshare", errno);
  return empty_root();
}

}  // namespace holdfast::worker
