#include <fmt/format.h>

#include <memory>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/file.h"
#include "cli/bom_evidence.h"
#include "cli/command.h"
#include "cli/model_reader.h"
#include "supply/bom.h"
#include "supply/collect.h"
#include "supply/record_check.h"
#include "updates/components.h"

namespace holdfast::cli {
namespace {

struct Options {
  std::vector<std::filesystem::path> paths;
  std::optional<std::filesystem::path> out;
  std::string name;
  std::string task;
  std::vector<std::string> datasets;
  BomEvidence evidence;
  bool check_records = false;
  bool self = false;
};

// Of this program and its sisters.
base::Result<supply::Bom> bill_of_self(const Invocation& invocation) {
  HF_TRY(const auto components, updates::linked_components("/"));
  return supply::Bom{.subject = {.name = "holdfast", .version = invocation.version},
                     .tool_version = invocation.version,
                     .made_at = base::system_clock().now(),
                     .inventory = updates::inventory_of(components),
                     .models = {}};
}

base::Result<supply::Bom> bill_of(const Options& options, const Invocation& invocation) {
  supply::Bom bom{.subject = {.name = options.name, .version = {}},
                  .tool_version = invocation.version,
                  .made_at = base::system_clock().now()};
  const auto read_model = jailed_model_reader();
  for (const auto& path : options.paths) {
    HF_TRY(auto collection, supply::collect(path, read_model));
    if (options.check_records) {
      HF_TRY(const auto check, supply::check_records(collection));
      for (const auto& each : check.differences) bom.differences.push_back(supply::sentence(each));
    }
    bom.inventory.add(std::move(collection.inventory));
    for (auto& model : collection.models) {
      model.card.task = options.task;
      for (const auto& dataset : options.datasets) model.card.datasets.push_back({dataset, {}, "training"});
      bom.models.push_back(std::move(model));
    }
  }
  HF_CHECK(add_evidence(options.evidence, bom.models));
  if (bom.subject.name.empty()) {
    const auto last = std::filesystem::weakly_canonical(options.paths.front()).filename().string();
    bom.subject.name = last.empty() ? "root" : last;
  }
  return bom;
}

base::Result<ExitCode> write_bill(const Options& options, const Invocation& invocation) {
  HF_TRY(const auto bom, options.self ? bill_of_self(invocation) : bill_of(options, invocation));
  const auto text = supply::to_cyclonedx(bom);
  if (options.out) {
    HF_CHECK(base::write_file_atomically(*options.out, base::as_bytes(text)));
    print(fmt::format("{}: {} package{}, {} model{}\n", options.out->generic_string(),
                      bom.inventory.components.size(), bom.inventory.components.size() == 1 ? "" : "s",
                      bom.models.size(), bom.models.size() == 1 ? "" : "s"));
  } else {
    print(text);
  }
  for (const auto& gap : bom.inventory.gaps) print_error("not told: " + gap);
  for (const auto& difference : bom.differences) print_error("differs: " + difference);
  return bom.differences.empty() ? ExitCode::kDone : ExitCode::kRefused;
}

}  // namespace

void add_bom_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("bom", "Write what something is made of, as CycloneDX 1.6");
  auto* paths = command->add_option(
      "PATH", options->paths,
      "lock files, models, Python environments, container roots and saved images, and folders of these");
  auto* self =
      command->add_flag("--self", options->self, "of Holdfast itself, as it is linked here")->excludes(paths);
  command->add_option("--out", options->out, "the file to write, instead of standard output")
      ->type_name("FILE");
  command->add_option("--name", options->name, "what the bill is of; else the name of the first path");
  command->add_option("--task", options->task, "the task of the models, for their model card");
  command->add_option("--dataset", options->datasets,
                      "a dataset that the models were trained on; may be repeated");
  command->add_flag(
      "--check-records", options->check_records,
      "compare installed Python files with the digests that their RECORD holds; exit code 1 where they "
      "differ");
  command
      ->add_option(
          "--evidence", options->evidence.paths,
          "fill the models' cards from what `holdfast evaluate --json` printed, from signed statements, or "
          "from a folder that `holdfast evidence --out` wrote; may be repeated")
      ->type_name("PATH");
  command
      ->add_option("--evidence-key", options->evidence.key, "the public key that signed statements verify by")
      ->type_name("PUBLIC.pem");
  command->footer(
      "Nothing is resolved or fetched: what a file does not pin is said on standard error and in the bill.\n"
      "Example: holdfast bom requirements.txt model.onnx --task tabular-classification --out bom.json");
  command->callback([options, self, &invocation, &action] {
    if (options->paths.empty() && self->count() == 0) throw CLI::RequiredError("PATH");
    action = [options, &invocation] { return write_bill(*options, invocation); };
  });
}

}  // namespace holdfast::cli
