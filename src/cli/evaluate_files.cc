#include "cli/evaluate_files.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "assess/assessment.h"
#include "base/file.h"
#include "cli/answer.h"
#include "cli/figures_text.h"
#include "cli/gate_text.h"
#include "cli/key_files.h"
#include "crypto/sha256.h"
#include "data/profile.h"
#include "formats/csv.h"
#include "lab/lab.h"
#include "model/engine.h"
#include "policy/authorizer.h"
#include "registry/gates.h"
#include "trust/predicates.h"

namespace holdfast::cli {
namespace {

namespace fs = std::filesystem;
using base::Result;
using nlohmann::json;

constexpr std::size_t kMaxDataBytes = 2UL << 30;
constexpr std::size_t kMaxGateBytes = 1UL << 20;

Result<std::string> text_of(const fs::path& path, std::size_t max_bytes) {
  HF_TRY(const auto bytes, base::read_file(path, max_bytes));
  return std::string(base::as_text(bytes));
}

Result<data::Schema> schema_of(const formats::Source& csv) {
  formats::SourceStream stream(csv);
  HF_TRY(auto reader, formats::CsvReader::create(stream));
  HF_TRY(const auto profile, data::profile_csv(reader));
  return profile.schema();
}

Result<assess::Assessment> measure(const EvaluateFiles& files, const assess::Task& task, base::ByteView csv) {
  const formats::MemorySource source(csv);
  HF_TRY(const auto schema, schema_of(source));
  HF_TRY(const auto rows, assess::read_rows(source, schema, task, nullptr, data::Part::kTest));
  HF_TRY(const auto file, formats::FileSource::open(files.model));
  HF_TRY(const auto sealed, model::SealedModel::copy(file));
  HF_TRY(const auto onnx, formats::read_exactly(file, 0, file.size()));
  if (crypto::sha256(onnx) != sealed.digest()) {
    return base::fail(base::ErrorCode::kConflict,
                      fmt::format("{} changed while it was read", files.model.string()));
  }
  auto engine = model::Engine::start(sealed, {.executable = {}, .weakest_jail = files.weakest_jail});
  // Exit code 1 is the gate's: a file that is no model was not measured.
  if (!engine && engine.error().code == base::ErrorCode::kDataCorrupt) {
    return base::fail(base::ErrorCode::kUnsupported,
                      fmt::format("{}: {}; what is measured is ONNX: export the model to it",
                                  files.model.string(), engine.error().message));
  }
  if (!engine) return base::fail(std::move(engine).error());
  auto lab = lab::Lab::start({.executable = {}, .weakest_jail = files.weakest_jail});
  if (!lab && lab.error().code != base::ErrorCode::kUnsupported) return base::fail(std::move(lab).error());
  Progress progress("evaluating");
  return assess::assess(task, rows, *engine, onnx, lab ? &*lab : nullptr,
                        {.model = sealed.digest(),
                         .dataset = crypto::sha256(csv),
                         .split = "all",
                         .on_step = [&progress](std::string_view step) { progress.say(step); }});
}

// The gate over these figures, in the shape of the API's answer.
Result<json> gate_of(const fs::path& policies, const evaluate::Evaluation& evaluation) {
  HF_TRY(const std::string text, text_of(policies, kMaxGateBytes));
  HF_TRY(auto gate, registry::parse_gate(text));
  const policy::Request request({"Person", "default/local"}, {"Action", "approve"},
                                {"Version", "default/file"});
  registry::GateDecision decision;
  HF_TRY(decision.report, evaluate::decide_gate(policy::Authorizer(std::move(gate)), request,
                                                policy::Entities(), evaluation.figures));
  decision.passed = decision.report.passed;
  json answer = decision.json();
  for (const auto* of_a_server : {"looks_at_test_part", "requirements_version", "waivers"})
    answer.erase(of_a_server);
  return answer;
}

// What the gate decided on that evaluation, as others read it.
trust::AttestedStatement gate_statement(const trust::AttestedStatement& evaluation, std::string_view gate,
                                        bool passed) {
  return {.subjects = evaluation.subjects,
          .predicate_type = std::string(trust::kVerificationSummary),
          .predicate_json = trust::verification_summary_json(
              {.verifier = "urn:holdfast:gate",
               .verifier_version = {},
               .at = base::system_clock().now(),
               .resource_uri = trust::generic_purl(evaluation.subjects.front().name),
               .policy_uri = "urn:holdfast:requirements",
               .policy = crypto::sha256(base::as_bytes(gate)),
               .passed = passed,
               .levels = {"HOLDFAST_GATE_PASSED"},
               .input_attestations = {}})};
}

// The figures, and beneath them what the gate says of them.
Result<> attest(const EvaluateFiles& files, const evaluate::Evaluation& evaluation, bool passed) {
  HF_TRY(const auto key, read_private_key(files.key));
  trust::AttestedStatement figures{.subjects = {{files.model.filename().string(), evaluation.model}},
                                   .predicate_type = std::string(trust::kEvaluation),
                                   .predicate_json = {}};
  HF_TRY(figures.predicate_json, evaluate::to_json(evaluation));
  HF_TRY(std::string lines, trust::attest(figures, key));
  lines += "\n";
  if (!files.policies.empty()) {
    HF_TRY(const std::string gate, text_of(files.policies, kMaxGateBytes));
    HF_TRY(const std::string decision, trust::attest(gate_statement(figures, gate, passed), key));
    lines += decision + "\n";
  }
  return base::write_file_atomically(files.attest, base::as_bytes(lines));
}

}  // namespace

Result<ExitCode> evaluate_files(const EvaluateFiles& files) {
  HF_TRY(const std::string task_text, text_of(files.task, assess::kMaxTaskBytes));
  HF_TRY(const auto task, assess::parse_task(task_text, files.task.string()));
  HF_TRY(const auto csv, base::read_file(files.data, kMaxDataBytes));
  HF_TRY(const auto measured, measure(files, task, csv));
  std::optional<json> gate;
  if (!files.policies.empty()) {
    HF_TRY(gate, gate_of(files.policies, measured.evaluation));
  }
  const bool passed = !gate || (*gate)["passed"] == true;
  if (!files.attest.empty()) HF_CHECK(attest(files, measured.evaluation, passed));
  if (files.json) {
    HF_TRY(const std::string evaluation, evaluate::to_json(measured.evaluation));
    json answer{{"evaluation", json::parse(evaluation)}, {"warnings", measured.warnings}};
    if (gate) answer["gate"] = *gate;
    print(answer.dump() + "\n");
    return passed ? ExitCode::kDone : ExitCode::kRefused;
  }
  print(main_figures(measured.evaluation));
  for (const auto& warning : measured.warnings) print(fmt::format("\nwarning: {}\n", warning));
  if (!gate) return ExitCode::kDone;
  print("\n");
  return show_gate(*gate);
}

}  // namespace holdfast::cli
