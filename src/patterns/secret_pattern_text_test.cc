#include "patterns/secret_pattern_text.h"

#include <fmt/format.h>
#include <gmock/gmock-matchers.h>

namespace holdfast::patterns {
namespace {

TEST(SecretPatternText, GoesThereAndBack) {
  const auto text = to_text(builtin_secret_patterns());
  const auto parsed = parse_secret_patterns(text).value();
  ASSERT_EQ(parsed.items().size(), builtin_secret_patterns().size());
  EXPECT_EQ(to_text(parsed.items()), text);
}

TEST(SecretPatternText, RefusesWhatIsNoPattern) {
  constexpr std::string_view kRight = "id|A title|token|KEY_|prefix|hex|4|8|none|a source\n";
  EXPECT_TRUE(parse_secret_patterns(kRight));
  EXPECT_TRUE(parse_secret_patterns(fmt::format("# a comment | more\n\n{}", kRight)));
  for (const auto* wrong :
       {"", "# nothing\n", "id|A title|token|KEY_|prefix|hex|4|8|none\n",
        "id|A title|token|KEY_|prefix|hex|4|8|none|a|b\n", "|A title|token|KEY_|prefix|hex|4|8|none|s\n",
        "id|A title|word|KEY_|prefix|hex|4|8|none|s\n", "id|A title|token||prefix|hex|4|8|none|s\n",
        "id|A title|token|KEY_|suffix|hex|4|8|none|s\n", "id|A title|token|KEY_|prefix|greek|4|8|none|s\n",
        "id|A title|token|KEY_|prefix|hex|9|8|none|s\n", "id|A title|token|KEY_|prefix|hex|-4|8|none|s\n",
        "id|A title|token|KEY_|prefix|hex|4|99999999|none|s\n",
        "id|A title|token|KEY_|prefix|hex|4|8|luhn|s\n"}) {
    EXPECT_FALSE(parse_secret_patterns(wrong)) << wrong;
  }
  std::string many;
  for (std::size_t i = 0; i <= kMaxSecretPatterns; ++i) many += kRight;
  EXPECT_EQ(parse_secret_patterns(many).error().code, base::ErrorCode::kLimitExceeded);
  EXPECT_FALSE(parse_secret_patterns(
      fmt::format("id|A title|token|{}|prefix|hex|4|8|none|s\n", std::string(kMaxKeywordBytes + 1, 'k'))));
}

// In a process of its own, since patterns are put in force for the life of one.
TEST(SecretPatternText, TakesThePlaceOfTheProgramsOwn) {
  EXPECT_EXIT(
      {
        use_secret_patterns(parse_secret_patterns("mine|My token|token|mine_|prefix|hex|4|8|none|me\n")
                                .value_or(SecretPatterns()));
        const auto found = find_secrets("a = \"mine_8f3a1c\" AKIA2E0A8F3B244C9986\n");
        std::_Exit(found.size() == 1 && found.front().pattern == "mine" ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace holdfast::patterns
