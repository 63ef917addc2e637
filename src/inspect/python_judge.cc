#include <algorithm>
#include <array>

#include "inspect/python_reader.h"

// What a call that was reached does, and when.

namespace holdfast::inspect {

using formats::quote;

bool is_sql(std::string_view text) {
  constexpr std::array<std::string_view, 11> kVerbs{"SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP",
                                                    "ALTER",  "WITH",   "PRAGMA", "MERGE",  "REPLACE"};
  while (!text.empty() && (text[0] == ' ' || text[0] == '\n' || text[0] == '\t' || text[0] == '('))
    text.remove_prefix(1);
  return std::any_of(kVerbs.begin(), kVerbs.end(), [&](std::string_view verb) {
    if (text.size() <= verb.size() || (text[verb.size()] != ' ' && text[verb.size()] != '\n')) return false;
    return std::equal(verb.begin(), verb.end(), text.begin(), [](char a, char b) {
      return a == (b >= 'a' && b <= 'z' ? static_cast<char>(b - 'a' + 'A') : b);
    });
  });
}

namespace {

std::string_view last_of(std::string_view name) { return name.substr(name.rfind('.') + 1); }

}  // namespace

// Whether what is built in stands as a value at token `i`, and not as the name of a parameter or variable.
bool PythonReader::is_handed_on(std::size_t i) const {
  if (i == 0 || i + 1 >= tokens_.size()) return false;
  if (is_sign(i - 1, '@')) return true;
  const bool ends = is_sign(i + 1, ',') || is_sign(i + 1, ')');
  if (!ends) return false;
  if (is_sign(i - 1, '=')) return true;
  if (!is_sign(i - 1, '(') || i < 2) return false;
  constexpr std::array<std::string_view, 7> kCallers{"map",     "filter", "partial", "submit",
                                                     "starmap", "reduce", "register"};
  return std::any_of(kCallers.begin(), kCallers.end(),
                     [&](std::string_view caller) { return tokens_[i - 2].is_name(caller); });
}

void PythonReader::judge_mention(const std::string& name, std::size_t i) {
  if (name.find_first_of("([") != std::string::npos || name.starts_with("sh.")) return;
  const auto kind = python_call_kind(name);
  const std::string_view last = last_of(name);
  const bool function = !last.empty() && last.front() >= 'a' && last.front() <= 'z';
  const bool qualified = last.size() < name.size();
  const bool runs = kind == PythonCallKind::kShell || kind == PythonCallKind::kProcess ||
                    (kind == PythonCallKind::kExecutesText && name != "compile");
  if (!runs || !function || !(qualified || is_handed_on(i))) return;
  const bool text = kind == PythonCallKind::kExecutesText;
  add(text ? "python.executes-text" : "python.process", {}, i,
      fmt::format("{} is handed on, so that something else may call it{}", name, when(i)));
}

void PythonReader::judge_call(const std::string& name, const std::vector<PythonArgument>& arguments,
                              std::size_t i, bool reached) {
  const auto kind = python_call_kind(name);
  if (reached && kind != PythonCallKind::kNone && kind != PythonCallKind::kImports) {
    add("python.hidden-code", {}, i, fmt::format("it reaches {} by a name in a string", quote(name)));
  }
  switch (kind) {
    case PythonCallKind::kNone:
      return judge_unknown_call(name, arguments, i);
    case PythonCallKind::kDecodes:
      return;
    case PythonCallKind::kExecutesText:
      if (!arguments.empty()) judge_executed_text(name, arguments[0], i);
      return;
    case PythonCallKind::kShell:
      return judge_process(name, arguments, i, true);
    case PythonCallKind::kProcess:
      return judge_process(name, arguments, i, false);
    case PythonCallKind::kUnpickles:
    case PythonCallKind::kTorchLoad:
    case PythonCallKind::kNumpyLoad:
    case PythonCallKind::kYamlLoad:
    case PythonCallKind::kKerasLoad:
      return judge_load(kind, name, arguments, i);
    case PythonCallKind::kImports:
      return add("python.dynamic-import", {}, i,
                 fmt::format("{} imports a module whose name is not written there", name));
    case PythonCallKind::kNetwork:
      return add("python.network", at_import(i) ? Severity::kHigh : Severity::kLow, i,
                 fmt::format("{} reaches for the network{}", name, when(i)));
    case PythonCallKind::kNative:
      return add("python.native-code", {}, i,
                 fmt::format("{} runs code of a native library{}", name, when(i)));
    case PythonCallKind::kRemoteCode:
      return add("python.remote-code", {}, i, fmt::format("{} fetches code from a hub and runs it", name));
    case PythonCallKind::kTemplate:
      if (arguments.empty() || is_literal(arguments[0].begin, arguments[0].end)) return;
      return add("python.template-injection", {}, i,
                 fmt::format("{} takes a template that is not written there", name));
    case PythonCallKind::kPromptTemplate: {
      const bool built = std::any_of(arguments.begin(), arguments.end(),
                                     [&](const PythonArgument& a) { return is_built(a.begin, a.end); });
      if (built)
        add("python.prompt-injection", {}, i,
            fmt::format("{} takes a template into which values were put before", name));
      return;
    }
  }
}

void PythonReader::judge_executed_text(const std::string& name, const PythonArgument& text, std::size_t i) {
  if (holds_decoded(text.begin, text.end)) {
    return add("python.decoded-code", {}, i,
               fmt::format("{} runs what was decoded or fetched{}", name, when(i)));
  }
  if (!is_literal(text.begin, text.end)) {
    return add("python.executes-text", {}, i,
               fmt::format("{} runs text that is put together while the program runs{}", name, when(i)));
  }
  const std::string code = literal(text.begin, text.end);
  if (code.empty() || depth_ >= kMaxTextDepth || quiet_) return;
  const PythonPlace inner{
      .path = place_.path,
      .part = fmt::format("{}in the text that {} runs on line {}, ", place_.part, name, tokens_[i].line),
      .imported = at_import(i)};
  PythonReader(code, inner, depth_ + 1, findings_).run();
}

void PythonReader::judge_process(const std::string& name, const std::vector<PythonArgument>& arguments,
                                 std::size_t i, bool shell) {
  shell = shell || says(arguments, "shell", "True");
  const bool built = !arguments.empty() && !is_literal(arguments[0].begin, arguments[0].end);
  const Severity severity = at_import(i) ? Severity::kCritical : shell ? Severity::kHigh : Severity::kMedium;
  const std::string command =
      arguments.empty() ? std::string() : literal(arguments[0].begin, arguments[0].end);
  add("python.process", severity, i,
      fmt::format("{} {}{}{}{}", name, shell ? "has a shell run a command" : "starts a program",
                  built ? " that is put together from values" : "",
                  command.empty() ? "" : fmt::format(" ({})", quote(command)), when(i)));
}

void PythonReader::judge_load(PythonCallKind kind, const std::string& name,
                              const std::vector<PythonArgument>& arguments, std::size_t i) {
  const bool decoded = !arguments.empty() && holds_decoded(arguments[0].begin, arguments[0].end);
  if (kind == PythonCallKind::kUnpickles && decoded) {
    return add(
        "python.decoded-code", {}, i,
        fmt::format("{} loads what was decoded or fetched, and runs what that asks for{}", name, when(i)));
  }
  if (kind == PythonCallKind::kTorchLoad) {
    if (says(arguments, "weights_only", "True")) return;
    const bool absent = keyword(arguments, "weights_only") == nullptr;
    return add("python.unsafe-load", absent ? Severity::kLow : Severity::kMedium, i,
               fmt::format("{} loads a pickle {}", name,
                           absent ? "without weights_only, which before PyTorch 2.6 runs what it asks for"
                                  : "with weights_only off, and runs what it asks for"));
  }
  if (kind == PythonCallKind::kNumpyLoad && !says(arguments, "allow_pickle", "True")) return;
  if (kind == PythonCallKind::kKerasLoad && !says(arguments, "safe_mode", "False")) return;
  if (kind == PythonCallKind::kYamlLoad) {
    const PythonArgument* loader = keyword(arguments, "Loader");
    if (loader == nullptr && arguments.size() >= 2) loader = &arguments[1];
    std::size_t at = loader == nullptr ? 0 : loader->begin;
    const std::string loader_name = loader == nullptr ? std::string() : resolve(dotted(at));
    if (loader_name.ends_with("SafeLoader") || loader_name.ends_with("BaseLoader")) return;
  }
  add("python.unsafe-load", {}, i, fmt::format("{} runs whatever the data it loads asks for", name));
}

void PythonReader::judge_unknown_call(const std::string& name, const std::vector<PythonArgument>& arguments,
                                      std::size_t i) {
  if (says(arguments, "trust_remote_code", "True")) {
    add("python.remote-code", {}, i,
        fmt::format("{} trusts code from a hub (trust_remote_code)", quote(name)));
  }
  if (says(arguments, "shell", "True")) judge_process(name, arguments, i, true);
  for (const std::string_view off : {"weights_only", "safe_mode"}) {
    if (says(arguments, off, "False")) {
      add("python.unsafe-load", {}, i,
          fmt::format("{} loads with {} off, and runs what the data asks for", quote(name), off));
    }
  }
  for (const std::string_view on :
       {"allow_pickle", "allow_dangerous_deserialization", "enable_unsafe_deserialization"}) {
    if (says(arguments, on, "True")) {
      add("python.unsafe-load", {}, i,
          fmt::format("{} loads with {} on, and runs what the data asks for", quote(name), on));
    }
  }
  const std::string_view last = last_of(name);
  if ((last == "methodcaller" || last == "attrgetter") && !arguments.empty()) {
    const std::string method = literal(arguments[0].begin, arguments[0].end);
    if (python_call_kind("os." + method) != PythonCallKind::kNone ||
        python_call_kind(method) == PythonCallKind::kExecutesText) {
      add("python.hidden-code", {}, i, fmt::format("it reaches {} by a name in a string", quote(method)));
    }
  }
  if (last == "from_string" && !arguments.empty() && name.find("nvironment") != std::string::npos &&
      !is_literal(arguments[0].begin, arguments[0].end)) {
    add("python.template-injection", {}, i,
        fmt::format("{} takes a template that is not written there", quote(name)));
  }
  constexpr std::array<std::string_view, 7> kQueries{
      "execute", "executemany", "executescript", "read_sql", "read_sql_query", "raw", "text"};
  if (arguments.empty() || std::find(kQueries.begin(), kQueries.end(), last) == kQueries.end()) return;
  const PythonArgument& query = arguments[0];
  const bool variable =
      query.end == query.begin + 1 && built_sql_.contains(std::string(tokens_[query.begin].text));
  if (variable || (is_built(query.begin, query.end) && is_sql(first_text(query.begin, query.end)))) {
    add("python.sql-injection", {}, i,
        fmt::format("{} runs SQL into which values were put as text", quote(name)));
  }
}

// {"role": "system", "content": f"... {x}"}: what comes from outside is given the standing of an instruction.
void PythonReader::system_prompt(std::size_t i) {
  if (tokens_[i].text != "role" || !is_sign(i + 1, ':') || !is_string(i + 2) ||
      tokens_[i + 2].text != "system")
    return;
  if (!is_sign(i + 3, ',') || !is_string(i + 4) || tokens_[i + 4].text != "content" || !is_sign(i + 5, ':'))
    return;
  std::size_t end = i + 6;
  while (end < tokens_.size() && !is_sign(end, ',') && !is_sign(end, '}') &&
         tokens_[end].kind != Kind::kNewLine) {
    if (tokens_[end].partner > end) end = tokens_[end].partner;
    ++end;
  }
  if (is_built(i + 6, end))
    add("python.prompt-injection", Severity::kLow, i, "a system prompt has values put into it");
}

}  // namespace holdfast::inspect
