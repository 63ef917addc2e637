#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"
#include "formats/source.h"
#include "supply/model_file.h"
#include "worker/jail.h"
#include "worker/process.h"

namespace holdfast::intake {

struct DescribeOptions {
  std::uint64_t memory_bytes = 512UL << 20;  // of the worker
  std::chrono::seconds time_per_file{60};
  worker::JailStrength weakest_jail = worker::JailStrength::kFull;
  std::filesystem::path executable = "/proc/self/exe";  // runs run_inspect_worker() when told to
};

// supply::describe_model() in a jailed worker, which is started with the first file and again after one that
// ended it. Not thread-safe.
class ModelDescriber {
 public:
  explicit ModelDescriber(DescribeOptions options) : options_(std::move(options)) {}

  // The errors of supply::describe_model(), and of worker::Process where the file ends the worker or the
  // system refuses the jail.
  base::Result<supply::ModelDescription> describe(const formats::FileSource& file, const std::string& name);

 private:
  DescribeOptions options_;
  std::unique_ptr<worker::Process> worker_;
};

}  // namespace holdfast::intake
