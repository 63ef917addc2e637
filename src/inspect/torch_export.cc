#include "inspect/torch_export.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include "formats/anomaly.h"
#include "inspect/json_walk.h"
#include "inspect/python_tokens.h"
#include "inspect/torch_ops.h"

namespace holdfast::inspect {
namespace {

using formats::quote;
using Kind = PythonTokenKind;
using Names = std::span<const std::string_view>;

// Functions of Python that graphs call on sizes (torch/_export/serde/serialize.py, _SYM_OPS).
constexpr std::array<std::string_view, 45> kScalarCalls = {
    "_operator.add",     "_operator.and_",  "_operator.eq",    "_operator.floordiv", "_operator.ge",
    "_operator.getitem", "_operator.gt",    "_operator.le",    "_operator.lshift",   "_operator.lt",
    "_operator.mod",     "_operator.mul",   "_operator.ne",    "_operator.neg",      "_operator.not_",
    "_operator.or_",     "_operator.pos",   "_operator.pow",   "_operator.rshift",   "_operator.sub",
    "_operator.truediv", "_operator.xor",   "math.ceil",       "math.floor",         "math.log2",
    "math.pow",          "math.sqrt",       "math.trunc",      "torch._sym_acos",    "torch._sym_asin",
    "torch._sym_atan",   "torch._sym_cos",  "torch._sym_cosh", "torch._sym_log2",    "torch._sym_sin",
    "torch._sym_sinh",   "torch._sym_sqrt", "torch._sym_tan",  "torch._sym_tanh",    "torch.sym_float",
    "torch.sym_int",     "torch.sym_ite",   "torch.sym_max",   "torch.sym_min",      "torch.sym_not"};
constexpr std::array<std::string_view, 3> kOtherCalls = {"torch._C._set_grad_enabled", "torch.sym_sum",
                                                         "torch.sym_sqrt"};

// What sizes are written with: sympy's srepr, and the functions of torch/utils/_sympy/functions.py.
constexpr std::array<std::string_view, 68> kExpressionNames = {"Abs",
                                                               "Add",
                                                               "And",
                                                               "BitwiseFn_bitwise_and",
                                                               "BitwiseFn_bitwise_or",
                                                               "CeilDiv",
                                                               "CeilToInt",
                                                               "CleanDiv",
                                                               "Equality",
                                                               "Eq",
                                                               "ExprCondPair",
                                                               "False",
                                                               "Float",
                                                               "FloatPow",
                                                               "FloatTrueDiv",
                                                               "FloorDiv",
                                                               "FloorToInt",
                                                               "Ge",
                                                               "GreaterThan",
                                                               "Gt",
                                                               "Identity",
                                                               "Infinity",
                                                               "IntInfinity",
                                                               "IntTrueDiv",
                                                               "Integer",
                                                               "IsNonOverlappingAndDenseIndicator",
                                                               "LShift",
                                                               "Le",
                                                               "LessThan",
                                                               "Lt",
                                                               "Max",
                                                               "Min",
                                                               "Mod",
                                                               "ModularIndexing",
                                                               "Mul",
                                                               "Ne",
                                                               "NegativeInfinity",
                                                               "Not",
                                                               "Or",
                                                               "Piecewise",
                                                               "Pow",
                                                               "PowByNatural",
                                                               "PythonMod",
                                                               "RShift",
                                                               "Rational",
                                                               "RoundDecimal",
                                                               "RoundToInt",
                                                               "StrictGreaterThan",
                                                               "StrictLessThan",
                                                               "Symbol",
                                                               "ToFloat",
                                                               "True",
                                                               "TruncToFloat",
                                                               "TruncToInt",
                                                               "Unequality",
                                                               "Where",
                                                               "ceiling",
                                                               "false",
                                                               "floor",
                                                               "int_oo",
                                                               "integer",
                                                               "nonnegative",
                                                               "nonzero",
                                                               "oo",
                                                               "positive",
                                                               "precision",
                                                               "real",
                                                               "true"};

// What guards are written with: inputs by L['name'], their sizes, and Python's operators.
constexpr std::array<std::string_view, 22> kGuardNames = {
    "False",  "L",    "Mod", "None", "True", "and",   "args", "dim", "int",  "is",
    "len",    "max",  "min", "ndim", "not",  "numel", "or",   "pow", "size", "storage_offset",
    "stride", "shape"};

// Modules whose classes are defaults of a defaultdict.
constexpr std::array<std::string_view, 8> kDefaults = {"bool", "dict", "float", "frozenset",
                                                       "int",  "list", "set",   "str"};

bool has(Names names, std::string_view name) { return std::ranges::find(names, name) != names.end(); }

// "s39", "u0", "zuf1": how torch.export names its symbols.
bool is_symbol(std::string_view name) {
  const std::size_t digits = name.find_first_of("0123456789");
  return digits >= 1 && digits <= 4 && name.find_first_not_of("0123456789", digits) == name.npos &&
         name.substr(0, digits).find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == name.npos;
}

// Whether text that Python will run is made of these names, symbols, numbers and operators alone. Strings may
// name a symbol or an input; attributes are not told from other names, since no listed one does harm.
bool is_harmless(std::string_view text, Names names) {
  constexpr std::string_view kSigns = "()[],+-*/%<>=!&|~^. \n";
  const PythonTokens read = tokenize_python(text);
  if (!read.whole || !read.oddities.empty()) return false;
  return std::ranges::all_of(read.tokens, [&](const PythonToken& token) {
    switch (token.kind) {
      case Kind::kName:
        return has(names, token.text) || is_symbol(token.text);
      case Kind::kString:
        return !token.formatted && std::ranges::all_of(token.text, [](char c) {
          return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                 c == '.';
        });
      case Kind::kSign:
        return kSigns.find(token.text) != kSigns.npos;
      case Kind::kNumber:
      case Kind::kNewLine:
        return true;
    }
    return false;
  });
}

// The words of "torch.ops.aten.add.Tensor".
std::vector<std::string_view> split(std::string_view target) {
  std::vector<std::string_view> words;
  for (std::size_t start = 0; start <= target.size() && words.size() < 8;) {
    const std::size_t end = std::min(target.find('.', start), target.size());
    words.push_back(target.substr(start, end - start));
    start = end + 1;
  }
  return words;
}

// The JSON of how inputs and outputs nest (torch/utils/_pytree.py, treespec_loads): names of modules in it
// are imported.
class SpecVisitor final : public JsonVisitor {
 public:
  SpecVisitor(const std::string& path, Findings& findings, int depth)
      : path_(path), findings_(findings), depth_(depth) {}

  void text(const JsonPath& path, std::string_view value) override {
    const std::string_view key = path.empty() ? std::string_view() : std::string_view(path.back().key);
    const bool names_module = key == "default_factory_module" && value != "builtins";
    const bool names_class = key == "default_factory_name" && !has(kDefaults, value);
    if (key == "fqn" || names_module || names_class) {
      findings_.add("torch.export-import", path_, std::nullopt,
                    fmt::format("the description of its inputs or outputs names {}", quote(value)));
    }
    const std::size_t first = value.find_first_not_of(" \t\r\n");
    if (depth_ >= kMaxDepth || first == value.npos || (value[first] != '[' && value[first] != '{')) return;
    SpecVisitor inner(path_, findings_, depth_ + 1);
    whole_ = walk_json(value, inner).has_value() && inner.whole() && whole_;
  }
  void flag(const JsonPath&, bool) override {}
  void object_ends(const JsonPath&) override {}
  [[nodiscard]] bool whole() const { return whole_; }

 private:
  static constexpr int kMaxDepth = 8;  // of JSON in strings of JSON

  const std::string& path_;
  Findings& findings_;
  int depth_;
  bool whole_ = true;
};

class ProgramVisitor final : public JsonVisitor {
 public:
  ProgramVisitor(const std::string& path, Findings& findings) : path_(path), findings_(findings) {}

  void text(const JsonPath& path, std::string_view value) override {
    if (path.empty()) return;
    const std::string_view key = path.back().key;
    if (key == "target" || key == "as_operator") return target(value);
    if (key == "expr_str") return expression(value, kExpressionNames);
    if (key == "in_spec" || key == "out_spec") return spec(value);
    if (key == "class_fqn") return custom_class(value);
    if (path.size() == 2 && path.front().key == "guards_code") expression(value, kGuardNames);
  }
  void flag(const JsonPath&, bool) override {}
  void object_ends(const JsonPath&) override {}

  [[nodiscard]] Gaps take_gaps() { return std::move(gaps_); }

 private:
  // Whether it was not judged before. Past kMaxSeen all are judged each time.
  bool first(std::string_view value) { return seen_.size() >= kMaxSeen || seen_.emplace(value).second; }

  void target(std::string_view value) {
    if (has(kScalarCalls, value) || has(kOtherCalls, value) || !first(value)) return;
    const auto words = split(value);
    // Beyond the overload a name would lead into Python's own objects.
    const bool overload = words.size() == 4 || (words.size() == 5 && !words[4].starts_with("__"));
    if (overload && words[0] == "torch" && words[1] == "ops") {
      const std::string name = fmt::format("{}::{}", words[2], words[3]);
      return report_torch_operation(torch_reach(name), value, path_, std::nullopt, findings_);
    }
    const bool looked_up =
        value.starts_with("torch") || value.starts_with("_operator") || value.starts_with("math");
    findings_.add(looked_up ? "torch.export-call" : "torch.custom-operation", path_, std::nullopt,
                  fmt::format("a node calls {}", quote(value)));
  }

  void expression(std::string_view value, Names names) {
    if (!first(value) || is_harmless(value, names)) return;
    findings_.add("torch.export-expression", path_, std::nullopt, fmt::format("it holds {}", quote(value)));
  }

  void spec(std::string_view value) {
    if (!first(value)) return;
    SpecVisitor visitor(path_, findings_, 0);
    if (walk_json(value, visitor) && visitor.whole()) return;
    findings_.add("torch.malformed", path_, std::nullopt,
                  fmt::format("the description of its inputs or outputs is no JSON: {}", quote(value)));
    gaps_.push_back("the description of its inputs or outputs can't be read");
  }

  // "__torch__.torch.classes.quantized.LinearPackedParamsBase", or a class of Python.
  void custom_class(std::string_view value) {
    constexpr std::string_view kClasses = "__torch__.torch.classes.";
    if (value.starts_with(kClasses) && is_torch_class(value.substr(kClasses.size()))) return;
    if (!first(value)) return;
    findings_.add("torch.custom-operation", path_, std::nullopt,
                  fmt::format("it uses the class {}", quote(value)));
  }

  static constexpr std::size_t kMaxSeen = 1UL << 18;

  const std::string& path_;
  Findings& findings_;
  Gaps gaps_;
  std::set<std::string, std::less<>> seen_;
};

// {"config": {"layer.weight": {"path_name": "weight_0", "use_pickle": false, ...}}}
class PayloadVisitor final : public JsonVisitor {
 public:
  PayloadVisitor(std::set<std::string, std::less<>>& raw, std::set<std::string, std::less<>>& pickled)
      : raw_(raw), pickled_(pickled) {}

  void text(const JsonPath& path, std::string_view value) override {
    if (path.size() == 3 && path.back().key == "path_name") names_.emplace_back(value);
  }
  void flag(const JsonPath& path, bool value) override {
    if (path.size() == 3 && path.back().key == "use_pickle") (value ? pickles_ : plain_) = true;
  }
  void object_ends(const JsonPath& path) override {
    if (path.size() != 2) return;
    for (auto& name : names_) {
      const bool numbers = name.starts_with("weight_") || name.starts_with("tensor_");
      (plain_ && !pickles_ && numbers ? raw_ : pickled_).insert(std::move(name));
    }
    names_.clear();
    plain_ = pickles_ = false;
  }

 private:
  std::set<std::string, std::less<>>& raw_;
  std::set<std::string, std::less<>>& pickled_;
  std::vector<std::string> names_;
  bool plain_ = false;
  bool pickles_ = false;
};

}  // namespace

void RawTensors::add(std::string_view json) {
  PayloadVisitor visitor(raw_, pickled_);
  if (!walk_json(json, visitor)) raw_.clear();  // a loader would not get so far
}

bool RawTensors::contains(std::string_view name) const {
  name.remove_prefix(name.rfind('/') + 1);
  return raw_.contains(name) && !pickled_.contains(name);
}

Gaps inspect_exported_program(std::string_view json, const std::string& path, Findings& findings) {
  ProgramVisitor visitor(path, findings);
  const auto walked = walk_json(json, visitor);
  if (walked) return visitor.take_gaps();
  findings.add("torch.malformed", path, std::nullopt, walked.error().message);
  return {walked.error().message};
}

}  // namespace holdfast::inspect
