#include "intake/inspect_wire.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace holdfast::intake {
namespace {

using base::ErrorCode;
using base::fail;
using nlohmann::json;

// By Verb.
constexpr std::array<std::string_view, 3> kVerbs = {"inspect", "describe", "survey"};

constexpr std::size_t kMaxGaps = 10'000;
constexpr std::size_t kMaxPathBytes = 64UL << 10;

std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

tl::unexpected<base::Error> malformed() {
  return fail(ErrorCode::kDataCorrupt, "the worker gave an answer that makes no sense");
}

base::Result<json> parse_object(base::ByteView frame) {
  auto value = base::parse_json(base::as_text(frame));
  if (!value || !value->is_object()) return malformed();
  return value;
}

bool has_text(const json& object, const char* name, std::size_t max_bytes = kMaxPathBytes) {
  return object.contains(name) && object.at(name).is_string() &&
         object.at(name).get_ref<const std::string&>().size() <= max_bytes;
}

bool is_about(const json& object, const std::string& path) {
  const auto& named = object.at("path").get_ref<const std::string&>();
  return named == path || named.starts_with(path + "!");
}

base::Result<inspect::Finding> finding_of(const json& object, const std::string& path) {
  if (!has_text(object, "rule") || !has_text(object, "severity") || !has_text(object, "path") ||
      !has_text(object, "message") || object.size() > 6) {
    return malformed();
  }
  inspect::Finding finding{.rule_id = object["rule"],
                           .severity = inspect::Severity::kInfo,
                           .path = object["path"],
                           .offset = std::nullopt,
                           .message = object["message"]};
  const auto severity = inspect::parse_severity(object["severity"].get_ref<const std::string&>());
  if (!severity || !is_about(object, path) || inspect::find_rule(finding.rule_id) == nullptr)
    return malformed();
  finding.severity = *severity;
  if (object.contains("offset")) {
    if (!object["offset"].is_number_unsigned()) return malformed();
    finding.offset = object["offset"];
  }
  return finding;
}

base::Result<inspect::Program> program_of(const json& object, const std::string& path) {
  // The explainer may go over its bound by the line that it was at.
  constexpr std::size_t kMaxTextBytes = 2 * inspect::kMaxProgramBytes;
  if (!has_text(object, "path") || !has_text(object, "text", kMaxTextBytes) || !is_about(object, path)) {
    return malformed();
  }
  return inspect::Program{.path = object["path"], .text = object["text"]};
}

base::Result<inspect::Reference> reference_of(const json& object) {
  if (!has_text(object, "location") || !has_text(object, "what") || !object.contains("end") ||
      !object["end"].is_number_unsigned() || !object.contains("numbers") || !object["numbers"].is_boolean()) {
    return malformed();
  }
  inspect::Reference reference{.location = object["location"],
                               .what = object["what"],
                               .end = object["end"],
                               .numbers = object["numbers"]};
  if (!inspect::escape_of(reference.location).empty()) return malformed();
  return reference;
}

base::Result<InspectDone> done_of(const json& object) {
  if (!has_text(object, "format") || !object.contains("gaps") || !object["gaps"].is_array() ||
      object["gaps"].size() > kMaxGaps || !object.contains("dropped") ||
      !object["dropped"].is_number_unsigned()) {
    return malformed();
  }
  InspectDone done{.coverage = {.format = object["format"], .not_looked_at = {}, .programs = {}},
                   .findings_dropped = object["dropped"]};
  for (const auto& gap : object["gaps"]) {
    if (!gap.is_string()) return malformed();
    done.coverage.not_looked_at.push_back(gap);
  }
  return done;
}

}  // namespace

std::string encode(const InspectRequest& request) {
  return dump({{"do", kVerbs[static_cast<std::size_t>(request.verb)]},
               {"path", request.path},
               {"explain", request.explain},
               {"weights", request.weights}});
}

base::Result<InspectRequest> decode_request(base::ByteView frame) {
  HF_TRY(const json object, parse_object(frame));
  if (!has_text(object, "path") || !has_text(object, "do") || !object.contains("explain") ||
      !object["explain"].is_boolean() || !object.contains("weights") || !object["weights"].is_boolean()) {
    return malformed();
  }
  const auto verb = std::ranges::find(kVerbs, object["do"].get_ref<const std::string&>());
  if (verb == kVerbs.end()) return malformed();
  return InspectRequest{.path = object["path"],
                        .explain = object["explain"],
                        .weights = object["weights"],
                        .verb = static_cast<Verb>(verb - kVerbs.begin())};
}

std::string encode(const inspect::Finding& finding) {
  json object{{"is", "finding"},
              {"rule", finding.rule_id},
              {"severity", to_string(finding.severity)},
              {"path", finding.path},
              {"message", finding.message}};
  if (finding.offset) object["offset"] = *finding.offset;
  return dump(object);
}

std::string encode(const inspect::Program& program) {
  return dump({{"is", "program"}, {"path", program.path}, {"text", program.text}});
}

std::string encode(const inspect::Reference& reference) {
  return dump({{"is", "reference"},
               {"location", reference.location},
               {"what", reference.what},
               {"end", reference.end},
               {"numbers", reference.numbers}});
}

std::string encode(const InspectDone& done) {
  return dump({{"is", "done"},
               {"format", done.coverage.format},
               {"gaps", done.coverage.not_looked_at},
               {"dropped", done.findings_dropped}});
}

base::Result<InspectAnswer> decode_answer(base::ByteView frame, const std::string& path) {
  HF_TRY(const json object, parse_object(frame));
  if (!has_text(object, "is")) return malformed();
  if (object["is"] == "finding") {
    HF_TRY(auto finding, finding_of(object, path));
    return finding;
  }
  if (object["is"] == "program") {
    HF_TRY(auto program, program_of(object, path));
    return program;
  }
  if (object["is"] == "reference") {
    HF_TRY(auto reference, reference_of(object));
    return reference;
  }
  if (object["is"] == "done") {
    HF_TRY(auto done, done_of(object));
    return done;
  }
  return malformed();
}

}  // namespace holdfast::intake
