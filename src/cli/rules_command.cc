#include <fmt/format.h>

#include <memory>
#include <span>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "inspect/finding.h"

namespace holdfast::cli {
namespace {

nlohmann::ordered_json to_json(const inspect::Rule& rule) {
  return {{"id", rule.id},         {"severity", to_string(rule.severity)},
          {"title", rule.title},   {"explanation", rule.explanation},
          {"remedy", rule.remedy}, {"practice", rule.practice},
          {"risk", rule.risk},     {"atlas", rule.atlas}};
}

std::string to_text(const inspect::Rule& rule) {
  return fmt::format("{} ({}): {}\n  {}\n  {}\n  practice {}, risk {}{}{}\n", rule.id,
                     to_string(rule.severity), rule.title, rule.explanation, rule.remedy, rule.practice,
                     rule.risk, rule.atlas.empty() ? "" : ", ", rule.atlas);
}

// docs/rules.md, of which a test says whether it is this program's.
std::string to_markdown(std::span<const inspect::Rule> rules) {
  std::string page =
      "# What inspection finds\n\nWritten by `holdfast rules --markdown`. Practices and risks are those of "
      "`holdfast posture`;\ntechniques are MITRE ATLAS's.\n";
  for (const auto& rule : rules) {
    page += fmt::format("\n## {}\n\n{}; {}; practice {}, risk {}{}{}\n\n{}\n\nWhat to do: {}\n", rule.id,
                        rule.title, to_string(rule.severity), rule.practice, rule.risk,
                        rule.atlas.empty() ? "" : ", ", rule.atlas, rule.explanation, rule.remedy);
  }
  return page;
}

struct Options {
  bool json = false;
  bool markdown = false;
};

}  // namespace

void add_rules_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand(
      "rules", "Print every rule that inspection can find against, or change what it judges by");
  auto* json = command->add_flag("--json", options->json, "print JSON");
  command->add_flag("--markdown", options->markdown, "print the page of the manual")->excludes(json);
  command->footer("Example: holdfast rules --json");
  command->callback([options, command, &action] {
    if (!command->get_subcommands().empty()) return;  // called after the subcommand's own
    action = [options]() -> base::Result<ExitCode> {
      const auto rules = inspect::all_rules();
      if (options->markdown) {
        print(to_markdown(rules));
        return ExitCode::kDone;
      }
      auto list = nlohmann::ordered_json::array();
      for (const auto& rule : rules) {
        if (options->json) {
          list.push_back(to_json(rule));
        } else {
          print(to_text(rule));
        }
      }
      if (options->json) print(list.dump(2) + "\n");
      return ExitCode::kDone;
    };
  });
}

}  // namespace holdfast::cli
