#include <fmt/format.h>

#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/answer.h"
#include "cli/run_watch.h"
#include "cli/server_command.h"

namespace holdfast::cli {
namespace {

struct Options {
  std::string model;
  std::string group;
  std::string attack;
  std::optional<double> adversarial_share;
  std::optional<std::uint64_t> epochs;
  std::optional<std::uint64_t> seed;
  bool detach = false;
  bool json = false;
};

nlohmann::json order_of(const Options& options) {
  auto order = nlohmann::json::object();
  if (!options.group.empty()) order["group"] = options.group;
  if (!options.attack.empty()) order["attack"] = options.attack;
  if (options.adversarial_share) order["adversarial_share"] = fmt::format("{}", *options.adversarial_share);
  if (options.epochs) order["epochs"] = *options.epochs;
  if (options.seed) order["seed"] = *options.seed;
  return order;
}

void show_trained(const nlohmann::json& answer) {
  print(fmt::format("{} version {}: trained by run {}, {}\ndigest: {}\n", field(answer, "/version/model"),
                    field(answer, "/version/version"), field(answer, "/run/id"),
                    field(answer, "/version/state"), field(answer, "/version/digest")));
}

ExitCode detached(const Options& options, const ApiResponse& response, const std::string& id) {
  if (options.json) {
    print_as_it_came(response);
  } else {
    print(fmt::format("run {} was asked for; wait for it with: holdfast runs show {} --wait\n", id, id));
  }
  return ExitCode::kDone;
}

base::Result<ExitCode> train(const Options& options, const ApiClient& client) {
  if (options.detach && !client.is_remote()) {
    return base::fail(base::ErrorCode::kUnavailable,
                      "no server holds this folder, so that nobody would work on it: start one with holdfast "
                      "serve, or leave out --detach");
  }
  HF_TRY(const auto response,
         client.send_json("POST", path_of({"v1", "models", options.model, "train"}), order_of(options)));
  HF_TRY(const auto asked, accepted(response));
  const std::string id = field(asked, "/run/id");
  if (options.detach) return detached(options, response, id);
  HF_TRY(auto run, wait_for_run(client, id, "training"));
  HF_CHECK(outcome_of(run));
  HF_TRY(const auto found,
         client.get(path_of({"v1", "models", options.model, "versions", field(run, "/result/version")})));
  HF_TRY(auto version, accepted(found));
  const nlohmann::json answer{{"run", std::move(run)}, {"version", std::move(version)}};
  if (options.json) {
    print(answer.dump() + "\n");
  } else {
    show_trained(answer);
  }
  return ExitCode::kDone;
}

}  // namespace

void add_train_command(CLI::App& app, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("train", "Train a version of a model on the dataset it is required for");
  command->add_option("MODEL", options->model, "the model; see holdfast require")->required();
  command
      ->add_option("--group", options->group,
                   "weigh the rows so that this group of the task says nothing of "
                   "the label")
      ->type_name("GROUP");
  auto* attack = command->add_option("--attack", options->attack, "train against this attack of the task too")
                     ->type_name("ATTACK");
  command
      ->add_option("--adversarial-share", options->adversarial_share,
                   "of the loss, from 0 to 1: attacked rows")
      ->type_name("SHARE")
      ->check(CLI::Range(0.0, 1.0))
      ->needs(attack);
  command->add_option("--epochs", options->epochs, "passes over the training part")
      ->type_name("N")
      ->check(CLI::Range(1, 10'000));
  command->add_option("--seed", options->seed, "of everything random: the same gives the same model")
      ->type_name("N");
  command->add_flag("--detach", options->detach, "do not wait for it; prints its run");
  command->add_flag("--json", options->json, "print the answer's JSON");
  command->footer(
      "The server works on it, whether this command waits or not; without a server this command does.\n"
      "Example: holdfast train credit --group sex --attack pgd");
  on_server(*command, invocation, action,
            [options](const ApiClient& client) { return train(*options, client); });
}

}  // namespace holdfast::cli
