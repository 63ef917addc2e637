#include "worker/spawn.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "worker/handshake.h"

namespace holdfast::worker {

using base::fail_errno;
using base::Result;
using base::UniqueFd;

namespace {

struct Pair {
  UniqueFd ours;
  UniqueFd theirs;
};

// Moves a descriptor out of the way of those that the child is given, which this program may have free
// itself.
Result<UniqueFd> out_of_the_way(UniqueFd descriptor) {
  constexpr int kFirstFree = kChannelDescriptor + 1;
  if (descriptor.get() >= kFirstFree) return descriptor;
  UniqueFd moved(::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, kFirstFree));
  if (!moved.valid()) return fail_errno("cannot start a worker", errno);
  return moved;
}

Result<Pair> connected_sockets() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return fail_errno("cannot start a worker", errno);
  }
  Pair pair{UniqueFd(ends[0]), UniqueFd(ends[1])};
  HF_TRY(pair.theirs, out_of_the_way(std::move(pair.theirs)));
  return pair;
}

Result<Pair> stderr_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno("cannot start a worker", errno);
  Pair pair{UniqueFd(ends[0]), UniqueFd(ends[1])};
  if (::fcntl(pair.ours.get(), F_SETFL, O_NONBLOCK) != 0) return fail_errno("cannot start a worker", errno);
  HF_TRY(pair.theirs, out_of_the_way(std::move(pair.theirs)));
  return pair;
}

// posix_spawn(3)'s two objects. Every call on them gives an error number; the first stays.
class Plan {
 public:
  Plan() {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
  }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;
  ~Plan() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }

  void give(int descriptor, int as) { keep(::posix_spawn_file_actions_adddup2(&actions_, descriptor, as)); }
  void give_null(int as, int mode) {
    keep(::posix_spawn_file_actions_addopen(&actions_, as, "/dev/null", mode, 0));
  }
  void close_from(int descriptor) { keep(::posix_spawn_file_actions_addclosefrom_np(&actions_, descriptor)); }
  void start_anew() {
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    keep(::posix_spawnattr_setsigmask(&attributes_, &none));
    keep(::posix_spawnattr_setsigdefault(&attributes_, &all));
    keep(::posix_spawnattr_setflags(&attributes_,
                                    POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID));
  }

  // Gives an error number, and the child's id where that is 0.
  int run(const char* executable, char* const* arguments, char* const* environment, pid_t& pid) {
    if (error_ == 0) keep(::posix_spawn(&pid, executable, &actions_, &attributes_, arguments, environment));
    return error_;
  }

 private:
  void keep(int error) {
    if (error_ == 0) error_ = error;
  }

  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
  int error_ = 0;
};

// As execve(2) takes them; valid while `texts` is.
std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

}  // namespace

Result<Spawned> spawn(const std::filesystem::path& executable, std::vector<std::string> arguments,
                      std::vector<std::string> environment) {
  HF_TRY(Pair sockets, connected_sockets());
  HF_TRY(Pair errors, stderr_pipe());
  Plan plan;
  plan.give_null(STDIN_FILENO, O_RDONLY);
  plan.give_null(STDOUT_FILENO, O_WRONLY);
  plan.give(errors.theirs.get(), STDERR_FILENO);
  plan.give(sockets.theirs.get(), kChannelDescriptor);
  plan.close_from(kChannelDescriptor + 1);
  plan.start_anew();
  Spawned child;
  const auto argument_list = pointers(arguments);
  const auto environment_list = pointers(environment);
  if (const int error =
          plan.run(executable.c_str(), argument_list.data(), environment_list.data(), child.pid);
      error != 0) {
    return fail_errno(fmt::format("cannot start {} as a worker", executable.string()), error);
  }
  // Not pidfd_open(): glibc 2.36 declares it without C linkage.
  child.pidfd = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, child.pid, 0)));
  if (!child.pidfd.valid()) {
    const int error = errno;
    ::kill(child.pid, SIGKILL);
    ::waitpid(child.pid, nullptr, 0);
    return fail_errno("cannot watch over a worker (pidfd_open, Linux 5.3 and later)", error);
  }
  child.socket = std::move(sockets.ours);
  child.errors = std::move(errors.ours);
  return child;
}

}  // namespace holdfast::worker
