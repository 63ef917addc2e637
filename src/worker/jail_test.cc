#include "worker/jail.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock-matchers.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>

#include "worker/probe/harness.h"

// What a worker cannot do: each by the whole jail, and by each layer that forbids it alone. That the same can
// be done outside is shown first, so that no test passes because the deed could not be done anyway.

namespace holdfast::worker {
namespace {

using base::ErrorCode;
using base::UniqueFd;
using probe::exit_after;
using probe::outcome;
using ::testing::Contains;
using ::testing::HasSubstr;

#ifdef HOLDFAST_SANITIZED
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

class JailTest : public ::testing::Test {
 protected:
  void SetUp() override {
    tcp_ = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    ASSERT_EQ(::bind(tcp_.get(), generic, size), 0);
    ASSERT_EQ(::listen(tcp_.get(), 8), 0);
    ASSERT_EQ(::getsockname(tcp_.get(), generic, &size), 0);
    connect_tcp_ = fmt::format("connect-tcp {}", ntohs(address.sin_port));

    const auto name = fmt::format("holdfast-jail-test-{}", ::getpid());
    abstract_ = UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un local{};
    local.sun_family = AF_UNIX;
    name.copy(local.sun_path + 1, sizeof(local.sun_path) - 1);
    const auto local_size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    ASSERT_EQ(::bind(abstract_.get(), reinterpret_cast<const sockaddr*>(&local), local_size), 0);
    ASSERT_EQ(::listen(abstract_.get(), 8), 0);
    connect_abstract_ = "connect-abstract " + name;
    signal_parent_ = fmt::format("signal {}", ::getpid());
  }

  UniqueFd tcp_;
  UniqueFd abstract_;
  std::string connect_tcp_;
  std::string connect_abstract_;
  std::string signal_parent_;
};

TEST_F(JailTest, OutsideEverythingCanBeDone) {
  auto free = probe::start({"unjailed"});
  for (const auto& deed :
       {std::string("read-file /etc/passwd"), std::string("list /"), connect_tcp_, connect_abstract_,
        std::string("fork"), signal_parent_, std::string("map-executable"), std::string("make-executable"),
        std::string("allocate 67108864")}) {
    EXPECT_EQ(outcome(free, deed), "done") << deed;
  }
  EXPECT_EQ(outcome(free, "threads 5"), "5");
}

TEST_F(JailTest, TheReportSaysWhatIsInForce) {
  const JailLimits limits{
      .memory_bytes = 1UL << 30, .cpu = std::chrono::seconds(7), .descriptors = 9, .threads = 2};
  const auto worker = probe::start({"jailed"}, {.limits = limits});
  const long abi = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, 1U);
  EXPECT_TRUE(worker.jail().namespaces);
  EXPECT_EQ(worker.jail().landlock_abi, std::clamp(abi, 0L, 7L));
  EXPECT_EQ(worker.jail().limits, limits);
  EXPECT_EQ(worker.jail().weaknesses.empty(), abi > 0 && !kSanitized);
}

TEST_F(JailTest, NoFileCanBeOpened) {
  auto worker = probe::start({"jailed"});
  EXPECT_EQ(outcome(worker, "read-file /etc/passwd"), "EPERM");
  EXPECT_EQ(outcome(worker, "write-file /tmp/holdfast-jail-test"), "EPERM");
  EXPECT_EQ(outcome(worker, "list /"), "EPERM");
  EXPECT_EQ(outcome(worker, "stat /etc/passwd"), "ENOENT");
}

TEST_F(JailTest, WhatNoWorkerNeedsEndsIt) {
  const std::vector<std::string> deeds{
      connect_tcp_,     connect_abstract_, "execute /bin/true",
      "fork",           signal_parent_,    fmt::format("trace {}", ::getpid()),
      "map-executable", "make-executable", "threads 1"};
  for (const auto& deed : deeds) {
    EXPECT_EQ(exit_after(deed), (Exit{ExitCause::kForbiddenCall, SIGSYS})) << deed;
  }
}

TEST_F(JailTest, SystemCallsThatReachIntoTheKernelOrOthersEndIt) {
  for (const int call : {SYS_process_vm_readv,
                         SYS_process_vm_writev,
                         SYS_keyctl,
                         SYS_add_key,
                         SYS_bpf,
                         SYS_io_uring_setup,
                         SYS_unshare,
                         SYS_setns,
                         SYS_mount,
                         SYS_umount2,
                         SYS_pivot_root,
                         SYS_chroot,
                         SYS_userfaultfd,
                         SYS_perf_event_open,
                         SYS_memfd_create,
                         SYS_execveat,
                         SYS_vfork,
                         SYS_clone,
                         SYS_clone3,
                         SYS_tkill,
                         SYS_rt_sigqueueinfo,
                         SYS_pidfd_open,
                         SYS_pidfd_getfd,
                         SYS_name_to_handle_at,
                         SYS_open_by_handle_at,
                         SYS_openat2,
                         SYS_socketpair,
                         SYS_setrlimit,
                         SYS_personality,
                         SYS_seccomp,
                         SYS_init_module,
                         SYS_kexec_load,
                         SYS_ftruncate,
                         SYS_fchmod,
                         SYS_shmat,
                         SYS_getdents64}) {
    EXPECT_EQ(exit_after(fmt::format("call {}", call)), (Exit{ExitCause::kForbiddenCall, SIGSYS})) << call;
  }
}

TEST_F(JailTest, TheNamespacesAloneHoldNoFileAndNoNetwork) {
  auto worker = probe::start({"namespaces"});
  EXPECT_EQ(outcome(worker, "read-file /etc/passwd"), "ENOENT");
  EXPECT_EQ(outcome(worker, "read-file /../etc/passwd"), "ENOENT");
  EXPECT_EQ(outcome(worker, "read-file /proc/self/exe"), "ENOENT");
  EXPECT_EQ(outcome(worker, "write-file /new"), "EROFS");
  EXPECT_EQ(outcome(worker, connect_tcp_), "ENETUNREACH");
  EXPECT_EQ(outcome(worker, connect_abstract_), "ECONNREFUSED");
  EXPECT_EQ(outcome(worker, "user"), "65534");
}

TEST_F(JailTest, LandlockAloneGrantsNoRight) {
  auto worker = probe::start({"landlock"});
  const int abi = worker.jail().landlock_abi;
  if (abi == 0) GTEST_SKIP() << "this kernel has no Landlock";
  EXPECT_EQ(outcome(worker, "read-file /etc/passwd"), "EACCES");
  EXPECT_EQ(outcome(worker, "write-file /tmp/holdfast-jail-test"), "EACCES");
  EXPECT_EQ(outcome(worker, "list /"), "EACCES");
  EXPECT_EQ(outcome(worker, "execute /bin/true"), "EACCES");
  EXPECT_EQ(outcome(worker, connect_tcp_), abi >= 4 ? "EACCES" : "done");
  EXPECT_EQ(outcome(worker, connect_abstract_), abi >= 6 ? "EPERM" : "done");
  EXPECT_EQ(outcome(worker, signal_parent_), abi >= 6 ? "EPERM" : "done");
}

TEST_F(JailTest, MemoryIsLimited) {
  if (kSanitized) GTEST_SKIP() << "sanitizers reserve more address space than any limit";
  const JailOptions jail{.limits = {.memory_bytes = 256UL << 20}};
  auto worker = probe::start({"jailed"}, jail);
  EXPECT_EQ(outcome(worker, "allocate 67108864"), "done");
  EXPECT_THAT(outcome(worker, "allocate 268435456"), HasSubstr("more memory than it may have"));
  EXPECT_EQ(worker.stop(), (Exit{ExitCause::kOutOfMemory, kExitOutOfMemory}));
}

TEST_F(JailTest, ProcessorTimeIsLimited) {
  const JailOptions jail{.limits = {.cpu = std::chrono::seconds(1)}};
  EXPECT_EQ(exit_after("spin", jail), (Exit{ExitCause::kCpuLimit, SIGXCPU}));
  EXPECT_EQ(exit_after("spin ignoring-the-signal", jail), (Exit{ExitCause::kKilled, SIGKILL}));
}

TEST_F(JailTest, ThreadsAreLimited) {
  auto worker = probe::start({"jailed"}, {.limits = {.threads = 3}});
  EXPECT_EQ(outcome(worker, "threads 5"), kSanitized ? "5" : "2");
}

TEST_F(JailTest, ThreadsMakeNoProcesses) {
  const JailOptions jail{.limits = {.threads = 3}};
  EXPECT_EQ(exit_after("fork", jail).cause, ExitCause::kForbiddenCall);
}

TEST_F(JailTest, ExecutableMemoryIsAnOption) {
  auto worker = probe::start({"jailed"}, {.executable_memory = true});
  EXPECT_TRUE(worker.jail().executable_memory);
  EXPECT_EQ(outcome(worker, "map-executable"), "done");
  EXPECT_EQ(outcome(worker, "make-executable"), "done");
}

TEST_F(JailTest, AFileComesAsADescriptorAndCannotGrow) {
  std::string path = "/tmp/holdfast-jail-test-XXXXXX";
  const UniqueFd file(::mkostemp(path.data(), O_CLOEXEC));
  ASSERT_TRUE(file.valid());
  ASSERT_EQ(::unlink(path.c_str()), 0);
  ASSERT_TRUE(base::write_full(file.get(), base::as_bytes("what it may read")));
  auto worker = probe::start({"jailed"});
  EXPECT_EQ(outcome(worker, "descriptor read", file.get()), "what it may read");
  EXPECT_THAT(outcome(worker, "descriptor write", file.get()), HasSubstr("tried to write to a file"));
  EXPECT_EQ(worker.stop(), (Exit{ExitCause::kForbiddenCall, SIGXFSZ}));
}

TEST_F(JailTest, InheritsNothing) {
  const UniqueFd leaked(::dup(STDERR_FILENO));  // without O_CLOEXEC, as a careless library might
  auto worker = probe::start({"jailed"});
  EXPECT_EQ(outcome(worker, "descriptors"), "0 1 2 3 ");
  EXPECT_EQ(outcome(worker, "environment"),
            kSanitized ? "HOLDFAST_WORKER ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS " : "HOLDFAST_WORKER ");
}

struct Refusal {
  std::vector<std::string> system;
  const char* names;  // in the message
};

class RefusingSystem : public ::testing::TestWithParam<Refusal> {};

TEST_P(RefusingSystem, StartsNoWorkerAndSaysWhy) {
  const auto refused = Process::start(probe::options(GetParam().system));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(refused.error().message, HasSubstr(GetParam().names));
}

TEST_P(RefusingSystem, StartsAWeakerWorkerWhenAllowedAndSaysSo) {
  auto worker = probe::start(GetParam().system, {.weakest = JailStrength::kWithoutNamespaces});
  EXPECT_FALSE(worker.jail().namespaces);
  EXPECT_THAT(worker.jail().weaknesses.front(), HasSubstr(GetParam().names));
  EXPECT_EQ(outcome(worker, "read-file /etc/passwd"), "EPERM");
  EXPECT_THAT(outcome(worker, "connect-tcp 1"), HasSubstr("its jail forbids"));
}

// Docker's default seccomp profile; Ubuntu's AppArmor, which lets unshare pass; bubblewrap's
// --disable-userns.
INSTANTIATE_TEST_SUITE_P(
    All, RefusingSystem,
    ::testing::Values(Refusal{{"without", "unshare"}, "at unshare (Operation not permitted)"},
                      Refusal{{"without", "mount"}, "at mount (Operation not permitted)"},
                      Refusal{{"without", "pivot_root"}, "at pivot_root"},
                      Refusal{{"without-user-namespaces"}, "user.max_user_namespaces is 0"}));

TEST(WithoutNamespaces, ThreadsAreLimitedByMemoryAloneAndTheReportSaysSo) {
  const JailOptions jail{.limits = {.threads = 2}, .weakest = JailStrength::kWithoutNamespaces};
  const auto worker = probe::start({"without", "unshare"}, jail);
  EXPECT_THAT(worker.jail().weaknesses, Contains(HasSubstr("number of its threads")));
}

TEST(WithoutLandlock, TheNamespacesHold) {
  auto worker = probe::start({"without", "landlock_create_ruleset"});
  EXPECT_EQ(worker.jail().landlock_abi, 0);
  EXPECT_THAT(worker.jail().weaknesses.front(), HasSubstr("Landlock"));
  EXPECT_EQ(outcome(worker, "read-file /etc/passwd"), "EPERM");
}

}  // namespace
}  // namespace holdfast::worker
