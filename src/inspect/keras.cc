#include "inspect/keras.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "formats/anomaly.h"
#include "formats/hdf5.h"
#include "inspect/rule_lists.h"

namespace holdfast::inspect {
namespace {

using formats::quote;
using nlohmann::json;

constexpr base::JsonLimits kLimits{.max_bytes = 32UL << 20, .max_depth = 400};

// Modules of Python that a configuration names for what they do, not for what a model is.
constexpr std::array<std::string_view, 27> kDangerousModules{
    "asyncio", "bdb",   "builtins", "code",    "commands", "ctypes",     "dill", "importlib", "io",
    "marshal", "nt",    "os",       "pathlib", "pdb",      "pickle",     "pip",  "platform",  "posix",
    "pty",     "pydoc", "runpy",    "shutil",  "socket",   "subprocess", "sys",  "timeit",    "webbrowser"};
// Of Keras itself: what loads code, models or files (CVE-2025-1550, CVE-2025-8747, CVE-2025-9906).
constexpr std::array<std::string_view, 15> kDangerousNames{"enable_unsafe_deserialization",
                                                           "get_file",
                                                           "load_model",
                                                           "load_weights",
                                                           "model_from_json",
                                                           "exec",
                                                           "eval",
                                                           "deserialize_keras_object",
                                                           "TorchModuleWrapper",
                                                           "TFSMLayer",
                                                           "JaxLayer",
                                                           "FlaxLayer",
                                                           "func_load",
                                                           "run_path",
                                                           "import_module"};
// Kinds of values that Keras writes as objects.
constexpr std::array<std::string_view, 8> kValueKinds{"__keras_tensor__", "__tensor__",   "__numpy__",
                                                      "__bytes__",        "__ellipsis__", "__slice__",
                                                      "__tuple__",        "__typespec__"};
// Members that a layer opens as files.
constexpr std::array<std::string_view, 5> kPathMembers{"vocabulary", "idf_weights", "filepath", "fname",
                                                       "origin"};

template <typename Names>
bool is_one_of(std::string_view name, const Names& names) {
  return std::ranges::find(names, name) != names.end();
}

struct AllowList {
  std::set<std::string_view> entries;  // "<module> <name>"
  std::set<std::string_view> names;
};

const AllowList& allow_list() {
  static const AllowList list = [] {
    AllowList made;
    for (const std::string_view line : rule_lines(RuleList::kKerasAllow)) {
      made.entries.insert(line);
      made.names.insert(line.substr(line.find(' ') + 1));
    }
    return made;
  }();
  return list;
}

bool is_dangerous_module(std::string_view module) {
  return is_one_of(module.substr(0, module.find('.')), kDangerousModules);
}

// A member of an object that is a text; absent where it is not there or something else.
std::optional<std::string> text_of(const json& object, const char* member) {
  const auto found = object.find(member);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

class Judge {
 public:
  Judge(const std::string& path, Findings& findings) : path_(path), findings_(findings) {}

  // Recursion is bounded by kLimits.max_depth.
  void look_at(const json& node) {
    if (node.is_object()) judge(node);
    if (!node.is_structured()) return;
    for (const auto& inner : node) look_at(inner);
  }

 private:
  void judge(const json& object) {
    for (const auto member : kPathMembers) judge_path(object, member);
    if (text_of(object, "function_type") == "lambda" || text_of(object, "output_shape_type") == "lambda") {
      add("keras.lambda", "a layer holds a marshalled function, which runs when the model is called");
    }
    const auto name = text_of(object, "class_name");
    if (!name) return;
    const auto module = text_of(object, "module");
    const auto registered = text_of(object, "registered_name");
    if (*name == "__lambda__") return add("keras.lambda", "a marshalled function is made when it is loaded");
    if (*name == "Lambda") {
      return add({.rule_id = "keras.lambda",
                  .severity = Severity::kHigh,
                  .path = path_,
                  .offset = std::nullopt,
                  .message = "it has a Lambda layer"});
    }
    if (*name == "function") return judge_function(object, module, registered);
    if (is_one_of(*name, kValueKinds) && !module) return;
    judge_named("class", module, *name, registered);
  }

  void judge_function(const json& object, const std::optional<std::string>& module,
                      const std::optional<std::string>& registered) {
    const auto name = text_of(object, "config");
    for (const auto& one : {name, registered}) {
      if (one && *one != "function" && (one == name || !name)) {
        judge_named("function", module == "builtins" ? std::nullopt : module, *one, registered);
      }
      if (one && *one != name && is_one_of(*one, kDangerousNames)) dangerous("function", module, *one);
    }
  }

  void judge_named(std::string_view kind, const std::optional<std::string>& module, const std::string& name,
                   const std::optional<std::string>& registered) {
    const auto& allowed = allow_list();
    if ((module && is_dangerous_module(*module)) || is_one_of(name, kDangerousNames)) {
      return dangerous(kind, module, name);
    }
    if (registered && is_one_of(*registered, kDangerousNames)) return dangerous(kind, module, *registered);
    const bool custom = registered && registered->find('>') != std::string::npos;
    if (!module || custom) {
      if (allowed.names.contains(name) && !custom) return;
      return add("keras.custom-object", fmt::format("it needs the {} {}, which is not part of Keras", kind,
                                                    quote(custom ? *registered : name)));
    }
    if (allowed.entries.contains(fmt::format("{} {}", *module, name))) return;
    add("keras.unknown-object",
        fmt::format("it names the {} {} of the module {}", kind, quote(name), quote(*module)));
  }

  void dangerous(std::string_view kind, const std::optional<std::string>& module, const std::string& name) {
    add("keras.dangerous-object",
        fmt::format("it names the {} {} of {}", kind, quote(name),
                    module ? "the module " + quote(*module) : std::string("Keras")));
  }

  void judge_path(const json& object, std::string_view member) {
    const auto found = object.find(member);
    if (found == object.end() || !found->is_string() || found->get_ref<const std::string&>().empty()) return;
    add("keras.file-path",
        fmt::format("its {} is read from {}", member, quote(found->get_ref<const std::string&>())));
  }

  void add(std::string_view rule, std::string message) {
    findings_.add(rule, path_, std::nullopt, std::move(message));
  }
  void add(Finding finding) { findings_.add(std::move(finding)); }

  const std::string& path_;
  Findings& findings_;
};

std::string_view name_of(formats::Hdf5OutsideKind kind) {
  switch (kind) {
    case formats::Hdf5OutsideKind::kLink:
      return "an external link";
    case formats::Hdf5OutsideKind::kStorage:
      return "a dataset with external storage";
    case formats::Hdf5OutsideKind::kVirtual:
      return "a virtual dataset";
  }
  return {};
}

constexpr Rule kRules[] = {
    {.id = "hdf5.external",
     .severity = Severity::kHigh,
     .title = "HDF5 data that lies in another file",
     .explanation = "Reading the model makes the library open another file of the machine and take its bytes "
                    "for weights: a way to read files of whoever loads it.",
     .remedy = "Refuse the file. A saved model holds its weights itself.",
     .practice = "P24",
     .risk = "R02",
     .atlas = "AML.T0011.000"},
    {.id = "hdf5.malformed",
     .severity = Severity::kMedium,
     .title = "HDF5 file that breaks its format",
     .explanation = "Its structure contradicts itself, so what the library would make of it is not known.",
     .remedy = "Have the model saved anew, and compare.",
     .practice = "P24",
     .risk = "R14",
     .atlas = ""},
    {.id = "keras.custom-object",
     .severity = Severity::kMedium,
     .title = "Keras object that the loading program must define",
     .explanation = "The model only loads where a class or function of this name was registered before: its "
                    "code is not in the file and was not looked at.",
     .remedy = "Review the code that registers it, and inspect that too.",
     .practice = "P24",
     .risk = "R12",
     .atlas = ""},
    {.id = "keras.dangerous-object",
     .severity = Severity::kCritical,
     .title = "Keras configuration that names a function to run",
     .explanation = "The configuration makes the loader import and call what loads code, opens files or "
                    "switches its safety off (as in CVE-2024-3660 and CVE-2025-1550).",
     .remedy = "Don't load the file. No training writes such a configuration.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "keras.file-path",
     .severity = Severity::kHigh,
     .title = "Keras layer that reads a file or an address",
     .explanation = "When the layer is made it opens this path or downloads it, with the rights of whoever "
                    "loads the model.",
     .remedy = "Have the model saved with its vocabulary inside.",
     .practice = "P24",
     .risk = "R02",
     .atlas = "AML.T0011.000"},
    {.id = "keras.lambda",
     .severity = Severity::kCritical,
     .title = "Keras layer that holds Python code",
     .explanation = "A Lambda layer is marshalled bytecode. Keras 2 runs it on loading, and Keras 3 where "
                    "safe_mode is off.",
     .remedy = "Have the layer written as a registered class, or export the model to ONNX.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "keras.malformed",
     .severity = Severity::kMedium,
     .title = "Keras configuration that can't be read",
     .explanation = "It is no JSON that all readers understand alike, so what it names is not known.",
     .remedy = "Have the model saved anew with Keras.",
     .practice = "P24",
     .risk = "R14",
     .atlas = ""},
    {.id = "keras.unknown-object",
     .severity = Severity::kHigh,
     .title = "Keras object from a module that is not known",
     .explanation =
         "The loader imports the module that is named, and importing runs its code. It is not on the "
         "list of what Keras itself writes.",
     .remedy = "Review that module; if it is part of Keras, report it so that it is put on the list.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
};

}  // namespace

bool is_keras_config(std::string_view beginning) {
  return beginning.find("\"class_name\"") != std::string_view::npos &&
         beginning.find("\"config\"") != std::string_view::npos;
}

Gaps inspect_keras_config(std::string_view text, const std::string& path, Findings& findings) {
  const auto config = base::parse_json(text, kLimits);
  if (!config) {
    findings.add("keras.malformed", path, std::nullopt, config.error().message);
    return {config.error().message};
  }
  Judge(path, findings).look_at(*config);
  return {};
}

Gaps inspect_hdf5(const formats::Source& file, const std::string& path, Findings& findings) {
  const auto read = formats::read_hdf5(file);
  if (!read) {
    findings.add("hdf5.malformed", path, std::nullopt, read.error().message);
    return {read.error().message};
  }
  for (const auto& outside : read->outside) {
    findings.add("hdf5.external", path, outside.offset,
                 fmt::format("{} at {} leads to {}", name_of(outside.kind), quote(outside.object),
                             quote(outside.file)));
  }
  Gaps gaps = read->unread;
  for (const auto* attribute : {"model_config", "training_config"}) {
    const std::string* text = read->text(attribute);
    if (text == nullptr) continue;
    for (auto& gap : inspect_keras_config(*text, fmt::format("{}!{}", path, attribute), findings)) {
      gaps.push_back(std::move(gap));
    }
  }
  return gaps;
}

std::span<const Rule> keras_rules() { return kRules; }

}  // namespace holdfast::inspect
