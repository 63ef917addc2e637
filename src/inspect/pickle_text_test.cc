#include "inspect/pickle_text.h"

#include <gmock/gmock-matchers.h>

namespace holdfast::inspect {
namespace {

// Expected values are those of CPython 3.11: codecs.escape_decode and bytes.decode("raw-unicode-escape").
TEST(Escapes, AreDecodedAsPythonDoes) {
  EXPECT_EQ(decode_escapes(R"(os)"), "os");
  EXPECT_EQ(decode_escapes(R"(\x6f\163)"), "os");
  EXPECT_EQ(decode_escapes(R"(\7\n\\\'\")"), "\a\n\\'\"");
  EXPECT_EQ(decode_escapes(R"(\q)"), "\\q");
  EXPECT_EQ(decode_escapes(R"(\8)"), "\\8");
}

TEST(Escapes, ThatFailOrLeaveAsciiAreNothing) {
  for (const auto* text : {"\\", "\\x4", "\\xzz", "\\377", "\xc3\xa9", "\\x"}) {
    EXPECT_EQ(decode_escapes(text), std::nullopt) << text;
  }
}

TEST(RawUnicode, IsDecodedAsPythonDoes) {
  EXPECT_EQ(decode_raw_unicode(R"(\u006fs)"), "os");
  EXPECT_EQ(decode_raw_unicode(R"(\U0000006fs)"), "os");
  EXPECT_EQ(decode_raw_unicode(R"(\\u006f)"), R"(\\u006f)");
  EXPECT_EQ(decode_raw_unicode(R"(\\\u006f)"), R"(\\o)");
  EXPECT_EQ(decode_raw_unicode(R"(a\nb\)"), R"(a\nb\)");
  for (const auto* text : {R"(\u00)", R"(\u00e9)", R"(\u00zz)", "\xe9"}) {
    EXPECT_EQ(decode_raw_unicode(text), std::nullopt) << text;
  }
}

TEST(NumberText, IsWhatPythonMayTake) {
  for (const auto* text : {"1", "-12L", "0x1F", "1_000", " 5", "inf", "1e5"})
    EXPECT_TRUE(is_number_text(text)) << text;
  for (const auto* text : {"", "a model, by us", "{}", "\x01"}) EXPECT_FALSE(is_number_text(text)) << text;
}

TEST(Printable, DrivesNoTerminal) {
  EXPECT_EQ(printable("a\x1b[31m\n"), "a\\x1b[31m\\x0a");
  EXPECT_EQ(printable(std::string(200, 'a')).size(), 123U);
}

}  // namespace
}  // namespace holdfast::inspect
