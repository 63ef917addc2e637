#include "inspect/tree_models.h"

#include <fmt/format.h>

#include <algorithm>

#include "formats/flatbuffer.h"
#include "formats/ubjson.h"
#include "inspect/tree_structure.h"

namespace holdfast::inspect {
namespace {

constexpr Rule kRules[] = {
    {.id = "pmml.document-type",
     .severity = Severity::kHigh,
     .title = "PMML with a document type or entities",
     .explanation = "A document type lets a parser of XML open files and addresses or expand without end "
                    "(CWE-611, CWE-776). PMML has none.",
     .remedy = "Refuse the file, or have it exported anew.",
     .practice = "P24",
     .risk = "R02",
     .atlas = "AML.T0011.000"},
    {.id = "trees.malformed",
     .severity = Severity::kMedium,
     .title = "Model of trees that breaks its format",
     .explanation = "The file contradicts itself: lengths beyond its end or parts that are missing, by which "
                    "native readers are attacked.",
     .remedy = "Have the model saved anew by the library that made it.",
     .practice = "P24",
     .risk = "R14",
     .atlas = ""},
};

Gaps malformed(const std::string& why, const std::string& path, Findings& findings) {
  findings.add("trees.malformed", path, std::nullopt, why);
  return {why};
}

void report_rest(std::uint64_t end, std::uint64_t size, const std::string& path, Findings& findings) {
  if (end >= size) return;
  findings.add("archive.hidden-data", path, end, fmt::format("{} bytes follow the model", size - end));
}

}  // namespace

Gaps inspect_xgboost_ubjson(const formats::Source& file, const std::string& path, Findings& findings) {
  const auto outline = formats::read_ubjson(file);
  if (!outline) return malformed(outline.error().message, path, findings);
  if (std::ranges::find(outline->members, "learner") == outline->members.end()) {
    return malformed("it is UBJSON, but no model of XGBoost: it has no learner", path, findings);
  }
  report_rest(outline->size, file.size(), path, findings);
  if (outline->size > kMaxTreeModelBytes) {
    return {fmt::format("the trees of an XGBoost model beyond {} MiB are not followed",
                        kMaxTreeModelBytes >> 20)};
  }
  const auto bytes = formats::read_exactly(file, 0, static_cast<std::size_t>(outline->size));
  if (!bytes) return {bytes.error().message};
  if (const auto checked = check_xgboost_ubjson(*bytes); !checked)
    findings.add("trees.malformed", path, std::nullopt, checked.error().message);
  return {};
}

Gaps inspect_catboost(const formats::Source& file, const std::string& path, Findings& findings) {
  constexpr std::uint64_t kHeadBytes = 8;
  const auto head = formats::read_exactly(file, 0, kHeadBytes);
  if (!head) return malformed(head.error().message, path, findings);
  const auto size = base::load_le<std::uint32_t>(base::ByteView(*head).subspan(4));
  const auto core = formats::RangeSource::create(file, kHeadBytes, size);
  if (!core) return malformed("the model is longer than the file", path, findings);
  const auto root = formats::FlatReader(*core).root();
  if (!root) return malformed(root.error().message, path, findings);
  // Parts of a model that has text features or embeddings follow, which only CatBoost itself can read.
  if (kHeadBytes + size < file.size()) {
    return {fmt::format("{} bytes behind the trees of the CatBoost model can't be inspected",
                        file.size() - kHeadBytes - size)};
  }
  return {};
}

Gaps inspect_tree_text(std::string_view beginning, const formats::Source& file, const std::string& path,
                       Findings& findings) {
  const bool xgboost = is_xgboost_json(beginning);
  if (!xgboost && !is_lightgbm_text(beginning)) return {};
  if (file.size() > kMaxTreeModelBytes) {
    return {fmt::format("the trees of a model beyond {} MiB are not followed", kMaxTreeModelBytes >> 20)};
  }
  const auto text = formats::read_exactly(file, 0, static_cast<std::size_t>(file.size()));
  if (!text) return {text.error().message};
  const auto checked =
      xgboost ? check_xgboost_json(base::as_text(*text)) : check_lightgbm_text(base::as_text(*text));
  if (!checked) findings.add("trees.malformed", path, std::nullopt, checked.error().message);
  return {};
}

void inspect_pmml(std::string_view beginning, const std::string& path, Findings& findings) {
  if (beginning.find("<PMML") == std::string_view::npos) return;
  for (const std::string_view mark : {"<!DOCTYPE", "<!ENTITY"}) {
    const std::size_t at = beginning.find(mark);
    if (at == std::string_view::npos) continue;
    findings.add("pmml.document-type", path, at, fmt::format("it has {}", mark));
  }
}

std::span<const Rule> tree_model_rules() { return kRules; }

}  // namespace holdfast::inspect
