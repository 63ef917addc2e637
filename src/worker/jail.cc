#include "worker/jail.h"

#include <fmt/format.h>

#include "worker/layers.h"

namespace holdfast::worker {

using base::ErrorCode;
using base::fail;
using base::Result;

Result<JailReport> enter_jail(const JailOptions& options, pid_t parent) {
  JailReport report;
  HF_CHECK(leave_root());
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
  if (report.landlock_abi == 0) {
    if (!report.namespaces) {
      return fail(
          ErrorCode::kUnsupported,
          "this system refuses namespaces and its kernel has no Landlock (5.13 and later, with landlock in "
          "the lsm= list): one of the two is needed to jail a worker");
    }
    report.weaknesses.emplace_back("This kernel has no Landlock.");
  }
  report.executable_memory = options.executable_memory;
#ifdef HOLDFAST_SANITIZED
  report.weaknesses.emplace_back(
      "This program is built with sanitizers, which need unlimited address space.");
#endif
  HF_CHECK(filter_calls(options));
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
