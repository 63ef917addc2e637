#include "inspect/gguf.h"

#include <fmt/format.h>

#include "formats/anomaly.h"
#include "formats/gguf.h"
#include "inspect/jinja.h"

namespace holdfast::inspect {
namespace {

// "tokenizer.chat_template" and, by name, "tokenizer.chat_template.<name>" (gguf-py's Keys.Tokenizer).
constexpr std::string_view kTemplateKey = "tokenizer.chat_template";

constexpr Rule kRules[] = {
    {.id = "gguf.malformed",
     .severity = Severity::kMedium,
     .title = "GGUF file that breaks its format",
     .explanation = "The header contradicts itself or the file: tensors that overlap or lie outside, or "
                    "lengths that no writer gives, which is how readers of this format were attacked.",
     .remedy = "Convert the model again with llama.cpp's own converter.",
     .practice = "P24",
     .risk = "R14",
     .atlas = "AML.T0011.000"},
    {.id = "gguf.template-code",
     .severity = Severity::kHigh,
     .title = "Chat template that reaches beyond its messages",
     .explanation = "A chat template is a Jinja program that loaders render with their own objects at hand; "
                    "without a sandbox such a construct runs code (CVE-2024-34359).",
     .remedy = "Replace the template by the one that the model's maker publishes, and render templates in "
               "Jinja's ImmutableSandboxedEnvironment.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
};

void inspect_template(const formats::GgufEntry& entry, const std::string& path, Findings& findings) {
  for (const JinjaConstruct& construct : jinja_constructs(entry.text)) {
    findings.add({.rule_id = "gguf.template-code",
                  .severity = construct.severity,
                  .path = path,
                  .offset = entry.offset + construct.offset,
                  .message = fmt::format("line {} of {}: {}", construct.line, formats::quote(entry.key),
                                         construct.what)});
  }
}

}  // namespace

Gaps inspect_gguf(const formats::Source& file, const std::string& path, Findings& findings) {
  const auto read = formats::read_gguf(file);
  if (!read) {
    findings.add("gguf.malformed", path, std::nullopt, read.error().message);
    return {read.error().message};
  }
  for (const formats::GgufEntry& entry : read->metadata) {
    if (entry.key.starts_with(kTemplateKey)) inspect_template(entry, path, findings);
  }
  if (read->unlisted > 0) {
    findings.add("archive.hidden-data", path, read->data_end,
                 fmt::format("{} bytes belong to no tensor", read->unlisted));
  }
  return {};
}

std::span<const Rule> gguf_rules() { return kRules; }

}  // namespace holdfast::inspect
