#include "policy/parser.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/file.h"
#include "policy/schema.h"
#include "policy/validator.h"

namespace holdfast::policy {
namespace {

std::string read(const std::string& name) {
  const auto bytes = base::read_file(std::string(HOLDFAST_TESTDATA) + "/" + name, 1 << 20);
  EXPECT_TRUE(bytes.has_value()) << name;
  return bytes ? std::string(base::as_text(*bytes)) : std::string();
}

struct Golden {
  std::string text;
  std::string message;
};

// Cases of a text, a line "=> <message>", and an empty line.
std::vector<Golden> read_golden(const std::string& name) {
  std::vector<Golden> cases;
  const std::string file = read(name);
  for (std::size_t at = 0; at < file.size();) {
    const std::size_t mark = file.find("\n=> ", at);
    const std::size_t end = file.find("\n\n", mark);
    if (mark == std::string::npos || end == std::string::npos) break;
    cases.push_back({file.substr(at, mark - at), file.substr(mark + 4, end - mark - 4)});
    at = end + 2;
  }
  EXPECT_GT(cases.size(), 5U) << name;
  return cases;
}

TEST(Parser, SaysWhereAndWhatItExpected) {
  for (const auto& [text, message] : read_golden("errors/policies.txt")) {
    const auto policies = parse_policies(text);
    EXPECT_EQ(policies ? "accepted" : policies.error().message, message) << text;
  }
}

TEST(SchemaParser, SaysWhatIsWrong) {
  for (const auto& [text, message] : read_golden("errors/schemas.txt")) {
    const auto schema = Schema::parse(text);
    EXPECT_EQ(schema ? "accepted" : schema.error().message, message) << text;
  }
}

TEST(Validator, SaysWhatIsWrong) {
  const auto schema = Schema::parse(read("valid.cedarschema"));
  ASSERT_TRUE(schema.has_value()) << schema.error().message;
  for (const auto& [text, message] : read_golden("errors/validation.txt")) {
    const auto policies = parse_policies(text);
    ASSERT_TRUE(policies.has_value()) << text << policies.error().message;
    const auto report = validate_policies(*policies, *schema);
    std::string found;
    for (const auto& issue : report.errors) found += issue.message + "\n";
    for (const auto& issue : report.warnings) found += "warning: " + issue.message + "\n";
    EXPECT_EQ(found.empty() ? "valid\n" : found, message + "\n") << text;
  }
}

TEST(Parser, TakesTheWholeGrammar) {
  const auto policies = parse_policies(read("grammar.cedar"));
  ASSERT_TRUE(policies.has_value()) << policies.error().message;
  EXPECT_EQ(policies->policies().size(), 3U);
  EXPECT_EQ(policies->templates().size(), 2U);
}

// What is printed parses again, to what prints the same.
TEST(Parser, ReadsWhatAPolicyPrints) {
  const auto policies = parse_policies(read("grammar.cedar"));
  ASSERT_TRUE(policies.has_value()) << policies.error().message;
  std::string printed;
  for (const Policy& policy : policies->policies()) printed += policy.text();
  for (const Policy& policy : policies->templates()) printed += policy.text();
  EXPECT_EQ(printed, read("grammar.printed"));
  const auto again = parse_policies(printed);
  ASSERT_TRUE(again.has_value()) << again.error().message;
  std::string twice;
  for (const Policy& policy : again->policies()) twice += policy.text();
  for (const Policy& policy : again->templates()) twice += policy.text();
  EXPECT_EQ(twice, printed);
}

TEST(Parser, KeepsAnnotationsAndTakesIdsFromThem) {
  const auto policies = parse_policies(
      "@id(\"gate\") @remedy(\"do\\nit\") @bare @if(\"x\") "
      "forbid(principal, action, resource); permit(principal, action, resource);",
      PolicyIds::kAnnotation);
  ASSERT_TRUE(policies.has_value());
  const Policy* gate = policies->find("gate");
  ASSERT_NE(gate, nullptr);
  EXPECT_EQ(gate->annotation("remedy"), "do\nit");
  EXPECT_EQ(gate->annotation("bare"), "");
  EXPECT_EQ(gate->annotation("if"), "x");
  EXPECT_EQ(gate->annotation("none"), std::nullopt);
  EXPECT_NE(policies->find("policy1"), nullptr);
}

TEST(Parser, RefusesTwoPoliciesOfOneId) {
  const auto policies = parse_policies(
      "@id(\"a\") permit(principal, action, resource); "
      "@id(\"a\") permit(principal, action, resource);",
      PolicyIds::kAnnotation);
  EXPECT_EQ(policies.error().message, "two policies are called \"a\"; give each its own @id");
}

// Cut anywhere, a policy is refused, and never read past its end.
TEST(Parser, RefusesEveryTruncation) {
  const std::string text =
      "@a(\"\\u{e9}\") permit(principal is A::B in ?principal, action in [Action::\"x\"], resource) "
      "when { if context has a.b then [1, -2].contains(3) else \"x\" like \"*\" };";
  ASSERT_TRUE(parse_policies(text).has_value());
  for (std::size_t length = 1; length < text.size(); ++length) {
    EXPECT_FALSE(parse_policies(text.substr(0, length)).has_value()) << length;
  }
}

// 10^5 parentheses, and other ways to be deep.
TEST(Parser, RefusesDepthInsteadOfRunningOutOfStack) {
  const auto repeat = [](std::string_view piece, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += piece;
    return text;
  };
  constexpr std::size_t kMany = 100'000;
  const auto message = [](const std::string& scope, const std::string& condition) {
    const auto policies =
        parse_policies("permit(principal" + scope + ", action, resource) when { " + condition + " };");
    return policies ? std::string("accepted") : policies.error().message;
  };
  EXPECT_EQ(message("", repeat("(", kMany) + "true" + repeat(")", kMany)),
            "1:244: expressions are nested deeper than 200");
  EXPECT_EQ(message("", repeat("[", kMany)), "1:244: expressions are nested deeper than 200");
  EXPECT_EQ(message("", repeat("{a:", kMany)), "1:644: expressions are nested deeper than 200");
  EXPECT_EQ(message("", repeat("if ", kMany)), "1:644: expressions are nested deeper than 200");
  EXPECT_EQ(message("", repeat("ip(", kMany)), "1:644: expressions are nested deeper than 200");
  EXPECT_EQ(message("", "!" + repeat("(!", kMany)), "1:444: expressions are nested deeper than 200");
  EXPECT_EQ(message("", repeat("!", kMany) + "true"), "1:44: `!` may stand at most 4 times in a row");
  EXPECT_EQ(message("", "1" + repeat("+1", kMany)),
            "an expression is nested deeper than 1000; split the policy");
  EXPECT_EQ(message("", "context" + repeat(".a", kMany)),
            "an expression is nested deeper than 1000; split the policy");
  EXPECT_EQ(message(" == " + repeat("(", kMany), "true"), "1:222: parentheses are nested deeper than 200");
  EXPECT_EQ(message("", "true" + repeat(" && true", 10'000)), "accepted");  // a chain is no depth
  EXPECT_EQ(message("", "[" + repeat("1,", 10'000) + "]"), "accepted");
}

TEST(Parser, SkipsWhiteSpaceAndCommentsAnywhere) {
  EXPECT_TRUE(parse_policies("").has_value());
  EXPECT_TRUE(parse_policies("// nothing").has_value());
  const auto policies =
      parse_policies("//a\r\npermit(//b\nprincipal,\u00A0action\u3000,resource\v\f\u0085)//c\r;\u2028//d");
  ASSERT_TRUE(policies.has_value()) << policies.error().message;
  EXPECT_EQ(policies->policies().size(), 1U);
}

TEST(Parser, RefusesWhatIsTooLargeOrNoText) {
  EXPECT_EQ(parse_policies(std::string(Lexer::kMaxBytes + 1, ' ')).error().code,
            base::ErrorCode::kLimitExceeded);
  for (const char* text : {"\x80", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\xFF"}) {
    EXPECT_EQ(parse_policies(std::string("//") + text).error().message,
              "1:3: this is not UTF-8; save the file as UTF-8");
  }
}

}  // namespace
}  // namespace holdfast::policy
