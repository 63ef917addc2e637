#include "inspect/model_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "formats/anomaly.h"
#include "inspect/jinja.h"
#include "inspect/json_walk.h"
#include "inspect/pickle_allow.h"
#include "inspect/python_calls.h"
#include "inspect/yaml_values.h"

namespace holdfast::inspect {
namespace {

using formats::quote;

constexpr Rule kRules[] = {
    {.id = "config.custom-code",
     .severity = Severity::kMedium,
     .title = "Configuration that names code beside the model",
     .explanation = "The loader runs the named code when it is allowed to trust it (trust_remote_code), with "
                    "all rights of "
                    "whoever loads the model.",
     .remedy = "Load without trust_remote_code; where the code is needed, read it and pin its revision.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "config.dangerous-target",
     .severity = Severity::kCritical,
     .title = "Configuration that names a function for attacks",
     .explanation = "The loader calls what the configuration names, and this is no part of any model.",
     .remedy = "Don't load the model. Report it to where it came from.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "config.environment",
     .severity = Severity::kLow,
     .title = "Configuration that reads the environment",
     .explanation =
         "OmegaConf puts the value of an environment variable, which may be a credential, where the "
         "configuration asks for it, for instance into an address.",
     .remedy = "See where the value goes; load the model with an environment that holds no secrets.",
     .practice = "P24",
     .risk = "R02",
     .atlas = "AML.T0055"},
    {.id = "config.path-escape",
     .severity = Severity::kHigh,
     .title = "Configuration that names a file outside of the model",
     .explanation =
         "The loader reads, or runs, what lies at a path that leaves the model's folder or archive.",
     .remedy = "Refuse the model. What it needs lies beside it.",
     .practice = "P24",
     .risk = "R02",
     .atlas = "AML.T0011.000"},
    {.id = "config.template-code",
     .severity = Severity::kHigh,
     .title = "Chat template that reaches for more than the chat",
     .explanation = "A chat template is a program in Jinja. Renderers without its sandbox run the Python "
                    "that it reaches.",
     .remedy = "Replace the template by the one of the model's maker, and render in Jinja's "
               "ImmutableSandboxedEnvironment.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "config.unknown-target",
     .severity = Severity::kHigh,
     .title = "Configuration that names an unknown class or function",
     .explanation = "The loader imports and calls what the configuration names. It is not among the "
                    "libraries of models that "
                    "are known to be harmless to call so.",
     .remedy = "Look up what the name does; if it is yours, dismiss the finding with that reason.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "config.unreadable",
     .severity = Severity::kMedium,
     .title = "Configuration that can't be read",
     .explanation =
         "It names code, and it is no JSON from some point on, where more lenient readers may go on.",
     .remedy = "Have it written anew, and compare.",
     .practice = "P24",
     .risk = "R14",
     .atlas = ""},
};

// Libraries whose classes Hydra and NeMo configurations instantiate: their documentation, and the
// configurations that NVIDIA NeMo and Lightning publish.
constexpr std::array<std::string_view, 16> kTargets{"nemo.",
                                                    "torch.nn.",
                                                    "torch.optim.",
                                                    "torchmetrics.",
                                                    "torchvision.transforms.",
                                                    "pytorch_lightning.",
                                                    "lightning.",
                                                    "transformers.",
                                                    "diffusers.",
                                                    "torchaudio.transforms.",
                                                    "sklearn.",
                                                    "timm.",
                                                    "omegaconf.",
                                                    "megatron.",
                                                    "torch.utils.data.",
                                                    "monai."};
// MLflow's own flavours (mlflow.org/docs, "MLflow Models").
constexpr std::string_view kLoaderModule = "mlflow.";

bool is_name_part(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

// Whether a name that leads through an allowed library stays in it: "torch.nn.os.system" does not.
bool leaves_library(std::string_view name) {
  for (const std::string_view part : {".os.", ".sys.", ".subprocess.", ".builtins.", ".importlib.", ".__"}) {
    if (name.find(part) != std::string_view::npos) return true;
  }
  return false;
}

class Judge {
 public:
  Judge(const std::string& path, Findings& findings) : path_(path), findings_(findings) {}

  void target(std::string_view key, std::string_view name, std::optional<std::size_t> line = std::nullopt) {
    const std::string message = fmt::format("{}{} names {}", at(line), key, quote(name));
    const auto kind = python_call_kind(name);
    if (kind != PythonCallKind::kNone && kind != PythonCallKind::kDecodes)
      return add("config.dangerous-target", {}, message);
    if (name.starts_with("builtins.") || name.starts_with("os.") || leaves_library(name)) {
      return add("config.dangerous-target", {}, message);
    }
    const bool known = std::any_of(kTargets.begin(), kTargets.end(),
                                   [&](std::string_view t) { return name.starts_with(t); });
    if (!known) add("config.unknown-target", {}, message);
  }

  void custom_code(std::string_view key, std::string_view name) {
    const std::size_t mark = name.find("--");
    if (mark == std::string_view::npos) {
      return add("config.custom-code", {},
                 fmt::format("{} names {}, code in the model's folder", key, quote(name)));
    }
    add("config.custom-code", Severity::kHigh,
        fmt::format("{} names {}, code of another repository ({})", key, quote(name),
                    quote(name.substr(0, mark))));
  }

  void chat_template(std::string_view text) {
    for (const auto& construct : jinja_constructs(text)) {
      add("config.template-code", construct.severity,
          fmt::format("line {} of a chat template: {}", construct.line, construct.what));
    }
  }

  void skops_class(const std::string& module, const std::string& name) {
    const std::string message = fmt::format("a node is of the class {}", quote(module + "." + name));
    const auto kind = python_call_kind(module + "." + name);
    if (kind != PythonCallKind::kNone) return add("config.dangerous-target", {}, message);
    if (!PickleAllowList::builtin().find(module, name)) add("config.unknown-target", {}, message);
  }

  void loader_module(std::string_view name, std::size_t line) {
    if (name.starts_with(kLoaderModule) && !leaves_library(name)) return;
    add("config.unknown-target", {}, fmt::format("{}loader_module names {}", at(line), quote(name)));
  }

  void add(std::string_view rule, std::optional<Severity> severity, std::string message) {
    findings_.add({.rule_id = std::string(rule),
                   .severity = severity.value_or(find_rule(rule)->severity),
                   .path = path_,
                   .offset = std::nullopt,
                   .message = std::move(message)});
  }

  static std::string at(std::optional<std::size_t> line) {
    return line ? fmt::format("line {}: ", *line) : std::string();
  }

 private:
  const std::string& path_;
  Findings& findings_;
};

// Names that do harm whatever the key: loaders differ in how they call it (target, class_path, func, cls).
bool is_dangerous_anywhere(std::string_view name) {
  using enum PythonCallKind;
  const auto kind = python_call_kind(name);
  if (name.find('.') == std::string_view::npos || name.starts_with("sh.")) return false;
  return kind == kShell || kind == kProcess || kind == kExecutesText;
}

class ConfigVisitor final : public JsonVisitor {
 public:
  ConfigVisitor(Judge& judge, bool modules) : judge_(judge), modules_(modules) {}

  void text(const JsonPath& path, std::string_view value) override {
    if (path.empty()) return;
    const std::string& key = path.back().key;
    if (key == "_target_") judge_.target("_target_", value);
    if (is_callee(key) && is_dangerous_anywhere(value)) judge_.target(key, value);
    // sentence-transformers imports each module's type and calls its load().
    const bool module_type = modules_ && key == "type" && path.size() == 2;
    if (module_type && !value.starts_with("sentence_transformers.")) judge_.target("type", value);
    if (path.size() >= 2 && (path[0].key == "auto_map" || path[0].key == "custom_pipelines")) {
      if (path[0].key == "auto_map" || key == "impl") judge_.custom_code(path[0].key, value);
    }
    if (key == "parent_library" && !value.starts_with("transformers.models") && !value.starts_with("peft.")) {
      judge_.custom_code("auto_mapping", value);
    }
    const bool named = path.size() >= 2 && key == "template" && path[0].key == "chat_template";
    if (key == "chat_template" || named || (path.size() == 2 && path[0].key == "chat_template"))
      judge_.chat_template(value);
    node(path, key, value);
  }

  void flag(const JsonPath& path, bool value) override {
    if (!value || path.empty() || path.back().key != "trust_remote_code") return;
    judge_.add("config.custom-code", {},
               "trust_remote_code is on: the loader is asked to run code from a hub");
  }

  // skops' nodes: __module__, __class__ and __loader__ of one object, in any order.
  void object_ends(const JsonPath& path) override {
    if (nodes_.empty() || nodes_.back().depth != path.size() + 1) return;
    const Node node = std::move(nodes_.back());
    nodes_.pop_back();
    if (node.loader && !node.module.empty()) judge_.skops_class(node.module, node.name);
  }

 private:
  struct Node {
    std::size_t depth = 0;
    std::string module;
    std::string name;
    bool loader = false;
  };

  void node(const JsonPath& path, const std::string& key, std::string_view value) {
    if (key != "__module__" && key != "__class__" && key != "__loader__") return;
    if (nodes_.empty() || nodes_.back().depth < path.size()) nodes_.push_back({.depth = path.size()});
    Node& node = nodes_.back();
    if (key == "__module__") node.module = value;
    if (key == "__class__") node.name = value;
    if (key == "__loader__") node.loader = true;
  }

  static bool is_callee(std::string_view key) {
    constexpr std::array<std::string_view, 8> kKeys{"target", "class_path", "callable", "function",
                                                    "func",   "fn",         "cls",      "type"};
    return std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end();
  }

  Judge& judge_;
  bool modules_;             // it is sentence-transformers' modules.json
  std::vector<Node> nodes_;  // at most one for each level of kMaxJsonDepth
};

bool leaves_folder(std::string_view path) {
  return path.starts_with('/') || path.starts_with("..") || path.find("/..") != std::string_view::npos;
}

// ${oc.env:NAME}: OmegaConf's own resolver (omegaconf.readthedocs.io, "Built-in resolvers").
void environment(std::string_view line, std::size_t number, Judge& judge) {
  constexpr std::string_view kResolver = "${oc.env:";
  const std::size_t at = line.find(kResolver);
  if (at == std::string_view::npos) return;
  const std::string_view rest = line.substr(at + kResolver.size());
  judge.add("config.environment", {},
            fmt::format("line {}: it reads the environment variable {}", number,
                        quote(rest.substr(0, rest.find_first_of("},")))));
}

// NeMo's artefacts ("nemo:name") lie in its archive; an MLmodel's paths below its folder.
void outside_paths(std::string_view line, std::size_t number, bool mlflow, Judge& judge) {
  constexpr std::string_view kNemo = "nemo:";
  constexpr std::array<std::string_view, 6> kKeys{
      "code:", "data:", "model_path:", "pickled_model:", "python_model:", "model_code_path:"};
  const auto told = [&](std::string_view path) {
    judge.add("config.path-escape", {}, fmt::format("line {}: it names {}", number, quote(path)));
  };
  const auto value_at = [&](std::size_t begin) {
    const std::string_view rest = line.substr(begin);
    const std::size_t start = std::min(rest.find_first_not_of(" \"'"), rest.size());
    return rest.substr(start, rest.find_first_of(" \"'\r#", start) - start);
  };
  if (const std::size_t at = line.find(kNemo); at != std::string_view::npos) {
    if (const auto path = value_at(at + kNemo.size()); leaves_folder(path)) told(path);
  }
  if (!mlflow) return;
  const std::size_t start = std::min(line.find_first_not_of(' '), line.size());
  for (const std::string_view key : kKeys) {
    if (!line.substr(start).starts_with(key)) continue;
    if (const auto path = value_at(start + key.size()); leaves_folder(path)) told(path);
  }
}

bool is_yaml(std::string_view path) { return path.ends_with(".yaml") || path.ends_with(".yml"); }

// The last "key: value" or "- item" of a line.
void dangerous_value(std::string_view line, std::size_t number, Judge& judge) {
  std::size_t at = line.rfind(": ");
  if (at == std::string_view::npos) at = line.rfind("- ");
  if (at == std::string_view::npos) return;
  at = std::min(line.find_first_not_of(" \"'", at + 2), line.size());
  std::size_t end = at;
  while (end < line.size() && is_name_part(line[end])) ++end;
  if (!is_dangerous_anywhere(line.substr(at, end - at)) || line.find("_target_") != std::string_view::npos)
    return;
  judge.target("a value", line.substr(at, end - at), number);
}

void tags(std::string_view line, std::size_t number, Judge& judge) {
  if (renames_python_tags(line)) {
    judge.add(
        "config.dangerous-target", Severity::kHigh,
        fmt::format("line {}: a directive gives the tags that make objects of Python another name", number));
  }
  for (const std::string_view tag : {"!!python/", "tag:yaml.org,2002:python/"}) {
    const std::size_t at = line.find(tag);
    if (at == std::string_view::npos || line.starts_with("%TAG")) continue;
    const std::string_view name = line.substr(at, line.find_first_of(" \t\r>", at) - at);
    if (name.ends_with("python/tuple") || name.ends_with("python/none") || name.ends_with("python/bool"))
      continue;
    judge.add(
        "config.dangerous-target", Severity::kHigh,
        fmt::format("line {}: the tag {} has a YAML loader make an object of Python", number, quote(name)));
  }
}

void targets(std::string_view yaml, Judge& judge) {
  for (const std::string_view key : {"_target_", "loader_module"}) {
    for (const YamlValue& value : yaml_values_of(yaml, key)) {
      if (!value.followed) {
        judge.add("config.unknown-target", {},
                  fmt::format("line {}: {} names what is not written there ({})", value.line, key,
                              quote(value.text)));
      } else if (key == "_target_") {
        judge.target(key, value.text, value.line);
      } else {
        judge.loader_module(value.text, value.line);
      }
    }
  }
}

}  // namespace

Gaps inspect_json_config(std::string_view json, const std::string& path, Findings& findings) {
  Judge judge(path, findings);
  ConfigVisitor visitor(judge, path == "modules.json" || path.ends_with("/modules.json"));
  const auto walked = walk_json(json, visitor);
  if (walked) return {};
  constexpr std::array<std::string_view, 5> kKeys{"auto_map", "_target_", "__loader__", "chat_template",
                                                  "custom_pipelines"};
  const bool names_code = std::any_of(kKeys.begin(), kKeys.end(), [&](std::string_view key) {
    return json.find(key) != std::string_view::npos;
  });
  if (!names_code) {
    inspect_yaml_config(json, path, findings);  // OmegaConf reads files of any name as YAML
    return {};
  }
  judge.add("config.unreadable", {}, walked.error().message);
  return {walked.error().message};
}

void inspect_yaml_config(std::string_view written, const std::string& path, Findings& findings) {
  Judge judge(path, findings);
  const std::string yaml = resolve_yaml_escapes(written);
  std::size_t number = 0;
  for (std::string_view rest = yaml; !rest.empty();) {
    const std::size_t end = std::min(rest.size(), rest.find('\n'));
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(rest.size(), end + 1));
    ++number;
    environment(line, number, judge);
    outside_paths(line, number, path == "MLmodel" || path.ends_with("/MLmodel"), judge);
    if (is_yaml(path)) dangerous_value(line, number, judge);
    tags(line, number, judge);
  }
  targets(yaml, judge);
}

void inspect_chat_template(std::string_view text, const std::string& path, Findings& findings) {
  Judge(path, findings).chat_template(text);
}

std::span<const Rule> model_config_rules() { return kRules; }

}  // namespace holdfast::inspect
