#include "inspect/text_files.h"

#include <gmock/gmock-more-matchers.h>

#include <utility>

#include "patterns/testing.h"

namespace holdfast::inspect {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

struct Outcome {
  std::vector<Finding> findings;
  Gaps gaps;
};

Outcome inspect(std::string_view text, formats::Format format = formats::Format::kText,
                const std::string& path = "notes.txt") {
  const formats::MemorySource source(base::as_bytes(text));
  formats::SourceStream stream(source);
  Findings findings;
  auto gaps = inspect_text_file(format, stream, path, findings);
  return {findings.take(), std::move(gaps)};
}

TEST(TextFiles, NameACredentialByItsLineAndNeverShowIt) {
  const std::string token = patterns::testing::github_token();
  const auto outcome = inspect("first\ntoken: " + token + "\n");
  ASSERT_THAT(outcome.findings, SizeIs(1));
  const Finding& finding = outcome.findings[0];
  EXPECT_EQ(finding.rule_id, "secret.token");
  EXPECT_EQ(finding.severity, Severity::kHigh);
  EXPECT_EQ(finding.offset, 13U);
  EXPECT_THAT(finding.message, AllOf(HasSubstr("line 2: GitHub token"), HasSubstr("valid checksum")));
  EXPECT_THAT(finding.message, Not(HasSubstr(token.substr(4))));
}

TEST(TextFiles, TakeATokenThatWasNeverIssuedLightly) {
  std::string token = patterns::testing::github_token();
  token[10] = token[10] == 'a' ? 'b' : 'a';
  const auto outcome = inspect(token);
  ASSERT_THAT(outcome.findings, SizeIs(1));
  EXPECT_EQ(outcome.findings[0].severity, Severity::kInfo);
}

TEST(TextFiles, WithoutAnythingInThemAreClean) {
  const auto outcome = inspect("# A model card\n\nlicense: apache-2.0\n");
  EXPECT_THAT(outcome.findings, IsEmpty());
  EXPECT_THAT(outcome.gaps, IsEmpty());
}

TEST(TextFiles, ThatArePythonAreReadAsSuch) {
  for (const auto& [format, path] :
       {std::pair(formats::Format::kPython, "a"), std::pair(formats::Format::kText, "a.py")}) {
    const auto outcome = inspect("import os\nos.system('id')\n", format, path);
    ASSERT_THAT(outcome.findings, SizeIs(2));
    EXPECT_EQ(outcome.findings[0].rule_id, "file.python-source");
    EXPECT_EQ(outcome.findings[0].severity, Severity::kInfo);
    EXPECT_EQ(outcome.findings[1].rule_id, "python.process");
  }
}

TEST(TextFiles, ThatPythonRunsAtItsStartAreFound) {
  const auto hook = inspect("./lib\nimport os; os.system('id')\n", formats::Format::kText, "model/a.pth");
  ASSERT_THAT(hook.findings, SizeIs(3));
  EXPECT_EQ(hook.findings[0].rule_id, "python.starts-by-itself");
  EXPECT_EQ(hook.findings[2].rule_id, "python.process");
  EXPECT_EQ(inspect("x = 1\n", formats::Format::kText, "a.zip!sitecustomize.py").findings[0].rule_id,
            "python.starts-by-itself");
  EXPECT_THAT(inspect("./lib\nimported\n", formats::Format::kText, "model/a.pth").findings, IsEmpty());
}

TEST(TextFiles, ThatAreChatTemplatesAreReadAsSuch) {
  const auto outcome = inspect("{{ x.__class__.__mro__ }}", formats::Format::kText,
                               "model/additional_chat_templates/tool.jinja");
  ASSERT_FALSE(outcome.findings.empty());
  EXPECT_EQ(outcome.findings[0].rule_id, "config.template-code");
}

TEST(TextFiles, ThatLoadersTakeForAProgramAreNotClearedBeyondTheBound) {
  const std::string text(kMaxTextBytes + 10, '\n');
  EXPECT_THAT(inspect(text, formats::Format::kText, "config.yaml").gaps, SizeIs(1));
}

TEST(TextFiles, AreReadToTheirEndForCredentials) {
  std::string text(kMaxTextBytes + 10, '\n');
  text += patterns::testing::github_token();
  EXPECT_THAT(inspect(text).findings, SizeIs(1));
}

}  // namespace
}  // namespace holdfast::inspect
