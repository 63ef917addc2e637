// The counterpart of the worker module's tests: a worker that does, on command, what it is told.
//   worker_probe jailed            in the jail, as any worker
//   worker_probe unjailed          outside: shows that what fails in the jail would else succeed
//   worker_probe namespaces        with this one layer of the jail
//   worker_probe landlock          likewise
//   worker_probe without CALL      in the jail, on a system that refuses this call with EPERM
//   worker_probe without-user-namespaces
//                                  in the jail, on a system whose limit on user namespaces is 0
//   worker_probe orphan            in the jail, as one whose parent ended while it started
//   worker_probe mute              never says a word
//   worker_probe quit              ends at once

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/file.h"
#include "worker/child.h"
#include "worker/handshake.h"
#include "worker/layers.h"
#include "worker/probe/deeds.h"

namespace holdfast::worker::probe {
namespace {

using base::Result;

Result<Channel> greet(JailReport report) {
  Channel channel{base::UniqueFd(kChannelDescriptor)};
  HF_CHECK(channel.send(encode_greeting(std::move(report)), kNoDeadline));
  return channel;
}

Result<Channel> greet_in_namespaces() {
  HF_CHECK(leave_root());
  HF_CHECK(enter_namespaces());
  return greet({.namespaces = true});
}

Result<Channel> greet_in_landlock() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return base::fail_errno("cannot renounce privileges", errno);
  }
  HF_TRY(const int abi, enter_landlock());
  return greet({.landlock_abi = abi});
}

Result<Channel> begin_work_without(const char* call) {
  scmp_filter_ctx filter = ::seccomp_init(SCMP_ACT_ALLOW);
  ::seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), ::seccomp_syscall_resolve_name(call), 0);
  if (const int error = ::seccomp_load(filter); error != 0) return base::fail_errno("cannot filter", -error);
  return begin_work();
}

Result<Channel> begin_work_without_user_namespaces() {
  if (::unshare(CLONE_NEWUSER) != 0) return base::fail_errno("cannot make a user namespace", errno);
  const base::UniqueFd setting(::open("/proc/sys/user/max_user_namespaces", O_WRONLY | O_CLOEXEC));
  HF_CHECK(base::write_full(setting.get(), base::as_bytes("0")));
  return begin_work();
}

Result<Channel> begin_work_as_orphan() {
  const std::string orders = encode_orders({.parent = ::getpid()});
  if (::setenv(kOrdersVariable, orders.c_str(), 1) != 0) return base::fail_errno("cannot give orders", errno);
  return begin_work();
}

Result<Channel> begin(std::string_view mode, const char* argument) {
  if (mode == "unjailed") return greet({});
  if (mode == "namespaces") return greet_in_namespaces();
  if (mode == "landlock") return greet_in_landlock();
  if (mode == "without") return begin_work_without(argument);
  if (mode == "without-user-namespaces") return begin_work_without_user_namespaces();
  if (mode == "orphan") return begin_work_as_orphan();
  return begin_work();
}

int run(std::string_view mode, const char* argument) {
  if (mode == "mute") ::pause();
  if (mode == "quit") {
    std::fputs("not today\x1b[31m\n", stderr);
    return 3;
  }
  auto channel = begin(mode, argument);
  if (!channel) return 1;
  for (;;) {
    auto request = channel->receive(kNoDeadline, Descriptors::kAccept);
    if (!request) return 2;
    if (!*request) return 0;
    const auto answer = do_deed(**request, *channel);
    if (!channel->send(base::as_bytes(answer), kNoDeadline)) return 2;
  }
}

}  // namespace
}  // namespace holdfast::worker::probe

int main(int argc, char** argv) {
  return holdfast::worker::probe::run(argc > 1 ? argv[1] : "", argc > 2 ? argv[2] : nullptr);
}
