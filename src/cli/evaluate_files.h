#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/result.h"
#include "cli/terminal.h"
#include "worker/jail.h"

namespace holdfast::cli {

// What `evaluate` measures where no server is asked: files alone.
struct EvaluateFiles {
  std::filesystem::path model;     // ONNX
  std::filesystem::path task;      // TOML, as `require` takes it
  std::filesystem::path data;      // CSV with the columns that the task speaks of; every row counts
  std::filesystem::path policies;  // a gate, as `require` takes it; empty for none
  std::filesystem::path attest;    // where signed statements of it go, one a line; empty for none
  std::filesystem::path key;       // who signs them
  worker::JailStrength weakest_jail = worker::JailStrength::kFull;
  bool json = false;
};

// Prints the figures, and what the gate says of them. kDone where there is no gate or it passes, else
// kRefused.
base::Result<ExitCode> evaluate_files(const EvaluateFiles& files);

}  // namespace holdfast::cli
