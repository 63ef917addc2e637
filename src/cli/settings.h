#pragma once

#include <filesystem>
#include <optional>
#include <span>

#include "base/config.h"

// Which settings there are, and where they come from on this machine.

namespace holdfast::cli {

std::span<const base::ConfigKey> setting_keys();

// The file named by --config or HOLDFAST_CONFIG, else $XDG_CONFIG_HOME/holdfast/holdfast.toml
// (~/.config/...), which need not exist; then the environment. A file that was named and is not there is an
// error.
base::Result<base::Config> load_settings(const std::optional<std::filesystem::path>& named);

// $XDG_CONFIG_HOME/holdfast, else ~/.config/holdfast: outside any state folder, so the master key lies here.
std::filesystem::path configuration_folder();

// --state, else HOLDFAST_STATE, else $XDG_STATE_HOME/holdfast (~/.local/state/holdfast).
std::filesystem::path state_folder(const std::optional<std::filesystem::path>& named);

}  // namespace holdfast::cli
