#include "inspect/report.h"

#include <fmt/format.h>

#include <algorithm>

#include <nlohmann/json.hpp>

namespace holdfast::inspect {
namespace {

constexpr Severity kSeverities[] = {Severity::kCritical, Severity::kHigh, Severity::kMedium, Severity::kLow,
                                    Severity::kInfo};

std::string count_of(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

// Bytes, at the start of `text`, of a character that is not seen or turns what follows: the controls of ISO
// 6429's second set (U+0080 on), marks of direction and of no width (U+200B to U+200F, U+2028 to U+202E,
// U+2060 to U+206F), U+FEFF. 0 for any other.
std::size_t unseen_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto between = [](unsigned value, unsigned low, unsigned high) {
    return value >= low && value <= high;
  };
  if (byte(0) == 0xC2) return between(byte(1), 0x80, 0x9F) ? 2 : 0;
  if (byte(0) == 0xEF) return byte(1) == 0xBB && byte(2) == 0xBF ? 3 : 0;
  if (byte(0) != 0xE2) return 0;
  const bool marks = byte(1) == 0x80 && (between(byte(2), 0x8B, 0x8F) || between(byte(2), 0xA8, 0xAE));
  return marks || (byte(1) == 0x81 && between(byte(2), 0xA0, 0xAF)) ? 3 : 0;
}

// Text from a hostile file must not drive the reader's terminal, nor show in another order than it is
// written.
std::string printable(std::string_view text, std::string_view allowed = "") {
  std::string safe;
  std::size_t unseen = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    if (unseen == 0) unseen = unseen_character(text.substr(i));
    if (unseen > 0) {
      safe += fmt::format("\\x{:02x}", byte);
      --unseen;
    } else if ((byte < 0x20 || byte == 0x7F) && allowed.find(c) == std::string_view::npos) {
      safe += fmt::format("\\x{:02x}", byte);
    } else {
      safe.push_back(c);
    }
  }
  return safe;
}

std::string_view colour_of(Severity severity) {
  if (severity >= Severity::kHigh) return "\x1b[31m";
  return severity == Severity::kMedium ? "\x1b[33m" : "\x1b[36m";
}

// " by rules 2026112300 of 2026-11-23"
std::string by_rules(const RuleSetName& rules) {
  if (rules.version == 0) return {};
  constexpr std::size_t kDay = 10;
  return fmt::format(" by rules {} of {}", rules.version, rules.issued_at.text().substr(0, kDay));
}

nlohmann::ordered_json json_of(const RuleSetName& rules) {
  nlohmann::ordered_json object{
      {"version", rules.version}, {"issued_at", rules.issued_at.text()}, {"signer", nullptr}};
  if (!rules.signer.empty()) object["signer"] = rules.signer;
  return object;
}

std::string text_of(const Report& report, const Finding& finding, bool colour) {
  std::string name(to_string(finding.severity));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return static_cast<char>(c - 'a' + 'A'); });
  if (colour) name = fmt::format("{}{}\x1b[0m", colour_of(finding.severity), name);
  auto text = fmt::format("  {} {}: {}\n", name, finding.rule_id, printable(finding.message));
  if (finding.offset) {
    text += fmt::format("    in {} at byte {}\n", printable(finding.path), *finding.offset);
  } else {
    text += fmt::format("    in {}\n", printable(finding.path));
  }
  if (const auto rule = report.rule(finding.rule_id)) {
    text += fmt::format("    why: {}\n    do:  {}\n", rule->explanation, rule->remedy);
  }
  return text;
}

nlohmann::ordered_json json_of(const Report& report, const Finding& finding) {
  nlohmann::ordered_json object{{"rule", finding.rule_id},    {"severity", to_string(finding.severity)},
                                {"path", finding.path},       {"offset", nullptr},
                                {"message", finding.message}, {"fingerprint", fingerprint(finding)}};
  if (finding.offset) object["offset"] = *finding.offset;
  if (const auto rule = report.rule(finding.rule_id)) {
    object["title"] = rule->title;
    object["explanation"] = rule->explanation;
    object["remedy"] = rule->remedy;
    object["practice"] = rule->practice;
    object["risk"] = rule->risk;
    object["atlas"] = rule->atlas;
  }
  return object;
}

nlohmann::ordered_json json_of(const Report& report, const Dismissed& dismissed) {
  auto object = json_of(report, dismissed.finding);
  object["dismissed"] = {{"reason", dismissed.dismissal.reason},
                         {"reviewer", dismissed.dismissal.reviewer},
                         {"expires", dismissed.dismissal.expires.text()}};
  return object;
}

nlohmann::ordered_json counts_of(const Report& report) {
  nlohmann::ordered_json counts;
  for (const auto severity : kSeverities) {
    std::size_t count = 0;
    for (const auto& file : report.files) {
      count +=
          static_cast<std::size_t>(std::count_if(file.findings.begin(), file.findings.end(),
                                                 [&](const Finding& f) { return f.severity == severity; }));
    }
    counts[std::string(to_string(severity))] = count;
  }
  return counts;
}

}  // namespace

std::size_t Report::count_at_least(Severity severity) const {
  std::size_t count = 0;
  for (const auto& file : files) {
    count +=
        static_cast<std::size_t>(std::count_if(file.findings.begin(), file.findings.end(),
                                               [&](const Finding& f) { return f.severity >= severity; }));
  }
  return count;
}

std::optional<Rule> Report::rule(std::string_view id) const {
  const Rule* own = find_rule(id);
  if (own == nullptr) return std::nullopt;
  Rule told = *own;
  if (const auto text = rule_texts.find(id); text != rule_texts.end()) {
    if (!text->second.explanation.empty()) told.explanation = text->second.explanation;
    if (!text->second.remedy.empty()) told.remedy = text->second.remedy;
  }
  return told;
}

bool Report::complete() const {
  return std::all_of(files.begin(), files.end(), [](const FileReport& f) { return f.not_looked_at.empty(); });
}

Outcome judge(const Report& report, Severity fail_on) {
  if (report.count_at_least(fail_on) > 0) return Outcome::kFindings;
  return report.complete() ? Outcome::kClean : Outcome::kCouldNotLook;
}

std::string to_text(const Report& report, bool colour) {
  std::string text;
  std::size_t findings = 0;
  std::size_t dismissed = 0;
  std::size_t gaps = 0;
  for (const auto& file : report.files) {
    const bool quiet = file.findings.empty() && file.dismissed.empty() && file.not_looked_at.empty();
    text += fmt::format("{}: {}{}\n", printable(file.path), file.format.empty() ? "unknown" : file.format,
                        quiet ? ", nothing found" : "");
    for (const auto& finding : file.findings) text += text_of(report, finding, colour);
    for (const auto& [finding, dismissal] : file.dismissed) {
      text += fmt::format("  set aside until {} by {}: {}: {}\n    because: {}\n", dismissal.expires.text(),
                          printable(dismissal.reviewer), finding.rule_id, printable(finding.message),
                          printable(dismissal.reason));
    }
    for (const auto& gap : file.not_looked_at) text += fmt::format("  NOT LOOKED AT: {}\n", printable(gap));
    for (const auto& program : file.programs) {
      text += fmt::format("  {} would run:\n{}\n", printable(program.path), printable(program.text, "\n"));
    }
    if (file.findings_dropped > 0) {
      text += fmt::format("  and {} more, not listed\n", count_of(file.findings_dropped, "finding"));
    }
    findings += file.findings.size() + file.findings_dropped;
    dismissed += file.dismissed.size();
    if (!file.not_looked_at.empty()) ++gaps;
  }
  text += fmt::format("{} inspected{}, {}", count_of(report.files.size(), "file"), by_rules(report.rules),
                      count_of(findings, "finding"));
  if (dismissed > 0) text += fmt::format(", {} set aside", dismissed);
  if (gaps > 0) text += fmt::format(", {} not wholly looked at", gaps);
  return text + "\n";
}

std::string to_json(const Report& report) {
  nlohmann::ordered_json files = nlohmann::ordered_json::array();
  for (const auto& file : report.files) {
    nlohmann::ordered_json findings = nlohmann::ordered_json::array();
    for (const auto& finding : file.findings) findings.push_back(json_of(report, finding));
    auto dismissed = nlohmann::ordered_json::array();
    for (const auto& one : file.dismissed) dismissed.push_back(json_of(report, one));
    files.push_back({{"path", file.path},
                     {"format", file.format},
                     {"size_bytes", file.size_bytes},
                     {"complete", file.not_looked_at.empty()},
                     {"not_looked_at", file.not_looked_at},
                     {"findings", std::move(findings)},
                     {"findings_dropped", file.findings_dropped},
                     {"dismissed", std::move(dismissed)}});
    for (const auto& program : file.programs) {
      files.back()["programs"].push_back({{"path", program.path}, {"text", program.text}});
    }
  }
  nlohmann::ordered_json whole{
      {"summary",
       {{"files", report.files.size()}, {"complete", report.complete()}, {"findings", counts_of(report)}}},
      {"files", std::move(files)}};
  if (report.rules.version != 0) whole["summary"]["rules"] = json_of(report.rules);
  return whole.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace holdfast::inspect
