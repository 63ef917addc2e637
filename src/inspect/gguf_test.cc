#include "inspect/gguf.h"

#include <gmock/gmock-more-matchers.h>
#include <gtest/gtest.h>

namespace holdfast::inspect {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

void append_number(std::string& out, std::uint64_t value, int width) {
  for (int i = 0; i < width; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

void append_text(std::string& out, std::string_view text) {
  append_number(out, text.size(), 8);
  out += text;
}

// A file of one text of metadata.
std::string file(std::string_view key, std::string_view text) {
  std::string out = "GGUF";
  append_number(out, 3, 4);
  append_number(out, 0, 8);
  append_number(out, 1, 8);
  append_text(out, key);
  append_number(out, 8, 4);
  append_text(out, text);
  return out;
}

std::vector<Finding> findings_of(const std::string& bytes, std::size_t gaps = 0) {
  Findings findings;
  EXPECT_THAT(inspect_gguf(formats::MemorySource(base::as_bytes(bytes)), "m.gguf", findings), SizeIs(gaps));
  return findings.take();
}

TEST(InspectGguf, NamesThePlaceOfCodeInATemplate) {
  for (const auto* key : {"tokenizer.chat_template", "tokenizer.chat_template.tool_use"}) {
    const std::string bytes = file(key, "{{ messages }}\n{{ x.__class__ }}");
    const auto found = findings_of(bytes);
    ASSERT_THAT(found, SizeIs(1));
    EXPECT_EQ(found[0].rule_id, "gguf.template-code");
    EXPECT_THAT(found[0].message, HasSubstr("line 2"));
    EXPECT_EQ(bytes.substr(static_cast<std::size_t>(*found[0].offset), 9), "__class__");
  }
}

TEST(InspectGguf, LeavesHonestFilesAlone) {
  EXPECT_THAT(
      findings_of(file("tokenizer.chat_template", "{% for m in messages %}{{ m['content'] }}{% endfor %}")),
      IsEmpty());
  EXPECT_THAT(findings_of(file("general.description", "{{ x.__class__ }}")), IsEmpty());
}

TEST(InspectGguf, SaysThatItDidNotUnderstand) {
  const auto found = findings_of("GGUF\3", 1);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].rule_id, "gguf.malformed");
}

}  // namespace
}  // namespace holdfast::inspect
