#pragma once

#include <filesystem>
#include <optional>

#include "cli/command.h"

// What `advisories import` does with signed bundles, and without.

namespace holdfast::cli {

base::Result<ExitCode> import_advisory_bundle(const std::filesystem::path& bundle,
                                              const std::filesystem::path& index,
                                              const std::optional<std::filesystem::path>& key, bool json,
                                              const Invocation& invocation);

// Before an index is made of archives that nobody signed: kUnauthenticated where a key is pinned, unless it
// is meant.
base::Result<> allow_unsigned_advisories(bool meant, const Invocation& invocation);

// Just before such an index takes its place: what a bundle said of the index before is dropped.
base::Result<> forget_bundle(const std::filesystem::path& index);

// `pack`, to the command `advisories`.
void add_advisory_bundle_commands(CLI::App& advisories, Action& action);

}  // namespace holdfast::cli
