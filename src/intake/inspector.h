#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "formats/source.h"
#include "inspect/report.h"
#include "inspect/rule_set.h"
#include "worker/jail.h"

namespace holdfast::intake {

struct InspectOptions {
  std::uint64_t memory_bytes = 512UL << 20;  // of the worker
  std::chrono::seconds time_per_file{300};
  worker::JailStrength weakest_jail = worker::JailStrength::kFull;
  bool weights = false;  // every number of tensors is looked at
  bool explain = false;  // FileReport::programs
  // What to judge by; null: the program's own.
  std::shared_ptr<const inspect::RuleSet> rules = nullptr;
  // Where the rules are too old to let a file pass by them: why. It becomes a finding.
  std::string overdue = {};
  std::filesystem::path executable = "/proc/self/exe";  // runs run_inspect_worker() when told to
  // Called before each file, in the caller's thread.
  std::function<void(const std::string& path)> on_file;
};

// At most this many files in one call; kLimitExceeded beyond.
inline constexpr std::size_t kMaxFiles = 1'000'000;

// Looks into every file named, and every file below the folders named, in the order of their names, inside a
// jailed worker. Links inside folders are not followed but found. A file that can't be opened or that ends
// the worker is part of the report, and the rest goes on. Errors: kNotFound for a path that is not there,
// kUnsupported where the system refuses the jail.
base::Result<inspect::Report> inspect_paths(std::span<const std::filesystem::path> paths,
                                            const InspectOptions& options);

// As above, of one open file that goes by `name`, which need not be a path: an upload.
base::Result<inspect::Report> inspect_file(const formats::FileSource& file, const std::string& name,
                                           const InspectOptions& options);

}  // namespace holdfast::intake
