#pragma once

#include <filesystem>

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"

namespace holdfast::cli {

// Writes a text of the server's answer into a file.
base::Result<> write_text(const std::filesystem::path& path, const nlohmann::json& answer,
                          const char* member);

// The proof of a log, and its key where `key` is not empty.
base::Result<> write_proof(const nlohmann::json& answer, const std::filesystem::path& proof,
                           const std::filesystem::path& key);

}  // namespace holdfast::cli
