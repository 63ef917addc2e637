#include "inspect/text_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "inspect/model_config.h"
#include "inspect/notebook.h"
#include "inspect/python_source.h"
#include "inspect/secrets.h"

namespace holdfast::inspect {
namespace {

constexpr std::size_t kReadStep = 64UL << 10;

struct Text {
  std::string bytes;  // at most kMaxTextBytes
  bool whole = true;
};

// Looks for credentials in all of the stream and keeps its beginning.
base::Result<Text> read_and_scan(formats::Stream& stream, const std::string& path, Findings& findings) {
  Text text;
  patterns::SecretScanner scanner;
  const auto step = std::make_unique_for_overwrite<std::uint8_t[]>(kReadStep);
  while (true) {
    HF_TRY(const std::size_t got, stream.read({step.get(), kReadStep}));
    if (got == 0) break;
    const base::ByteView piece(step.get(), got);
    scanner.feed(piece);
    if (text.bytes.size() + got > kMaxTextBytes) text.whole = false;
    if (text.whole) text.bytes.append(base::as_text(piece));
  }
  scanner.finish();
  report_secrets(scanner, path, findings);
  return text;
}

// Loaders take a file for Python by its name; its content tells it in an archive or a notebook.
bool is_python(formats::Format format, std::string_view path) {
  return format == formats::Format::kPython || path.ends_with(".py") || path.ends_with(".pyw");
}

// What loaders read as a program or configuration, whatever it begins with.
bool is_read_by_name(std::string_view path) {
  constexpr std::array<std::string_view, 6> kEnds{".py", ".pyw", ".pth", ".yaml", ".yml", ".jinja"};
  return std::any_of(kEnds.begin(), kEnds.end(), [&](std::string_view end) { return path.ends_with(end); });
}

// Lib/site.py: addpackage, execsitecustomize. A line of a .pth file that begins so is executed.
bool is_start_hook(std::string_view path, std::string_view text) {
  const std::string_view name = path.substr(path.find_last_of("/!") + 1);
  if (name == "sitecustomize.py" || name == "usercustomize.py") return true;
  if (!name.ends_with(".pth")) return false;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find_first_of("\r\n"));
    if (line.starts_with("import ") || line.starts_with("import\t")) return true;
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return false;
}

// transformers: chat_template.jinja and additional_chat_templates/.
bool is_template(std::string_view path) {
  return path.ends_with(".jinja") || path.ends_with(".jinja2") || path.ends_with(".j2");
}

// Documents show configuration as an example; no loader reads them.
bool is_prose(std::string_view path) { return path.ends_with(".md") || path.ends_with(".rst"); }

}  // namespace

Gaps inspect_text_file(formats::Format format, formats::Stream& stream, const std::string& path,
                       Findings& findings) {
  const auto text = read_and_scan(stream, path, findings);
  if (!text) return {text.error().message};
  if (!text->whole && (format != formats::Format::kText || is_read_by_name(path))) {
    return {fmt::format("it is text beyond the {} MiB that are read", kMaxTextBytes >> 20)};
  }
  const bool start_hook = is_start_hook(path, text->bytes);
  if (start_hook) {
    findings.add("python.starts-by-itself", path, 0, "Python runs it whenever it starts where it is found");
  }
  if (is_python(format, path) || start_hook) {
    findings.add("file.python-source", path, 0, "it is Python source");
    return inspect_python(text->bytes, {.path = path, .part = {}}, findings);
  }
  if (format == formats::Format::kJson) {
    return is_notebook(text->bytes) ? inspect_notebook(text->bytes, path, findings)
                                    : inspect_json_config(text->bytes, path, findings);
  }
  if (is_template(path)) inspect_chat_template(text->bytes, path, findings);
  if (!is_prose(path)) inspect_yaml_config(text->bytes, path, findings);
  return {};
}

std::span<const Rule> text_file_rules() {
  static const auto rules = [] {
    std::vector<Rule> all;
    for (const auto part : {secret_rules(), python_rules(), notebook_rules(), model_config_rules()})
      all.insert(all.end(), part.begin(), part.end());
    return all;
  }();
  return rules;
}

}  // namespace holdfast::inspect
