#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "cli/command.h"

namespace holdfast::cli {

// Whether the rows of the database are as the log says. The server that holds the folder tells, else this
// process opens the folder as a server would.
struct RowCheck {
  std::string fault;         // the first row that is not, and what happened to it; empty: none
  std::string not_compared;  // why it could not be told; empty: it could
};

// For a log that was verified.
RowCheck check_rows(const Invocation& invocation, const std::filesystem::path& state);

}  // namespace holdfast::cli
