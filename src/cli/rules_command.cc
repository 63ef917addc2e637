#include <fmt/format.h>

#include <memory>

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

}  // namespace

void add_rules_command(CLI::App& app, Action& action) {
  auto as_json = std::make_shared<bool>(false);
  auto* command = app.add_subcommand("rules", "Print every rule that inspection can find against");
  command->add_flag("--json", *as_json, "print JSON");
  command->footer("Example: holdfast rules --json");
  command->callback([as_json, &action] {
    action = [as_json]() -> base::Result<ExitCode> {
      auto list = nlohmann::ordered_json::array();
      for (const auto& rule : inspect::all_rules()) {
        if (*as_json) {
          list.push_back(to_json(rule));
        } else {
          print(to_text(rule));
        }
      }
      if (*as_json) print(list.dump(2) + "\n");
      return ExitCode::kDone;
    };
  });
}

}  // namespace holdfast::cli
