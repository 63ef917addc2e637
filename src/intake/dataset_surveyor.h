#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>

#include "base/result.h"
#include "formats/source.h"
#include "intake/dataset_wire.h"
#include "worker/jail.h"

namespace holdfast::intake {

struct SurveyOptions {
  std::uint64_t memory_bytes = 2UL << 30;  // of the worker: two profiles of the widest table, and its reader
  // Beyond what a file takes at kSlowestSurvey.
  std::chrono::seconds least_time{60};
  worker::JailStrength weakest_jail = worker::JailStrength::kFull;
  std::filesystem::path executable = "/proc/self/exe";  // runs run_inspect_worker() when told to
};

inline constexpr std::uint64_t kSlowestSurvey = 4UL << 20;  // bytes a second

// data::survey_csv() in a jailed worker of its own. The errors of survey_csv(); kInvalidArgument for a file
// that ends the worker; kDeadline and kLimitExceeded beyond the options; kUnsupported where the system
// refuses the jail. What the survey says is the word of a process that read a stranger's file: of this file
// it may say anything that adds up, so compare its digest with one of your own.
base::Result<DatasetSurvey> survey_dataset(const formats::FileSource& csv, const SurveyOptions& options = {});

}  // namespace holdfast::intake
