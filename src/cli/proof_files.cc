#include "cli/proof_files.h"

#include <fmt/format.h>

#include <string>

#include <nlohmann/json.hpp>

#include "base/file.h"

namespace holdfast::cli {

base::Result<> write_text(const std::filesystem::path& path, const nlohmann::json& answer,
                          const char* member) {
  const auto found = answer.find(member);
  if (found == answer.end() || !found->is_string()) {
    return base::fail(base::ErrorCode::kDataCorrupt, fmt::format("the server's answer lacks {}", member));
  }
  return base::write_file_atomically(path, base::as_bytes(found->get_ref<const std::string&>()));
}

base::Result<> write_proof(const nlohmann::json& answer, const std::filesystem::path& proof,
                           const std::filesystem::path& key) {
  HF_CHECK(write_text(proof, answer, "proof"));
  return key.empty() ? base::Result<>() : write_text(key, answer, "log_key");
}

}  // namespace holdfast::cli
