#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

// The jail around a process that reads untrusted bytes: what is asked for, how the process enters it, and the
// report of what is in force. docs/decisions/0001-self-jailing-workers.md says why a process jails itself.

namespace holdfast::worker {

// Each is lowered to the limit that the system already sets on this program, where that is less.
struct JailLimits {
  std::uint64_t memory_bytes = 1UL << 30;  // address space, with what the program and its libraries take
  // Processor time of all threads together, at least one second, at most 2^32; none for a worker that serves
  // for long.
  std::optional<std::chrono::seconds> cpu = std::chrono::seconds(30);
  std::uint32_t descriptors = 32;  // open at a time, four of them taken from the start
  std::uint32_t threads = 1;       // the first one included

  friend bool operator==(const JailLimits&, const JailLimits&) = default;
};

enum class JailStrength {
  kFull,  // everything; refuse to run where the system has no namespaces to give
  // Where the system refuses namespaces: Landlock, seccomp and limits only, and say so. A worker can then
  // learn which files are there and how large they are, though not open one.
  kWithoutNamespaces,
};

struct JailOptions {
  JailLimits limits;
  bool executable_memory = false;  // for an engine that compiles at run time
  JailStrength weakest = JailStrength::kFull;

  friend bool operator==(const JailOptions&, const JailOptions&) = default;
};

// What is in force around a worker. No new privileges, no capabilities, the limits on files, and the list of
// allowed system calls always are: a worker without them does not start.
struct JailReport {
  bool namespaces = false;  // user, network, IPC, UTS, mount (an empty read-only root) and cgroup
  int landlock_abi = 0;     // 0: this kernel has no Landlock
  bool executable_memory = false;
  JailLimits limits;
  std::vector<std::string> weaknesses;  // what is not as strong as it could be, and why: whole sentences

  [[nodiscard]] std::string text() const;  // one line for a person
  [[nodiscard]] std::string json() const;  // canonical JSON, for evidence
  // What json() gives. kDataCorrupt for anything else.
  static base::Result<JailReport> parse(std::string_view json);

  friend bool operator==(const JailReport&, const JailReport&) = default;
};

// Puts this process, which has one thread, into the jail, for good. Afterwards it can use the descriptors
// that it has or is sent, memory, its clock and its own threads: no file can be opened, no socket made, no
// program run, nobody else signalled; a system call that is not allowed ends the process. It dies with the
// thread of `parent` that started it. On an error the process may be in part of the jail already: it reports
// and ends. kUnsupported, naming cause and remedy, where the system refuses what `options` demand.
base::Result<JailReport> enter_jail(const JailOptions& options, pid_t parent);

}  // namespace holdfast::worker
