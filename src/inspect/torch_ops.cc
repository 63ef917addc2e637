#include "inspect/torch_ops.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/assert.h"
#include "formats/anomaly.h"
#include "inspect/rule_lists.h"

namespace holdfast::inspect {
namespace {

constexpr Rule kRules[] = {
    {.id = "torch.custom-operation",
     .severity = Severity::kMedium,
     .title = "Operation that PyTorch does not have",
     .explanation = "A custom operation or class needs a library of native code, or Python that registers "
                    "it, which inspection of the model can't see.",
     .remedy = "Export the model with PyTorch's own operations, or review and sign that library.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "torch.export-call",
     .severity = Severity::kCritical,
     .title = "Exported program that calls into Python",
     .explanation = "A node of the program names its function, and the loader looks it up wherever the name "
                    "leads from torch, math or operator: this one leads to no operation.",
     .remedy = "Don't load it. Report it to where it came from.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "torch.export-expression",
     .severity = Severity::kCritical,
     .title = "Exported program with code for an expression",
     .explanation = "Sizes and guards are written as expressions that the loader runs as Python. This one "
                    "holds more than the arithmetic and symbols that torch.export writes.",
     .remedy = "Don't load it. Report it to where it came from.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "torch.export-import",
     .severity = Severity::kHigh,
     .title = "Exported program that imports a module",
     .explanation = "The description of its inputs or outputs names a module that the loader imports, and "
                    "so runs, before anything is computed.",
     .remedy = "Have the model exported with inputs that are plain tensors, lists and dictionaries.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "torch.file-access",
     .severity = Severity::kHigh,
     .title = "PyTorch program that reads or writes files",
     .explanation = "The program opens a file by a name that it gives itself, with the rights of whoever "
                    "runs it.",
     .remedy = "Ask for the model without it. Computing an answer needs no files.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "torch.malformed",
     .severity = Severity::kMedium,
     .title = "PyTorch program that breaks its format",
     .explanation = "It can't be read as what it begins like, so what a loader would make of it is not "
                    "known.",
     .remedy = "Have the model exported again.",
     .practice = "P24",
     .risk = "R14",
     .atlas = ""},
    {.id = "torch.memory-access",
     .severity = Severity::kHigh,
     .title = "PyTorch program that reaches memory without bounds",
     .explanation =
         "The operation views or writes memory by sizes and offsets that nothing checks; compilers "
         "put it into their own output, never into a model that is passed on.",
     .remedy = "Refuse the model.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "torch.native-code",
     .severity = Severity::kHigh,
     .title = "PyTorch program that hands over to code outside of its graph",
     .explanation =
         "The operation runs a kernel or a delegate that the graph only names; inspection can't see "
         "what it does.",
     .remedy = "Ask for the model before it was compiled for a device.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "torch.network-access",
     .severity = Severity::kHigh,
     .title = "PyTorch program that speaks to other processes",
     .explanation = "The operation sends tensors or calls to other processes or hosts while the model runs.",
     .remedy = "Ask for the model of one process.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "torch.python-call",
     .severity = Severity::kHigh,
     .title = "PyTorch program that calls back into Python",
     .explanation = "The operation runs a Python function of the process that serves the model.",
     .remedy = "Have the step written with PyTorch's operations.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "torch.script-code",
     .severity = Severity::kMedium,
     .title = "TorchScript code that can't be followed",
     .explanation =
         "The archive holds code that PyTorch compiles and runs. This part of it is not written as "
         "torch.jit.save writes it, so what it calls is not known.",
     .remedy = "Ask for the weights alone (a state_dict or safetensors), or review the files under code/.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
};

std::optional<TorchReach> reach_of_kind(std::string_view kind) {
  if (kind == "file") return TorchReach::kFile;
  if (kind == "network") return TorchReach::kNetwork;
  if (kind == "python") return TorchReach::kPython;
  if (kind == "memory") return TorchReach::kMemory;
  if (kind == "native") return TorchReach::kNative;
  return std::nullopt;
}

using Reaches = std::unordered_map<std::string_view, TorchReach>;

const Reaches& reaches() {
  static const Reaches made = [] {
    Reaches all;
    for (const std::string_view line : rule_lines(RuleList::kTorchOps)) {
      const std::size_t space = line.find(' ');
      if (space == std::string_view::npos) {
        all.emplace(line, TorchReach::kNothing);  // what is named by hand comes first and stays
      } else {
        const auto reach = reach_of_kind(line.substr(0, space));
        HF_ASSERT(reach.has_value());  // check_rule_list saw to it
        all.emplace(line.substr(space + 1), *reach);
      }
    }
    return all;
  }();
  return made;
}

std::string_view rule_of(TorchReach reach) {
  switch (reach) {
    case TorchReach::kNothing:
      return {};
    case TorchReach::kFile:
      return "torch.file-access";
    case TorchReach::kNetwork:
      return "torch.network-access";
    case TorchReach::kPython:
      return "torch.python-call";
    case TorchReach::kMemory:
      return "torch.memory-access";
    case TorchReach::kNative:
      return "torch.native-code";
    case TorchReach::kUnknown:
      return "torch.custom-operation";
  }
  return {};
}

// Namespaces whose classes hold packed weights or streams (aten/src/ATen/native/quantized, .../mkldnn,
// .../rnn; torch/csrc/jit/cuda).
constexpr std::array<std::string_view, 8> kClassNamespaces = {"quantized", "sparse", "rnn",    "mkldnn",
                                                              "xnnpack",   "cuda",   "vulkan", "metal"};

}  // namespace

bool is_torch_kind(std::string_view word) { return reach_of_kind(word).has_value(); }

TorchReach torch_reach(std::string_view operation) {
  const std::size_t colons = operation.find("::");
  if (colons == std::string_view::npos) return TorchReach::kUnknown;
  if (const auto all = reaches().find(operation.substr(0, colons + 2)); all != reaches().end()) {
    return all->second;
  }
  const auto found = reaches().find(operation);
  return found == reaches().end() ? TorchReach::kUnknown : found->second;
}

void report_torch_operation(TorchReach reach, std::string_view operation, const std::string& path,
                            std::optional<std::uint64_t> offset, Findings& findings) {
  const std::string_view rule = rule_of(reach);
  if (rule.empty()) return;
  findings.add(rule, path, offset, fmt::format("it uses the operation {}", formats::quote(operation)));
}

bool is_torch_class(std::string_view name) {
  const std::string_view space = name.substr(0, name.find('.'));
  return space.size() < name.size() && std::ranges::find(kClassNamespaces, space) != kClassNamespaces.end();
}

std::span<const Rule> torch_rules() { return kRules; }

}  // namespace holdfast::inspect
