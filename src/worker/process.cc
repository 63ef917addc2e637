#include "worker/process.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "worker/handshake.h"
#include "worker/spawn.h"

namespace holdfast::worker {

using base::Bytes;
using base::ByteView;
using base::Error;
using base::ErrorCode;
using base::fail;
using base::Result;
using base::UniqueFd;

namespace {

// A worker that closes its connection is mostly about to end; how it does is worth this wait.
constexpr std::chrono::milliseconds kGrace{200};

std::vector<std::string> environment(const StartOptions& options) {
  std::vector<std::string> variables{
      fmt::format("{}={}", kOrdersVariable, encode_orders({.parent = ::getpid(), .jail = options.jail}))};
#ifdef HOLDFAST_SANITIZED
  // In the jail a sanitizer can start neither its leak checker nor its symbolizer; and a fault is to end a
  // worker as it does in a build without.
  const std::string sanitizers =
      "detect_leaks=0:symbolize=0:"
      "handle_segv=0:handle_sigbus=0:handle_abort=0:handle_sigill=0:handle_sigfpe=0";
  for (const auto* name : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"}) {
    variables.push_back(fmt::format("{}={}", name, sanitizers));
  }
#endif
  return variables;
}

}  // namespace

Process::Process(pid_t pid, UniqueFd pidfd, UniqueFd socket, UniqueFd errors)
    : pid_(pid),
      pidfd_(std::move(pidfd)),
      tail_(std::make_unique<StderrTail>(std::move(errors))),
      channel_(std::move(socket), tail_.get()) {}

Process::~Process() {
  if (pidfd_.valid()) stop();
}

Result<Process> Process::start(const StartOptions& options) {
  const Deadline deadline = deadline_in(options.start_time);
  HF_TRY(Spawned child, spawn(options.executable, options.argv, environment(options)));
  Process process(child.pid, std::move(child.pidfd), std::move(child.socket), std::move(child.errors));
  HF_CHECK(process.greet(deadline));
  return process;
}

Result<> Process::greet(Deadline deadline) {
  HF_TRY(const Bytes greeting, answer(deadline));
  auto jail = decode_greeting(greeting);
  if (!jail) {
    stop();
    return fail(std::move(jail).error().within("cannot start a worker"));
  }
  jail_ = *std::move(jail);
  return {};
}

Result<Bytes> Process::exchange(ByteView request, Deadline deadline, int descriptor) {
  if (auto sent = channel_.send(request, deadline, descriptor); !sent) {
    if (channel_.usable()) return fail(std::move(sent).error());
    return fail(ended(std::move(sent).error()));
  }
  return answer(deadline);
}

Result<Bytes> Process::answer(Deadline deadline) {
  auto frame = channel_.receive(deadline);
  if (!frame) return fail(ended(std::move(frame).error()));
  if (!*frame) return fail(ended(Error{ErrorCode::kUnavailable, "it closed its connection"}));
  return std::move((*frame)->bytes);
}

Result<Exit> Process::wait(Deadline deadline) {
  channel_.close();
  if (exit_) return *exit_;
  HF_CHECK(await(pidfd_.get(), POLLIN, deadline, tail_.get()));
  return reap();
}

Exit Process::stop() {
  if (exit_) return *exit_;
  // It can only fail with ESRCH, for a process that has ended.
  stopped_ = ::syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0) == 0;
  return reap();
}

Exit Process::reap() {
  siginfo_t status{};
  int waited = 0;
  do {
    waited = ::waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &status, WEXITED);
  } while (waited != 0 && errno == EINTR);
  exit_ = waited == 0 ? exit_of(status.si_code, status.si_status, stopped_) : Exit{};
  channel_.close();
  tail_->drain();
  return *exit_;
}

// Ends the worker, of which nothing more can be had, and tells `why` or, where it ended by itself, how.
Error Process::ended(Error why) {
  if (!exit_) {
    const bool late = why.code == ErrorCode::kDeadline;
    if (late || !await(pidfd_.get(), POLLIN, deadline_in(kGrace), tail_.get())) {
      stop();
    } else {
      reap();
    }
  }
  const bool ours = exit_->cause == ExitCause::kStopped;
  Error error = ours ? Error{why.code, fmt::format("the worker was stopped: {}", why.message)}
                     : Error{exit_->error_code(), fmt::format("the worker {}", exit_->sentence())};
  if (const auto words = diagnostics(); !words.empty()) {
    error.message += fmt::format("; its last words were: {}", words);
  }
  return error;
}

std::string Process::diagnostics() const {
  tail_->drain();  // what it printed before its last answer may still lie in the pipe
  return tail_->text();
}

}  // namespace holdfast::worker
