#include "cli/gate_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "cli/answer.h"
#include "cli/api_client.h"

namespace holdfast::cli {

std::optional<nlohmann::json> refusal_in(const ApiResponse& response, std::string_view verdict) {
  auto answer = base::parse_json(response.body);
  if (!answer || !answer->is_object()) return std::nullopt;
  const auto found = answer->find(verdict);
  if (found == answer->end() || !found->is_boolean() || found->get<bool>()) return std::nullopt;
  return *std::move(answer);
}

namespace {

// A version that passes by a waiver alone fell short all the same, and the first line says so.
std::string verdict(const nlohmann::json& decision, bool passed) {
  if (!passed) return "the gates refuse\n";
  std::string waived;
  for (const auto& waiver : items(decision, "waivers"))
    waived += fmt::format("{}{}", waived.empty() ? "" : ", ", field(waiver, "/requirement"));
  if (waived.empty()) return "the gates pass\n";
  return fmt::format("the gates refuse, but for what is waived: {}\n", waived);
}

}  // namespace

ExitCode show_gate(const nlohmann::json& decision) {
  const bool passed = field(decision, "/passed") == "true";
  print(verdict(decision, passed));
  for (const auto& requirement : items(decision, "requirements")) {
    print(fmt::format("  {}: {}\n", field(requirement, "/id"), field(requirement, "/sentence")));
    const auto remedy = field(requirement, "/remedy");
    if (field(requirement, "/outcome") != "passed" && !remedy.empty())
      print(fmt::format("    do: {}\n", remedy));
  }
  for (const auto& waiver : items(decision, "waivers")) {
    print(fmt::format("  waived: {} by {} until {}, since {}\n", field(waiver, "/requirement"),
                      field(waiver, "/granted_by"), field(waiver, "/expires_at"), field(waiver, "/reason")));
  }
  if (const auto looks = field(decision, "/looks_at_test_part"); !looks.empty())
    print(fmt::format("looks at the test part so far: {}\n", looks));
  return passed ? ExitCode::kDone : ExitCode::kRefused;
}

base::Result<ExitCode> print_decision(const ApiResponse& response, bool as_json) {
  auto decision = refusal_in(response, "passed");
  if (!decision) {
    HF_TRY(decision, accepted(response));
  }
  if (!as_json) return show_gate(*decision);
  print_as_it_came(response);
  return field(*decision, "/passed") == "true" ? ExitCode::kDone : ExitCode::kRefused;
}

}  // namespace holdfast::cli
