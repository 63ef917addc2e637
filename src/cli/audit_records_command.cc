#include <fmt/format.h>

#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/answer.h"
#include "cli/server_command.h"

namespace holdfast::cli {
namespace {

struct Options {
  std::optional<std::uint64_t> from;
  std::optional<std::uint64_t> limit;
  bool json = false;
};

std::string text_of(const std::optional<std::uint64_t>& number) {
  return number ? fmt::to_string(*number) : std::string();
}

void show_records(const nlohmann::json& answer) {
  Table table({"INDEX", "AT", "WHO", "ACTION", "ON", "CAME TO"});
  for (const auto& record : items(answer, "records")) {
    const bool destroyed = field(record, "/body") == "destroyed";
    table.add({field(record, "/index"), destroyed ? "(destroyed)" : field(record, "/at"),
               field(record, "/actor"), field(record, "/action"), field(record, "/resource"),
               field(record, "/decision")});
  }
  print(table.text("no records"));
  const auto next = field(answer, "/next");
  const auto size = field(answer, "/size");
  if (!next.empty() && next != size) print(fmt::format("of {}; go on with --from {}\n", size, next));
}

}  // namespace

void add_audit_records_command(CLI::App& audit, const Invocation& invocation, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = audit.add_subcommand("records", "Read the log: who did what, on what, and what came of it");
  command->add_option("--from", options->from, "the index of the first record")->type_name("N");
  command->add_option("--limit", options->limit, "how many at most")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000'000));
  command->add_flag("--json", options->json, "print the answer's JSON");
  command->footer("Example: holdfast audit records --from 100 --limit 20");
  on_server(*command, invocation, action, [options](const ApiClient& client) -> base::Result<ExitCode> {
    HF_TRY(const auto response,
           client.get(with_query("/v1/audit/records",
                                 {{"from", text_of(options->from)}, {"limit", text_of(options->limit)}})));
    return print_answer(response, options->json, show_records);
  });
}

}  // namespace holdfast::cli
