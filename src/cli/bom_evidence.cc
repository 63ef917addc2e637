#include "cli/bom_evidence.h"

#include <fmt/format.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/json.h"
#include "registry/model_card.h"

namespace holdfast::cli {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using base::Result;

constexpr std::size_t kMaxEvidenceBytes = 64UL << 20;
constexpr std::size_t kMaxKeyBytes = 64UL << 10;

Result<std::vector<fs::path>> files_of(const std::vector<fs::path>& paths) {
  std::vector<fs::path> files;
  for (const auto& path : paths) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      files.push_back(path);
      continue;
    }
    for (auto each = fs::directory_iterator(path, error); !error && each != fs::directory_iterator();
         each.increment(error)) {
      if (each->path().string().ends_with(".dsse.json")) files.push_back(each->path());
    }
    if (error) return base::fail_errno(fmt::format("cannot list {}", path.string()), error.value());
  }
  std::sort(files.begin(), files.end());
  return files;
}

Result<supply::ModelFile*> model_of(const base::Digest& digest, std::vector<supply::ModelFile>& models) {
  const auto found = std::find_if(models.begin(), models.end(),
                                  [&](const supply::ModelFile& model) { return model.digest == digest; });
  if (found == models.end()) {
    return base::fail(ErrorCode::kNotFound,
                      fmt::format("it is about {}, which is no model of this bill", digest.prefixed()));
  }
  return &*found;
}

Result<> add_envelope(std::string_view text, const std::optional<crypto::PublicKey>& key,
                      std::vector<supply::ModelFile>& models) {
  if (!key) {
    return base::fail(ErrorCode::kInvalidArgument,
                      "it is a signed statement: give the key that it verifies by, with --evidence-key");
  }
  HF_TRY(const auto statement, registry::open_statement(text, std::span(&*key, 1)));
  HF_TRY(auto* const model, model_of(statement.subject, models));
  HF_CHECK(registry::add_statement(statement, model->card));
  return {};
}

Result<> add_file(const fs::path& path, const std::optional<crypto::PublicKey>& key,
                  std::vector<supply::ModelFile>& models) {
  HF_TRY(const auto bytes, base::read_file(path, kMaxEvidenceBytes));
  const auto text = base::as_text(bytes);
  HF_TRY(const auto parsed, base::parse_json(text, {.max_bytes = kMaxEvidenceBytes}));
  if (parsed.is_object() && parsed.contains("payloadType")) return add_envelope(text, key, models);
  const bool wrapped = parsed.is_object() && parsed.contains("evaluation");
  HF_TRY(const auto evaluation,
         evaluate::parse_evaluation(wrapped ? parsed["evaluation"].dump() : parsed.dump()));
  HF_TRY(auto* const model, model_of(evaluation.model, models));
  registry::add_evaluation(evaluation, model->card);
  return {};
}

}  // namespace

Result<> add_evidence(const BomEvidence& evidence, std::vector<supply::ModelFile>& models) {
  std::optional<crypto::PublicKey> key;
  if (evidence.key) {
    HF_TRY(const auto pem, base::read_file(*evidence.key, kMaxKeyBytes));
    auto read = crypto::PublicKey::from_pem(base::as_text(pem));
    if (!read) return base::fail(std::move(read).error().within(evidence.key->string()));
    key.emplace(*std::move(read));
  }
  HF_TRY(const auto files, files_of(evidence.paths));
  if (!evidence.paths.empty() && files.empty()) {
    return base::fail(ErrorCode::kNotFound, "there is no statement (*.dsse.json) in what --evidence names");
  }
  for (const auto& file : files) {
    auto added = add_file(file, key, models);
    if (!added) return base::fail(std::move(added).error().within(file.string()));
  }
  return {};
}

}  // namespace holdfast::cli
