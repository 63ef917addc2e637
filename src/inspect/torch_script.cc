#include "inspect/torch_script.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/bytes.h"
#include "formats/anomaly.h"
#include "inspect/python_tokens.h"
#include "inspect/torch_ops.h"

namespace holdfast::inspect {

using formats::quote;
using Kind = PythonTokenKind;

namespace {

// What the compiler knows without a module (torch/csrc/jit/frontend/ir_emitter.cpp,
// Environment::getSugaredVar, and import_source.cpp), less what reaches other processes. In order.
constexpr std::array<std::string_view, 45> kBuiltins = {"AssertionError",
                                                        "Exception",
                                                        "_to_tensor",
                                                        "abs",
                                                        "all",
                                                        "annotate",
                                                        "any",
                                                        "awaitable",
                                                        "bin",
                                                        "bool",
                                                        "chr",
                                                        "complex",
                                                        "dict",
                                                        "divmod",
                                                        "enumerate",
                                                        "float",
                                                        "fork",
                                                        "getattr",
                                                        "hasattr",
                                                        "hash",
                                                        "hex",
                                                        "id",
                                                        "int",
                                                        "isinstance",
                                                        "len",
                                                        "list",
                                                        "max",
                                                        "min",
                                                        "oct",
                                                        "ord",
                                                        "pow",
                                                        "print",
                                                        "range",
                                                        "rangelist",
                                                        "round",
                                                        "set",
                                                        "sorted",
                                                        "str",
                                                        "sum",
                                                        "super",
                                                        "tuple",
                                                        "type",
                                                        "unchecked_cast",
                                                        "uninitialized",
                                                        "zip"};

// Methods of the compiler's own, and of PyTorch's classes of packed weights and streams.
constexpr std::array<std::string_view, 8> kMethods = {
    "__getstate__", "__setstate__", "elapsed_time", "query", "record", "synchronize", "tolist", "unpack"};

// Words of the language before a bracket.
constexpr std::array<std::string_view, 16> kWords = {"and", "assert", "class",  "def",  "elif", "else",
                                                     "for", "if",     "import", "in",   "is",   "not",
                                                     "or",  "raise",  "return", "while"};

bool is_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// "_12": where the printer puts a function of the archive before it calls it.
bool is_temporary(std::string_view name) { return name.starts_with('_') && is_digits(name.substr(1)); }

std::string join(const std::vector<std::string_view>& names, std::size_t from) {
  std::string joined;
  for (std::size_t i = from; i < names.size(); ++i) joined.append(i > from ? "." : "").append(names[i]);
  return joined;
}

// Where the text ends that begins at `begin` as PyTorch's pickler writes it (BINUNICODE, a length of 32
// bits); the pickle's end where none does.
std::size_t text_end(std::string_view pickle, std::size_t begin) {
  constexpr std::size_t kHeader = 5;
  if (begin < kHeader || pickle[begin - kHeader] != 'X') return pickle.size();
  return begin + base::load_le<std::uint32_t>(base::as_bytes(pickle.substr(begin - 4, 4)));
}

}  // namespace

// One file's tokens, from front to back.
class ScriptReader {
 public:
  ScriptReader(TorchScript& script, std::string_view text, const std::string& path, Findings& findings)
      : script_(script), read_(tokenize_python(text)), path_(path), findings_(findings) {}

  Gaps run() {
    for (const auto& oddity : read_.oddities) odd(oddity.offset, oddity.what);
    while (at_ < read_.tokens.size()) {
      const PythonToken& token = read_.tokens[at_];
      if (token.kind == Kind::kName) {
        name();
      } else {
        // PythonOp is printed with a "^" before its name (python_print.cpp).
        if (token.is_sign('^')) odd(token.offset, "it calls Python by \"^\"");
        ++at_;
      }
    }
    if (read_.whole) return {};
    return {"it is longer than what is read of a source"};
  }

 private:
  [[nodiscard]] const PythonToken* token(std::size_t index) const {
    return index < read_.tokens.size() ? &read_.tokens[index] : nullptr;
  }
  [[nodiscard]] bool sign(std::size_t index, char c) const {
    const PythonToken* found = token(index);
    return found != nullptr && found->is_sign(c);
  }

  void odd(std::uint64_t offset, std::string_view what) {
    if (said_.emplace(what).second) findings_.add("torch.script-code", path_, offset, std::string(what));
  }

  // A name and the attributes after it: "ops.prim.data".
  void name() {
    const std::size_t first = at_;
    const bool attribute = first > 0 && sign(first - 1, '.');
    std::vector<std::string_view> names{read_.tokens[at_++].text};
    while (sign(at_, '.') && token(at_ + 1) != nullptr && token(at_ + 1)->kind == Kind::kName) {
      names.push_back(read_.tokens[at_ + 1].text);
      at_ += 2;
    }
    const std::uint64_t offset = read_.tokens[first].offset;
    const bool defines =
        first > 0 && (read_.tokens[first - 1].is_name("def") || read_.tokens[first - 1].is_name("class"));
    if (defines) return define(names[0]);
    if (!attribute && names[0] == "torch") return torch_name(names, offset);
    if (!attribute && names[0] == "ops") return ops_name(names, offset);
    if (!attribute && names[0] == "__torch__") return class_name(names, offset);
    plain(names, attribute, offset);
  }

  void define(std::string_view name) {
    if (script_.defined_.size() < TorchScript::kMaxNames) {
      script_.defined_.emplace(name);
    } else {
      script_.whole_ = false;
    }
  }

  void operation(const std::string& qualified, std::string_view written, std::uint64_t offset) {
    if (!seen_.insert(qualified).second) return;
    report_torch_operation(torch_reach(qualified), written, path_, offset, findings_);
  }

  void torch_name(const std::vector<std::string_view>& names, std::uint64_t offset) {
    if (names.size() < 2) return odd(offset, "it takes the name torch for a value");
    operation("aten::" + std::string(names[1]), join(names, 0), offset);
  }

  void ops_name(const std::vector<std::string_view>& names, std::uint64_t offset) {
    if (names.size() < 3) return odd(offset, "it takes a namespace of operations for a value");
    operation(fmt::format("{}::{}", names[1], names[2]), join(names, 0), offset);
  }

  // Classes of the archive, and below torch.classes those of native libraries.
  void class_name(const std::vector<std::string_view>& names, std::uint64_t offset) {
    if (names.size() < 3 || names[1] != "torch" || names[2] != "classes") return;
    const std::string of = join(names, 3);
    if (is_torch_class(of) || !seen_.insert("class " + of).second) return;
    findings_.add("torch.custom-operation", path_, offset, fmt::format("it uses the class {}", quote(of)));
  }

  // A variable, a function by its name alone, or attributes of whatever stands before.
  void plain(const std::vector<std::string_view>& names, bool attribute, std::uint64_t offset) {
    const bool called = sign(at_, '(');
    const bool alone = names.size() == 1 && !attribute;
    for (std::size_t i = attribute ? 0 : 1; i < names.size(); ++i) {
      judge_attribute(names[i], called && i + 1 == names.size(), offset);
    }
    if (!alone || !called) return;
    if (names[0] == "getattr") judge_getattr();
    if (names[0].starts_with("rpc_")) {
      return operation("prim::" + std::string(names[0]), names[0], offset);
    }
    const bool known = std::ranges::binary_search(kBuiltins, names[0]) ||
                       std::ranges::find(kWords, names[0]) != kWords.end() || is_temporary(names[0]);
    if (!known) use(script_.functions_, names[0], offset);
  }

  // An operation of tensors can be called as their method, and a method be kept for a call elsewhere.
  void judge_attribute(std::string_view name, bool called, std::uint64_t offset) {
    const std::string qualified = "aten::" + std::string(name);
    const TorchReach reach = torch_reach(qualified);
    if (reach == TorchReach::kNothing) return;
    if (reach != TorchReach::kUnknown) return operation(qualified, name, offset);
    if (called && std::ranges::find(kMethods, name) == kMethods.end()) use(script_.methods_, name, offset);
  }

  // Its second argument is an attribute's name.
  void judge_getattr() {
    const std::size_t end = std::min<std::size_t>(read_.tokens[at_].partner, read_.tokens.size());
    for (std::size_t i = at_ + 1; i < end; ++i) {
      const PythonToken& part = read_.tokens[i];
      if (part.kind != Kind::kString) continue;
      judge_attribute(python_string_value(part, kMaxAttributeBytes), sign(end + 1, '('), part.offset);
    }
  }

  void use(std::map<std::string, TorchScript::Use, std::less<>>& uses, std::string_view name,
           std::uint64_t offset) {
    if (uses.contains(name)) return;
    if (uses.size() >= TorchScript::kMaxNames) {
      script_.whole_ = false;
      return;
    }
    uses.emplace(name, TorchScript::Use{.path = path_, .offset = offset});
  }

  static constexpr std::size_t kMaxAttributeBytes = 256;

  TorchScript& script_;
  PythonTokens read_;
  const std::string& path_;
  Findings& findings_;
  std::size_t at_ = 0;
  std::set<std::string, std::less<>> seen_;  // operations and classes that were judged
  std::set<std::string, std::less<>> said_;
};

Gaps TorchScript::add(std::string_view text, const std::string& path, Findings& findings) {
  return ScriptReader(*this, text, path, findings).run();
}

void TorchScript::add_bytecode(std::string_view pickle, const std::string& path, Findings& findings) {
  constexpr auto is_part = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  std::set<std::string, std::less<>> seen;
  for (std::size_t colons = pickle.find("::"); colons != pickle.npos;
       colons = pickle.find("::", colons + 2)) {
    std::size_t begin = colons;
    while (begin > 0 && is_part(pickle[begin - 1])) --begin;
    std::size_t end = colons + 2;
    while (end < pickle.size() && is_part(pickle[end])) ++end;
    end = std::min(end, text_end(pickle, begin));
    if (begin == colons || end <= colons + 2 || seen.size() >= kMaxNames) continue;
    const std::string name(pickle.substr(begin, std::min(end - begin, Finding::kMaxMessageBytes)));
    if (!seen.insert(name).second) continue;
    report_torch_operation(torch_reach(name), name, path, begin, findings);
  }
}

Gaps TorchScript::finish(Findings& findings) {
  const auto report = [&](const auto& uses, std::string_view form) {
    for (const auto& [name, use] : uses) {
      if (defined_.contains(name)) continue;
      findings.add("torch.script-code", use.path, use.offset,
                   fmt::format("it calls the {} {}, which neither the archive nor PyTorch defines", form,
                               quote(name)));
    }
  };
  report(methods_, "method");
  report(functions_, "function");
  if (whole_) return {};
  return {fmt::format("its code has more than {} names", kMaxNames)};
}

}  // namespace holdfast::inspect
