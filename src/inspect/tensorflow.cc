#include "inspect/tensorflow.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/assert.h"
#include "formats/anomaly.h"
#include "formats/entry_names.h"
#include "formats/tensorflow.h"
#include "formats/tflite.h"
#include "inspect/keras.h"
#include "inspect/rule_lists.h"

namespace holdfast::inspect {
namespace {

using formats::quote;

constexpr Rule kRules[] = {
    {.id = "tensorflow.asset-escape",
     .severity = Severity::kHigh,
     .title = "Asset outside of the model's folder",
     .explanation =
         "The model names a file of its assets by a path that leads elsewhere, and its loader opens "
         "it.",
     .remedy = "Refuse the model. TensorFlow writes the names of files in assets/.",
     .practice = "P24",
     .risk = "R02",
     .atlas = "AML.T0011.000"},
    {.id = "tensorflow.custom-operation",
     .severity = Severity::kMedium,
     .title = "Operation that TensorFlow does not have",
     .explanation = "A custom operation needs a library of native code to run, which inspection of the model "
                    "can't see.",
     .remedy = "Export the model with TensorFlow's own operations, or review and sign that library.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "tensorflow.file-access",
     .severity = Severity::kHigh,
     .title = "Graph that reads or writes files",
     .explanation = "A graph is a program: this operation opens files by names that the graph itself gives, "
                    "each time it runs, with the rights of the server.",
     .remedy = "Ask for the model without it. Computing an answer needs no files.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "tensorflow.malformed",
     .severity = Severity::kMedium,
     .title = "TensorFlow file that breaks its format",
     .explanation = "It can't be read as the message that it begins like, or refers to what is not there.",
     .remedy = "Have the model exported again.",
     .practice = "P24",
     .risk = "R14",
     .atlas = ""},
    {.id = "tensorflow.network-access",
     .severity = Severity::kHigh,
     .title = "Graph that speaks to other hosts",
     .explanation =
         "The operation opens connections while the model runs, by addresses that the graph gives.",
     .remedy = "Ask for the model without it.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "tensorflow.python-call",
     .severity = Severity::kHigh,
     .title = "Graph that calls back into Python",
     .explanation = "The operation runs a Python function of the process that serves the model; which one is "
                    "chosen by a token in the graph.",
     .remedy = "Have the step written with TensorFlow's operations.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
};

using Reaches = std::map<std::string_view, TensorflowReach>;

struct Kind {
  std::string_view name;
  TensorflowReach reach;
};
constexpr std::array<Kind, 6> kKinds{{{"python", TensorflowReach::kPython},
                                      {"file", TensorflowReach::kFile},
                                      {"network", TensorflowReach::kNetwork},
                                      {"checkpoint", TensorflowReach::kCheckpoint},
                                      {"asset", TensorflowReach::kAsset},
                                      {"print", TensorflowReach::kPrint}}};

TensorflowReach reach_of_kind(std::string_view kind) {
  const auto found = std::ranges::find(kKinds, kind, &Kind::name);
  HF_ASSERT(found != kKinds.end());
  return found->reach;
}

const Reaches& reaches() {
  static const Reaches made = [] {
    Reaches all;
    for (const std::string_view line : rule_lines(RuleList::kTensorflowOps)) {
      const std::size_t space = line.find(' ');
      if (space == std::string_view::npos) {
        all.emplace(line, TensorflowReach::kNothing);
      } else {
        all.insert_or_assign(line.substr(space + 1), reach_of_kind(line.substr(0, space)));
      }
    }
    return all;
  }();
  return made;
}

// Whether a checkpoint is read or written where TensorFlow's own saver does it: in the functions that it
// traces, or, before TensorFlow 2, in nodes below "save".
bool is_savers(const std::string& function, const formats::TensorflowUse& use,
               const formats::TensorflowGraph& graph) {
  if (graph.saver_nodes.empty()) return false;
  if (function.empty()) return use.node.starts_with("save");
  return function.find("_traced_save") != std::string::npos ||
         function.find("_traced_restore") != std::string::npos;
}

class Judge {
 public:
  Judge(const std::string& path, Findings& findings) : path_(path), findings_(findings) {}

  void look_at(const formats::TensorflowGraph& graph, bool saved_model) {
    for (const auto& [where, use] : graph.uses) {
      const auto& [function, op] = where;
      if (graph.functions.contains(op)) continue;
      const TensorflowReach reach = tensorflow_reach(op);
      if (reach == TensorflowReach::kCheckpoint && is_savers(function, use, graph)) continue;
      if (reach == TensorflowReach::kAsset && saved_model) continue;
      judge(reach, op, function, use);
    }
    for (const auto& asset : graph.assets) judge_asset(asset);
  }

 private:
  void judge(TensorflowReach reach, const std::string& op, const std::string& function,
             const formats::TensorflowUse& use) {
    const std::string_view rule = rule_of(reach);
    if (rule.empty()) return;
    const bool known = reach != TensorflowReach::kUnknown;
    findings_.add(
        rule, path_, use.offset,
        fmt::format("the node {}{} is {}the operation {}{}", quote(use.node),
                    function.empty() ? "" : " of the function " + quote(function), known ? "" : "of ",
                    quote(op), use.count > 1 ? fmt::format(", one of {}", use.count) : ""));
  }

  static std::string_view rule_of(TensorflowReach reach) {
    switch (reach) {
      case TensorflowReach::kNothing:
      case TensorflowReach::kPrint:  // to the standard error
        return {};
      case TensorflowReach::kPython:
        return "tensorflow.python-call";
      case TensorflowReach::kNetwork:
        return "tensorflow.network-access";
      case TensorflowReach::kFile:
      case TensorflowReach::kCheckpoint:
      case TensorflowReach::kAsset:
        return "tensorflow.file-access";
      case TensorflowReach::kUnknown:
        return "tensorflow.custom-operation";
    }
    return {};
  }

  void judge_asset(const std::string& asset) {
    formats::Anomalies anomalies;
    formats::report_entry_name(asset, 0, anomalies);
    if (anomalies.items().empty()) return;
    findings_.add("tensorflow.asset-escape", path_, std::nullopt,
                  fmt::format("an asset lies at {}", quote(asset)));
  }

  const std::string& path_;
  Findings& findings_;
};

base::Result<formats::TensorflowGraph> read(formats::Format format, const formats::Source& file) {
  if (format == formats::Format::kSavedModel) return formats::read_saved_model(file);
  if (format == formats::Format::kGraphDef) return formats::read_graph_def(file);
  return formats::read_keras_metadata(file);
}

}  // namespace

bool is_tensorflow_kind(std::string_view word) {
  return std::ranges::find(kKinds, word, &Kind::name) != kKinds.end();
}

TensorflowReach tensorflow_reach(std::string_view operation) {
  const auto found = reaches().find(operation);
  return found == reaches().end() ? TensorflowReach::kUnknown : found->second;
}

Gaps inspect_tensorflow(formats::Format format, const formats::Source& file, const std::string& path,
                        Findings& findings) {
  const auto graph = read(format, file);
  if (!graph) {
    findings.add("tensorflow.malformed", path, std::nullopt, graph.error().message);
    return {graph.error().message};
  }
  Judge(path, findings).look_at(*graph, format == formats::Format::kSavedModel);
  Gaps gaps;
  for (const auto& description : graph->keras) {
    for (auto& gap : inspect_keras_config(description, path, findings)) gaps.push_back(std::move(gap));
  }
  return gaps;
}

Gaps inspect_tflite(const formats::Source& file, const std::string& path, Findings& findings) {
  constexpr std::string_view kFlex = "Flex";
  const auto model = formats::read_tflite(file);
  if (!model) {
    findings.add("tensorflow.malformed", path, std::nullopt, model.error().message);
    return {model.error().message};
  }
  for (const auto& one : model->operators) {
    if (one.builtin != formats::TfliteModel::kCustom) continue;
    std::string_view rule = "tensorflow.custom-operation";
    if (one.custom.starts_with(kFlex)) {
      const TensorflowReach reach = tensorflow_reach(std::string_view(one.custom).substr(kFlex.size()));
      if (reach == TensorflowReach::kNothing || reach == TensorflowReach::kPrint) continue;
      if (reach == TensorflowReach::kPython) {
        rule = "tensorflow.python-call";
      } else if (reach == TensorflowReach::kNetwork) {
        rule = "tensorflow.network-access";
      } else if (reach != TensorflowReach::kUnknown) {
        rule = "tensorflow.file-access";
      }
    }
    findings.add(rule, path, std::nullopt, fmt::format("it has the operator {}", quote(one.custom)));
  }
  return {};
}

std::span<const Rule> tensorflow_rules() { return kRules; }

}  // namespace holdfast::inspect
