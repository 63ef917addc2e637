#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "formats/anomaly.h"
#include "inspect/python_calls.h"
#include "inspect/python_source.h"
#include "inspect/python_tokens.h"

// Follows names through Python source: imports, simple assignments, getattr, tables of names. What a call
// that it reaches means is judged in python_judge.cc. One text, one reader.

namespace holdfast::inspect {

// Text that is executed is itself looked at, this deep.
inline constexpr int kMaxTextDepth = 3;
inline constexpr std::size_t kMaxNameBytes = 300;
inline constexpr std::size_t kMaxLiteralBytes = 1UL << 20;
// Tokens of one argument or assignment that are looked at, so that nesting costs no more than its depth.
inline constexpr std::size_t kMaxScannedTokens = 256;
inline constexpr std::size_t kMaxStars = 20;

struct PythonArgument {
  std::string_view keyword;  // empty for one by position
  std::size_t begin = 0;     // tokens
  std::size_t end = 0;
};

bool is_sql(std::string_view text);

class PythonReader {
 public:
  using Kind = PythonTokenKind;

  PythonReader(std::string_view text, const PythonPlace& place, int depth, Findings& findings)
      : place_(place),
        depth_(depth),
        findings_(findings),
        read_(tokenize_python(text)),
        tokens_(read_.tokens) {}

  bool run() {
    for (const auto& oddity : read_.oddities) {
      add(oddity.hides ? "python.hidden-code" : "python.unreadable", {}, oddity.offset, oddity.line,
          oddity.what);
    }
    bool line_start = true;
    // Past the bound on findings nothing more would be kept.
    for (std::size_t i = 0; i < tokens_.size() && findings_.dropped() == 0; ++i) {
      if (line_start || starts_statement(i)) i = statement(i);
      line_start = tokens_[i].kind == Kind::kNewLine;
      if (tokens_[i].kind == Kind::kName) {
        judge_name(tokens_[i].text, i);
        if (is_sign(i + 1, ':') && is_sign(i + 2, '=')) assignment(i, i + 3);
        if (!after_dot(i)) judge_mention(primary(i), i);
      }
      if (is_sign(i, '(')) parenthesized(i);
      if (is_string(i)) system_prompt(i);
    }
    return read_.whole;
  }

 private:
  [[nodiscard]] bool is_sign(std::size_t i, char c) const {
    return i < tokens_.size() && tokens_[i].is_sign(c);
  }
  [[nodiscard]] bool is_name(std::size_t i) const {
    return i < tokens_.size() && tokens_[i].kind == Kind::kName;
  }
  [[nodiscard]] bool is_string(std::size_t i) const {
    return i < tokens_.size() && tokens_[i].kind == Kind::kString;
  }
  [[nodiscard]] bool after_dot(std::size_t i) const {
    return i > 0 && tokens_[i - 1].is_sign('.') && (i < 2 || !is_import_dot(i));
  }
  [[nodiscard]] bool closes(std::size_t i) const {
    return is_sign(i, ')') || is_sign(i, ']') || is_sign(i, '}');
  }
  static std::size_t bounded(std::size_t begin, std::size_t end) {
    return std::min(end, begin + kMaxScannedTokens);
  }
  [[nodiscard]] bool is_import_dot(std::size_t i) const { return tokens_[i - 2].kind == Kind::kNewLine; }
  [[nodiscard]] bool starts_statement(std::size_t i) const {
    return i > 0 && (tokens_[i - 1].is_sign(';') || (tokens_[i - 1].is_sign(':') && is_name(i)));
  }

  // Learns from an import or an assignment that begins here; gives where to go on.
  std::size_t statement(std::size_t i) {
    if (tokens_[i].is_name("import")) return import(i + 1);
    if (tokens_[i].is_name("from")) return import_from(i + 1);
    if (is_name(i) && is_sign(i + 1, '=') && !is_sign(i + 2, '=')) assignment(i, i + 2);
    return i;
  }

  std::string dotted(std::size_t& i) const {
    std::string name;
    while (is_sign(i, '.')) {
      name += '.';
      ++i;
    }
    while (is_name(i) && name.size() < kMaxNameBytes) {
      name += tokens_[i++].text;
      if (!is_sign(i, '.')) break;
      name += '.';
      ++i;
    }
    return name;
  }

  std::size_t import(std::size_t i) {
    while (is_name(i)) {
      const std::string name = dotted(i);
      if (i < tokens_.size() && tokens_[i].is_name("as") && is_name(i + 1)) {
        aliases_[std::string(tokens_[i + 1].text)] = name;
        i += 2;
      }
      if (!is_sign(i, ',')) break;
      ++i;
    }
    return std::min(i, tokens_.size() - 1);
  }

  std::size_t import_from(std::size_t i) {
    const std::string module = dotted(i);
    if (i >= tokens_.size() || !tokens_[i].is_name("import")) return std::min(i, tokens_.size() - 1);
    ++i;
    if (is_sign(i, '*') && stars_.size() < kMaxStars) stars_.insert(module);
    if (is_sign(i, '(')) ++i;
    while (is_name(i)) {
      const std::string name(tokens_[i].text);
      std::string own = name;
      ++i;
      if (i < tokens_.size() && tokens_[i].is_name("as") && is_name(i + 1)) {
        own = tokens_[i + 1].text;
        i += 2;
      }
      aliases_[own] = module + "." + name;
      if (!is_sign(i, ',')) break;
      ++i;
    }
    return std::min(i, tokens_.size() - 1);
  }

  // name = os.system; code = base64.b64decode(...); query = f"SELECT ... {x}"
  void assignment(std::size_t i, std::size_t begin) {
    const std::string name(tokens_[i].text);
    std::size_t end = begin;
    while (end < std::min(tokens_.size(), begin + kMaxScannedTokens) && tokens_[end].kind != Kind::kNewLine &&
           !tokens_[end].is_sign(';') && !closes(end)) {
      if (tokens_[end].partner > end) end = tokens_[end].partner;
      ++end;
    }
    if (holds_decoded(begin, end)) {
      decoded_.insert(name);
    } else {
      decoded_.erase(name);
    }
    if (is_built(begin, end) && is_sql(first_text(begin, end))) built_sql_.insert(name);
    std::size_t at = begin;
    const std::string path = dotted(at);
    if (at == end && !path.empty()) {
      const std::string target = resolve(path);
      if (python_call_kind(target) != PythonCallKind::kNone) aliases_[name] = target;
    } else if (is_name(begin) && is_one_primary(begin, end)) {
      // os_ = __import__("os"), run = getattr(os, "system"), run = vars(os)["system"]
      quiet_ = true;
      const std::string target = primary(begin);
      quiet_ = false;
      if (!target.empty() && target.back() != ')' && target.back() != ']') aliases_[name] = target;
    }
  }

  // name.name(...)[...].name, and nothing beside it.
  [[nodiscard]] bool is_one_primary(std::size_t begin, std::size_t end) const {
    bool called = false;
    for (std::size_t i = begin; i < end; ++i) {
      if (tokens_[i].partner > i) {
        i = tokens_[i].partner;
        called = true;
      } else if (!is_name(i) && !is_sign(i, '.')) {
        return false;
      } else if (is_name(i) && i > begin && !is_sign(i - 1, '.')) {
        return false;
      }
    }
    return called;
  }

  // The name with its modules, as far as imports and assignments tell.
  [[nodiscard]] std::string resolve(const std::string& name) const {
    const std::size_t dot = std::min(name.find('.'), name.size());
    const std::string first = name.substr(0, dot);
    if (const auto alias = aliases_.find(first); alias != aliases_.end())
      return alias->second + name.substr(dot);
    for (const auto& module : stars_) {
      if (python_call_kind(module + "." + name) != PythonCallKind::kNone) return module + "." + name;
    }
    return name;
  }

  // Judges the calls of name.name[...](...).name; gives the name that it ends in.
  std::string primary(std::size_t i) {
    if (i > 0 && (tokens_[i - 1].is_name("def") || tokens_[i - 1].is_name("class"))) return {};
    return follow(resolve(std::string(tokens_[i].text)), i, i + 1);
  }

  // (os).system(...), (m := __import__("os")).system(...)
  void parenthesized(std::size_t open) {
    const std::size_t close = tokens_[open].partner;
    if (close <= open + 1 || !is_sign(close + 1, '.') || !is_name(open + 1)) return;
    if (open > 0 && (is_name(open - 1) || is_sign(open - 1, ')') || is_sign(open - 1, ']'))) return;
    const bool names = is_sign(open + 2, ':') && is_sign(open + 3, '=');
    if (names) assignment(open + 1, open + 4);
    std::size_t at = open + 1;
    const std::string name = resolve(dotted(at));
    if (names || at == close) follow(name, open, close + 1);
  }

  std::string follow(std::string name, std::size_t start, std::size_t i) {
    bool reached = false;  // by a name in a string
    while (i < tokens_.size() && name.size() < kMaxNameBytes) {
      if (is_sign(i, '.') && is_name(i + 1)) {
        name = resolve(name + "." + std::string(tokens_[i + 1].text));
        i += 2;
      } else if (is_sign(i, '[') && is_string(i + 1) && is_sign(i + 2, ']')) {
        name = subscript(name, python_string_value(tokens_[i + 1], kMaxNameBytes));
        reached = true;
        i += 3;
      } else if (is_sign(i, '(') && tokens_[i].partner > i) {
        const auto arguments = split(i);
        if (const auto target = reflected(name, arguments)) {
          name = *target;
          reached = true;
        } else {
          judge_call(name, arguments, start, reached);
          name += "()";
          reached = false;
        }
        i = tokens_[i].partner + 1;
      } else {
        break;
      }
    }
    return name;
  }

  // What `name["key"]` is where it is one of Python's own tables of names.
  static std::string subscript(const std::string& name, const std::string& key) {
    if (name == "globals()" || name == "locals()" || name == "sys.modules") return key;
    if (name.starts_with("vars(")) return key;
    if (name.ends_with(".__dict__")) return name.substr(0, name.size() - 8) + key;
    if (name == "__builtins__") return key;
    return name + "[]";
  }

  // What getattr(os, "system"), __import__("os") or vars(os) give.
  [[nodiscard]] std::optional<std::string> reflected(const std::string& name,
                                                     const std::vector<PythonArgument>& arguments) const {
    if (name == "getattr" && arguments.size() >= 2) {
      std::size_t at = arguments[0].begin;
      std::string object = resolve(dotted(at));
      if (tokens_[arguments[0].begin].is_name("__import__"))
        object = literal(arguments[0].begin + 2, arguments[0].end - 1);
      const std::string attribute = literal(arguments[1].begin, arguments[1].end);
      if (!object.empty() && !attribute.empty()) return object + "." + attribute;
    }
    const bool imports =
        name == "__import__" || name == "importlib.import_module" || name == "importlib.__import__";
    if (imports && !arguments.empty()) {
      const std::string module = literal(arguments[0].begin, arguments[0].end);
      if (!module.empty()) return module;
    }
    if (name == "vars" && arguments.size() == 1) {
      std::size_t at = arguments[0].begin;
      return resolve(dotted(at)) + ".__dict__";
    }
    return std::nullopt;
  }

  [[nodiscard]] std::vector<PythonArgument> split(std::size_t open) const {
    constexpr std::size_t kMaxArguments = 100;
    std::vector<PythonArgument> arguments;
    const std::size_t close = tokens_[open].partner;
    for (std::size_t begin = open + 1; begin < close && arguments.size() < kMaxArguments;) {
      PythonArgument argument{.begin = begin, .end = begin};
      if (is_name(begin) && is_sign(begin + 1, '=') && !is_sign(begin + 2, '=')) {
        argument.keyword = tokens_[begin].text;
        argument.begin = argument.end = begin + 2;
      }
      while (argument.end < close && !is_sign(argument.end, ',')) {
        if (tokens_[argument.end].partner > argument.end) argument.end = tokens_[argument.end].partner;
        ++argument.end;
      }
      begin = argument.end + 1;
      arguments.push_back(argument);
    }
    return arguments;
  }

  // The text of a literal string, also one in several parts or joined by "+"; empty for anything else.
  [[nodiscard]] std::string literal(std::size_t begin, std::size_t end) const {
    end = bounded(begin, end);
    std::string text;
    for (std::size_t i = begin; i < end; ++i) {
      if (tokens_[i].is_sign('+') || tokens_[i].is_sign('(') || tokens_[i].is_sign(')')) continue;
      if (!is_string(i) || tokens_[i].formatted) return {};
      text += python_string_value(tokens_[i], kMaxLiteralBytes - std::min(text.size(), kMaxLiteralBytes));
    }
    return text;
  }

  [[nodiscard]] bool is_literal(std::size_t begin, std::size_t end) const {
    if (end > bounded(begin, end)) return false;
    bool any = false;
    for (std::size_t i = begin; i < end; ++i) {
      if (is_name(i) || (is_string(i) && tokens_[i].formatted)) return false;
      any = true;
    }
    return any;
  }

  [[nodiscard]] std::string_view first_text(std::size_t begin, std::size_t end) const {
    end = bounded(begin, end);
    for (std::size_t i = begin; i < end; ++i) {
      if (is_string(i)) return tokens_[i].text;
    }
    return {};
  }

  // Text into which values are put: f"{x}", "..." % x, "..." + x, "...".format(x).
  [[nodiscard]] bool is_built(std::size_t begin, std::size_t end) const {
    end = bounded(begin, end);
    for (std::size_t i = begin; i < end; ++i) {
      if (!is_string(i)) continue;
      if (tokens_[i].formatted) return true;
      if (is_sign(i + 1, '%') && i + 2 < end) return true;
      if (is_sign(i + 1, '+') && i + 2 < end && !is_string(i + 2)) return true;
      if (i >= begin + 2 && is_sign(i - 1, '+') && !is_string(i - 2)) return true;
      if (is_sign(i + 1, '.') && i + 2 < end && tokens_[i + 2].is_name("format")) return true;
    }
    return false;
  }

  // Whether a value comes from bytes that were not readable in the source, or from the network.
  [[nodiscard]] bool holds_decoded(std::size_t begin, std::size_t end) const {
    end = bounded(begin, end);
    for (std::size_t i = begin; i < end; ++i) {
      if (!is_name(i) || after_dot(i)) continue;
      std::size_t at = i;
      const std::string name = resolve(dotted(at));
      if (decoded_.contains(std::string(tokens_[i].text))) return true;
      const auto kind = python_call_kind(name);
      if (kind == PythonCallKind::kDecodes || kind == PythonCallKind::kNetwork) return true;
      if (name == "getattr" || name == "__import__") {
        if (is_sign(at, '(') && tokens_[at].partner > at &&
            holds_literal_decoder(at + 1, tokens_[at].partner))
          return true;
      }
      i = std::max(i, at - 1);
    }
    return false;
  }

  [[nodiscard]] bool holds_literal_decoder(std::size_t begin, std::size_t end) const {
    end = bounded(begin, end);
    for (std::size_t i = begin; i < end; ++i) {
      if (is_string(i) && python_call_kind(std::string(tokens_[i].text) + ".x") == PythonCallKind::kDecodes)
        return true;
    }
    return false;
  }

  [[nodiscard]] const PythonArgument* keyword(const std::vector<PythonArgument>& arguments,
                                              std::string_view name) const {
    const auto found = std::find_if(arguments.begin(), arguments.end(),
                                    [&](const PythonArgument& a) { return a.keyword == name; });
    return found == arguments.end() ? nullptr : &*found;
  }
  [[nodiscard]] bool says(const std::vector<PythonArgument>& arguments, std::string_view name,
                          std::string_view value) const {
    const PythonArgument* argument = keyword(arguments, name);
    return argument != nullptr && argument->end == argument->begin + 1 &&
           tokens_[argument->begin].is_name(value);
  }

  // Names that lead from any object to Python's own.
  void judge_name(std::string_view name, std::size_t i) {
    constexpr std::array<std::string_view, 6> kInternals{"__subclasses__", "__globals__", "__builtins__",
                                                         "f_globals",      "f_builtins",  "gi_frame"};
    if (std::find(kInternals.begin(), kInternals.end(), name) == kInternals.end()) return;
    add("python.hidden-code", {}, i,
        fmt::format("it reaches for {}, by which code gets at what it does not name", formats::quote(name)));
  }

  // A function that is named and not called: map(os.system, x), @exec, Thread(target=os.system).
  void judge_mention(const std::string& name, std::size_t i);
  [[nodiscard]] bool is_handed_on(std::size_t i) const;
  void judge_call(const std::string& name, const std::vector<PythonArgument>& arguments, std::size_t i,
                  bool reached);
  void judge_executed_text(const std::string& name, const PythonArgument& text, std::size_t i);
  void judge_process(const std::string& name, const std::vector<PythonArgument>& arguments, std::size_t i,
                     bool shell);
  void judge_load(PythonCallKind kind, const std::string& name, const std::vector<PythonArgument>& arguments,
                  std::size_t i);
  void judge_unknown_call(const std::string& name, const std::vector<PythonArgument>& arguments,
                          std::size_t i);
  void system_prompt(std::size_t i);

  [[nodiscard]] bool at_import(std::size_t i) const { return place_.imported && !tokens_[i].deferred; }
  [[nodiscard]] std::string_view when(std::size_t i) const {
    return at_import(i) ? ", as soon as the file is imported" : "";
  }

  void add(std::string_view rule, std::optional<Severity> severity, std::size_t i, std::string_view what) {
    add(rule, severity, tokens_[i].offset, tokens_[i].line, what);
  }
  void add(std::string_view rule, std::optional<Severity> severity, std::uint32_t offset, std::uint32_t line,
           std::string_view what) {
    if (quiet_) return;
    findings_.add({.rule_id = std::string(rule),
                   .severity = severity.value_or(find_rule(rule)->severity),
                   .path = place_.path,
                   .offset = place_.part.empty() ? std::optional<std::uint64_t>(offset) : std::nullopt,
                   .message = fmt::format("{}line {}: {}", place_.part, line, what)});
  }

  const PythonPlace& place_;
  int depth_;
  Findings& findings_;
  PythonTokens read_;
  const std::vector<PythonToken>& tokens_;
  std::map<std::string, std::string> aliases_;
  std::set<std::string> stars_;      // modules of which all names are imported
  std::set<std::string> decoded_;    // variables that hold what was decoded
  std::set<std::string> built_sql_;  // variables that hold SQL with values in it
  bool quiet_ = false;
};

}  // namespace holdfast::inspect
