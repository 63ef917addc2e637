#include "worker/jail.h"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "worker/layers.h"

namespace holdfast::worker {

using base::ErrorCode;
using base::fail;
using base::Result;

namespace {

// Beside the lack of namespaces, whose cause enter_jail knows. `root`: this process could not become another
// user.
std::vector<std::string> other_weaknesses(const JailReport& report, bool root) {
  std::vector<std::string> weaknesses;
  if (report.landlock_abi == 0) weaknesses.emplace_back("This kernel has no Landlock.");
  // The kernel does not hold root to RLIMIT_NPROC, and counts the others' in their user namespace.
  if (report.limits.threads > 1 && (root || !report.namespaces)) {
    weaknesses.emplace_back("Memory alone limits the number of its threads.");
  }
#ifdef HOLDFAST_SANITIZED
  weaknesses.emplace_back(
      "This program is built with sanitizers, which allow no limit on memory or threads.");
#endif
  return weaknesses;
}

}  // namespace

Result<JailReport> enter_jail(const JailOptions& options, pid_t parent) {
  JailReport report;
  report.executable_memory = options.executable_memory;
  HF_CHECK(leave_root());
  const bool root = ::geteuid() == 0;
  if (auto entered = enter_namespaces(); entered) {
    report.namespaces = true;
  } else if (options.weakest == JailStrength::kFull) {
    return fail(std::move(entered).error());
  } else {
    report.weaknesses.push_back("It runs without namespaces: " + entered.error().message + ".");
  }
  HF_TRY(report.limits, limit_resources(options.limits, report.namespaces));
  HF_CHECK(drop_capabilities());
  HF_CHECK(tie_to_parent(parent));
  HF_TRY(report.landlock_abi, enter_landlock());
  if (!report.namespaces && report.landlock_abi == 0) {
    return fail(
        ErrorCode::kUnsupported,
        "this system refuses namespaces and its kernel has no Landlock (5.13 and later, with landlock in the "
        "lsm= list): one of the two is needed to jail a worker");
  }
  HF_CHECK(filter_calls(options));
  for (auto& weakness : other_weaknesses(report, root)) report.weaknesses.push_back(std::move(weakness));
  return report;
}

std::string JailReport::text() const {
  std::string line = fmt::format(
      "namespaces: {}; Landlock: {}; system calls: allow list{}; capabilities: none; memory: {} MiB; "
      "processor time: {}; descriptors: {}; threads: {}",
      namespaces ? "user, network, IPC, UTS, mount, cgroup" : "none",
      landlock_abi == 0 ? "none" : fmt::format("no rights (ABI {})", landlock_abi),
      executable_memory ? ", with executable memory" : "", limits.memory_bytes >> 20,
      limits.cpu ? fmt::format("{} s", limits.cpu->count()) : "unlimited", limits.descriptors,
      limits.threads);
  for (const auto& weakness : weaknesses) line.append("; weaker: ").append(weakness);
  return line;
}

}  // namespace holdfast::worker
