#pragma once

#include "cli/backend.h"

namespace holdfast::cli {

// The command line of `holdfast`, whole: parses, runs, prints, and gives the exit code.
int run(int argc, const char* const* argv, const char* version, Backend& backend);

}  // namespace holdfast::cli
