#include "inspect/notebook.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "formats/anomaly.h"
#include "inspect/json_walk.h"
#include "inspect/python_source.h"

namespace holdfast::inspect {
namespace {

using formats::quote;

constexpr std::size_t kMaxCells = 20'000;

constexpr Rule kRules[] = {
    {.id = "notebook.active-output",
     .severity = Severity::kMedium,
     .title = "Output that runs in the browser",
     .explanation = "A notebook's saved outputs can hold scripts, which run with the reader's session once "
                    "the notebook is "
                    "trusted or shown by a viewer that trusts it.",
     .remedy = "Clear the outputs, and run the notebook anew where that is safe.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "notebook.hidden-cell",
     .severity = Severity::kLow,
     .title = "Code cells that are shown folded",
     .explanation = "Code that a reader does not see runs with all the rest.",
     .remedy = "Unfold the cells and read them before running the notebook.",
     .practice = "P24",
     .risk = "R12",
     .atlas = ""},
    {.id = "notebook.installs-from-address",
     .severity = Severity::kMedium,
     .title = "Package from an address",
     .explanation = "A cell installs a package from an address or an index of its own, past the registry and "
                    "what watches "
                    "over it; installing runs the package's code.",
     .remedy = "Install from the registry, by version and digest.",
     .practice = "P23",
     .risk = "R13",
     .atlas = "AML.T0010.001"},
    {.id = "notebook.shell",
     .severity = Severity::kMedium,
     .title = "Commands of a shell",
     .explanation = "A cell has a shell run commands, with all rights of whoever runs the notebook.",
     .remedy = "Read the commands before running the notebook; do by Python or by the environment's build "
               "what they do.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
};

struct Cell {
  bool code = false;
  bool hidden = false;
  std::string source;
};

struct Output {
  std::size_t cell = 0;
  std::string type;
  bool dangerous = false;
};

std::string lowered(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

bool holds_any(const std::string& text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view w) { return text.find(w) != std::string::npos; });
}

// Gathers cells as they come: cells[i] in nbformat 4, worksheets[w].cells[i] in nbformat 3.
class Gatherer final : public JsonVisitor {
 public:
  std::vector<Cell> cells;
  std::vector<Output> outputs;
  std::string language = "python";
  bool whole = true;

  void text(const JsonPath& path, std::string_view value) override {
    if (path.size() == 3 && path[0].key == "metadata" &&
        (path[2].key == "language" || (path[1].key == "language_info" && path[2].key == "name"))) {
      language = lowered(value);
    }
    const std::size_t at = cell_at(path);
    if (at == 0 || at >= path.size()) return;
    const std::string& field = path[at].key;
    if (field == "cell_type") cell_.code = value == "code";
    if (field == "source" || field == "input") cell_.source.append(value);
    if (field == "language" && value != "python") cell_.code = false;
    if (field == "metadata" && path.back().key.empty() && is_hiding_tag(value)) cell_.hidden = true;
    if (field == "outputs" || field == "attachments") output(path, at, value);
  }

  void flag(const JsonPath& path, bool value) override {
    const std::size_t at = cell_at(path);
    if (at == 0 || !value || path.size() < at + 1) return;
    if (path.back().key == "source_hidden" || path.back().key == "hide_input") cell_.hidden = true;
  }

  void object_ends(const JsonPath& path) override {
    const std::size_t at = cell_at(path);
    if (at == 0 || path.size() != at) return;
    if (cells.size() < kMaxCells) {
      cells.push_back(std::move(cell_));
    } else {
      whole = false;
    }
    cell_ = {};
  }

 private:
  // How many steps of the path lead to a cell; 0 where it leads elsewhere.
  static std::size_t cell_at(const JsonPath& path) {
    if (path.size() >= 2 && path[0].key == "cells" && path[1].key.empty()) return 2;
    if (path.size() >= 4 && path[0].key == "worksheets" && path[2].key == "cells") return 4;
    return 0;
  }

  static bool is_hiding_tag(std::string_view tag) {
    constexpr std::array<std::string_view, 6> kTags{"hide_input", "hide-input",  "hide_cell",
                                                    "hide-cell",  "remove-cell", "remove_cell"};
    return std::find(kTags.begin(), kTags.end(), tag) != kTags.end();
  }

  void output(const JsonPath& path, std::size_t at, std::string_view value) {
    std::string type;
    for (std::size_t i = at; i < path.size(); ++i) {
      if (path[i].key.find('/') != std::string::npos || path[i].key == "html" || path[i].key == "javascript")
        type = path[i].key;
    }
    const bool script = type.find("javascript") != std::string::npos;
    const bool markup = type.find("html") != std::string::npos || type.find("svg") != std::string::npos;
    if (!script && !markup) return;
    const std::string lower = lowered(value);
    if (!script && !holds_any(lower, {"<script", "<iframe",
                                      "javascript:", "onerror=", "onload=", "onclick=", "onmouseover="}))
      return;
    const bool dangerous =
        holds_any(lower, {"kernel.execute", "document.cookie", "xmlhttprequest", "fetch(", "sendbeacon"});
    const std::size_t cell = cells.size() + 1;
    if (!outputs.empty() && outputs.back().cell == cell && outputs.back().type == type) {
      outputs.back().dangerous = outputs.back().dangerous || dangerous;
    } else if (outputs.size() < kMaxCells) {
      outputs.push_back({.cell = cell, .type = type, .dangerous = dangerous});
    }
  }

  Cell cell_;
};

class Judge {
 public:
  Judge(const std::string& path, Findings& findings) : path_(path), findings_(findings) {}

  // Takes IPython's own lines out of a cell, judges them, and has the rest read as Python.
  Gaps code(const Cell& cell, std::size_t number) {
    std::string python;
    std::string_view rest = cell.source;
    for (std::size_t line_number = 1; !rest.empty(); ++line_number) {
      const std::size_t end = std::min(rest.size(), rest.find('\n'));
      const std::string_view line = rest.substr(0, end);
      rest.remove_prefix(std::min(rest.size(), end + 1));
      if (is_shell_cell(line, python)) {
        shell(fmt::format("{}{}", line, rest.empty() ? "" : " ..."), rest, number, line_number);
        return {};
      }
      python += without_magic(line, number, line_number);
      python += '\n';
    }
    return inspect_python(
        python, {.path = path_, .part = fmt::format("in cell {}, ", number), .imported = false}, findings_);
  }

  void output(const Output& output) {
    const Severity severity = output.dangerous ? Severity::kHigh : Severity::kLow;
    add("notebook.active-output", severity,
        fmt::format("an output or attachment of cell {} ({}) holds a script{}", output.cell,
                    quote(output.type),
                    output.dangerous ? " that reaches for the kernel, the session or the network" : ""));
  }

  void hidden(std::size_t count, std::size_t first) {
    add("notebook.hidden-cell", Severity::kLow,
        fmt::format("{} code cells are folded, the first of them is cell {}", count, first));
  }

 private:
  static std::string_view trimmed(std::string_view line) {
    const std::size_t begin = std::min(line.size(), line.find_first_not_of(" \t"));
    return line.substr(begin);
  }

  static bool is_shell_cell(std::string_view line, const std::string& before) {
    constexpr std::array<std::string_view, 9> kMagics{"%%bash", "%%sh",   "%%script", "%%system",    "%%!",
                                                      "%%perl", "%%ruby", "%%cmd",    "%%powershell"};
    if (before.find_first_not_of(" \t\r\n") != std::string::npos) return false;
    const std::string_view text = trimmed(line);
    return std::any_of(kMagics.begin(), kMagics.end(),
                       [&](std::string_view m) { return text.starts_with(m); });
  }

  // The line as Python; "pass" for one of IPython's, which is judged.
  std::string without_magic(std::string_view line, std::size_t number, std::size_t line_number) {
    const std::string_view text = trimmed(line);
    const std::string indent(line.substr(0, line.size() - text.size()));
    if (text.starts_with("!") || text.starts_with("%sx ") || text.starts_with("%system ") ||
        text.starts_with("%pip") || text.starts_with("%conda")) {
      shell(text, {}, number, line_number);
      return indent + "pass";
    }
    if (text.starts_with("%") || text.starts_with("?") || text.ends_with("?")) return indent + "pass";
    // name = !command
    const std::size_t mark = text.find("= !");
    const bool assigned = mark != std::string_view::npos &&
                          text.substr(0, mark).find_first_of("\"'(#=") == std::string_view::npos;
    if (!assigned) return std::string(line);
    shell(text.substr(mark + 2), {}, number, line_number);
    return indent + "pass";
  }

  void shell(std::string_view command, std::string_view more, std::size_t number, std::size_t line_number) {
    const std::string text = fmt::format("{}\n{}", command, more);
    const bool installs = holds_any(text, {"pip install", "pip3 install", "conda install"});
    if (installs &&
        holds_any(text, {"http://", "https://", "git+", "--index-url", "--extra-index-url", " -i "})) {
      return add("notebook.installs-from-address", Severity::kMedium,
                 fmt::format("in cell {}, line {}: {} installs from an address", number, line_number,
                             quote(command)));
    }
    if (installs && more.empty()) return;
    const bool fetches = holds_any(text, {"curl ", "wget "});
    const bool runs = holds_any(
        text, {"| sh", "|sh", "| bash", "|bash", "| python", "|python", "base64 -d", "/dev/tcp/", "nc -e"});
    add("notebook.shell", fetches && runs ? Severity::kHigh : Severity::kMedium,
        fmt::format("in cell {}, line {}: a shell runs {}{}", number, line_number, quote(command),
                    fetches && runs ? ", which runs what it fetches" : ""));
  }

  void add(std::string_view rule, Severity severity, std::string message) {
    findings_.add({.rule_id = std::string(rule),
                   .severity = severity,
                   .path = path_,
                   .offset = std::nullopt,
                   .message = std::move(message)});
  }

  const std::string& path_;
  Findings& findings_;
};

}  // namespace

bool is_notebook(std::string_view json) {
  const bool cells = json.find("\"cells\"") != std::string_view::npos;
  return cells && json.find("\"nbformat\"") != std::string_view::npos;
}

Gaps inspect_notebook(std::string_view json, const std::string& path, Findings& findings) {
  Gatherer notebook;
  Gaps gaps;
  if (auto walked = walk_json(json, notebook); !walked) gaps.push_back(walked.error().message);
  if (!notebook.whole) gaps.push_back(fmt::format("its cells beyond {} are not read", kMaxCells));
  Judge judge(path, findings);
  std::size_t hidden = 0;
  std::size_t first_hidden = 0;
  const bool python = notebook.language.find("python") != std::string::npos;
  std::size_t unread = 0;
  for (std::size_t i = 0; i < notebook.cells.size(); ++i) {
    const Cell& cell = notebook.cells[i];
    if (!cell.code || cell.source.empty()) continue;
    if (cell.hidden && hidden++ == 0) first_hidden = i + 1;
    if (!python) {
      ++unread;
      continue;
    }
    for (auto& gap : judge.code(cell, i + 1)) gaps.push_back(std::move(gap));
  }
  if (unread > 0)
    gaps.push_back(fmt::format("its {} cells of code in {} are not read", unread, quote(notebook.language)));
  if (hidden > 0) judge.hidden(hidden, first_hidden);
  for (const Output& output : notebook.outputs) judge.output(output);
  return gaps;
}

std::span<const Rule> notebook_rules() { return kRules; }

}  // namespace holdfast::inspect
