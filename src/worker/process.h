#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/file.h"
#include "base/result.h"
#include "worker/channel.h"
#include "worker/exit.h"
#include "worker/jail.h"
#include "worker/stderr_tail.h"

namespace holdfast::worker {

struct StartOptions {
  std::filesystem::path executable =
      "/proc/self/exe";           // this program again; it calls begin_work (worker/child.h)
  std::vector<std::string> argv;  // the name it goes by, then its arguments
  JailOptions jail;
  std::chrono::milliseconds start_time{10'000};  // for loading, entering the jail and saying so
};

// One jailed process, which this side started, speaks with, and ends. It is killed and reaped with this
// object, and also when the thread that started it ends (prctl(2), PR_SET_PDEATHSIG): start it from a thread
// that lives as long as it shall. Not thread-safe. The program must not ignore SIGCHLD or reap children that
// it does not know. A worker that one hostile input has taken over can give false answers about the next: let
// it read what comes from one source only.
class Process {
 public:
  // The worker is jailed when this returns, and has been given nothing to read before. kUnsupported, naming
  // cause and remedy, where the system refuses the jail that is asked for; kDeadline; kNotFound where there
  // is no such program.
  static base::Result<Process> start(const StartOptions& options);

  Process(Process&&) noexcept = default;
  Process& operator=(Process&&) = delete;
  ~Process();

  // What is in force around it.
  [[nodiscard]] const JailReport& jail() const { return jail_; }
  [[nodiscard]] pid_t id() const { return pid_; }

  // Sends one frame, with a copy of `descriptor` unless that is negative, and gives the frame that answers
  // it. On any error but a request beyond kMaxFrameBytes the worker has ended, killed if need be; the error
  // says how and with which last words, and wait() gives how. kDeadline: no answer in time. kDataCorrupt: an
  // answer that is no frame. kLimitExceeded: a limit of the jail, or an answer that is too large.
  // kPermissionDenied: a forbidden system call. kUnavailable: it crashed or ended.
  base::Result<base::Bytes> exchange(base::ByteView request, Deadline deadline, int descriptor = -1);

  // For what is not one request and one answer. After an error of it, call wait() or stop().
  [[nodiscard]] Channel& channel() { return channel_; }

  // Closes the connection, so that the worker sees that no more will come, and waits for its end. kDeadline
  // while it runs on.
  base::Result<Exit> wait(Deadline deadline);
  // Kills it unless it has ended.
  Exit stop();

  // The last of what it printed to its standard error. Untrusted.
  [[nodiscard]] std::string diagnostics() const;

 private:
  Process(pid_t pid, base::UniqueFd pidfd, base::UniqueFd socket, base::UniqueFd errors);
  base::Result<> greet(Deadline deadline);
  base::Result<base::Bytes> answer(Deadline deadline);
  Exit reap();
  base::Error ended(base::Error why);

  pid_t pid_;
  base::UniqueFd pidfd_;              // invalid once moved from
  std::unique_ptr<StderrTail> tail_;  // on the heap, since channel_ points to it
  Channel channel_;
  JailReport jail_;
  bool stopped_ = false;
  std::optional<Exit> exit_;  // once reaped
};

}  // namespace holdfast::worker
