#include "formats/pickle_start.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace holdfast::formats {
namespace {

using namespace std::string_view_literals;

bool whole(std::string_view text) { return may_start_pickle(base::as_bytes(text), text.size()); }
bool head(std::string_view text) { return may_start_pickle(base::as_bytes(text), std::nullopt); }

TEST(PickleStart, TakesEachProtocol) {
  EXPECT_TRUE(whole("(dp0\nS'a'\np1\nI1\ns."));                               // 0
  EXPECT_TRUE(whole("}q\0X\1\0\0\0aq\1K\1s."sv));                             // 1
  EXPECT_TRUE(whole("\x80\2}q\0."sv));                                        // 2
  EXPECT_TRUE(whole("\x80\4\x95\x0a\0\0\0\0\0\0\0}\x94\x8c\1a\x94K\1s."sv));  // 4
  EXPECT_TRUE(whole("\x80\5\x96\1\0\0\0\0\0\0\0x."sv));                       // 5
  EXPECT_TRUE(whole("\x80\4 broken beyond the first opcode"sv));
}

TEST(PickleStart, TakesProgramsWithoutMagic) {
  EXPECT_TRUE(whole("cposix\nsystem\n(S'ls'\ntR."));
  EXPECT_TRUE(whole("cposix\nsystem\n(S'ls'\ntR"));            // the load has run before the end is missed
  EXPECT_TRUE(whole("(S'ls'\niposix\nsystem\n."));             // INST
  EXPECT_TRUE(whole("iposix\nsystem\n"));                      // joblib's loader imports first
  EXPECT_TRUE(whole("(cposix\nsystem\nS'ls'\no."));            // OBJ
  EXPECT_TRUE(whole("N0]0)0\x8c\5posix\x8c\6system\x93."sv));  // STACK_GLOBAL after noise
  EXPECT_TRUE(whole("\x82\1."sv));                             // EXT1
  EXPECT_TRUE(whole("I1\n."));
  EXPECT_TRUE(whole("K\1."sv));
  EXPECT_TRUE(whole("((((1N."));
  EXPECT_TRUE(whole("I1\n.N.cposix\nsystem\n"));  // after two programs that do nothing
  EXPECT_TRUE(whole("c\xC3\xA9\nname\n"));        // a module may be named so
}

TEST(PickleStart, RefusesTextAndFaults) {
  EXPECT_FALSE(whole(""));
  EXPECT_FALSE(whole("."));                                  // STOP without a value
  EXPECT_FALSE(whole("R"));                                  // REDUCE without
  EXPECT_FALSE(whole("t."));                                 // no mark
  EXPECT_FALSE(whole("N"));                                  // no STOP, nothing done
  EXPECT_FALSE(whole("X\xFF\xFF\0\0short"sv));               // longer than the file
  EXPECT_FALSE(whole("import os\nprint(1)\n"));              // INST of "mport os"
  EXPECT_FALSE(whole("class Net(nn.Module):\n    pass\n"));  // GLOBAL of "lass Net(nn.Module):"
  EXPECT_FALSE(whole("id,age,income\n1,2,3\n"));
  EXPECT_FALSE(whole("Name,Age\nTom,4\n"));
  EXPECT_FALSE(whole("Index of files\n"));
  EXPECT_FALSE(whole("(see below)\n"));
  EXPECT_FALSE(whole("0.1 0.2\n"));
  EXPECT_FALSE(whole("{\"a\": 1}"));
  EXPECT_FALSE(whole("# Title\n"));
  EXPECT_FALSE(whole("The quick brown fox"));
  EXPECT_FALSE(whole("Git v2.31.7 Release Notes\n"));  // a float, then STOP, then a fault
  EXPECT_FALSE(whole("S unquoted\n."));
  EXPECT_FALSE(whole("P\xC3\xA9\n."));
}

TEST(PickleStart, AHeadThatRunsWithoutFaultMayBeOne) {
  EXPECT_TRUE(head("X\xFF\xFF\0\0short"sv));
  EXPECT_TRUE(head("V a long line that the head cuts"));
  EXPECT_TRUE(head("cnumpy.core.multi"));
  EXPECT_FALSE(head("cnot a module"));
  EXPECT_FALSE(head(""));
}

TEST(PickleStart, MarksBeyondTheBoundAreLeftToTheInterpreter) { EXPECT_TRUE(whole(std::string(100, '('))); }

}  // namespace
}  // namespace holdfast::formats
