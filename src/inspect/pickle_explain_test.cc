#include <gmock/gmock-matchers.h>

#include "inspect/pickle.h"

namespace holdfast::inspect {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

std::string explain(std::string_view bytes, std::size_t max_bytes = 10'000) {
  const formats::MemorySource source(base::as_bytes(bytes));
  formats::SourceStream stream(source);
  Findings findings;
  return inspect_pickle(stream, "model.pkl", {.max_program_bytes = max_bytes}, findings).value().program;
}

TEST(Explain, WritesCallsAsAssignments) {
  EXPECT_EQ(explain("cos\nsystem\n(S'true'\ntR."), "var_0 = os.system('true')\nresult = var_0\n");
}

TEST(Explain, ResolvesNamesThroughTheMemo) {
  EXPECT_EQ(explain("\x80\x04N\x94\x8c\x06system\x94\x8c\x02os\x94"
                    "000h\x02h\x01\x93\x8c\x04true\x85R."),
            "var_0 = os.system('true')\nresult = var_0\n");
}

TEST(Explain, ShowsObjectsTheirStateAndTheirItems) {
  EXPECT_EQ(explain("\x80\x02"
                    "cacme\nModel\n)\x81}(U\x01wK\x03U\x01xNub(U\x01kNu."),
            "var_0 = acme.Model.__new__(acme.Model, *())\n"
            "var_0.__setstate__({'w': 3, 'x': None})\n"
            "var_0.update({'k': None})\n"
            "result = var_0\n");
}

TEST(Explain, ShowsContainersAsTheyAreFilled) {
  EXPECT_EQ(explain("(lp0\nI1\naI2\nag0\na."), "result = [1, 2, [1, 2]]\n");
  EXPECT_EQ(explain("\x80\x04(K\x01\x88\x89N\x91."), "result = frozenset([1, True, False, None])\n");
  EXPECT_EQ(explain("\x80\x02K\x01\x85K\x02K\x03\x86\x86."), "result = ((1,), (2, 3))\n");
}

TEST(Explain, NamesWhatIsNoConstant) {
  EXPECT_EQ(explain("\x80\x02\x82\x07)R."), "var_0 = copyreg_extension(7)()\nresult = var_0\n");
  EXPECT_EQ(explain("\x80\x02U\x01kQ."), "var_0 = persistent_load('k')\nresult = var_0\n");
}

TEST(Explain, IsBoundedInSizeAndInEachValue) {
  std::string bytes = "(";
  for (int i = 0; i < 5000; ++i) bytes += "cacme\nf\n(tR";
  const auto program = explain(bytes + "l.", 1000);
  EXPECT_LE(program.size(), 1000U);
  EXPECT_THAT(program, EndsWith("# the rest is left out\n"));

  const auto list = explain("(" + std::string(5000, 'N') + "l.");
  EXPECT_LT(list.size(), 300U);
  EXPECT_THAT(list, HasSubstr("...]"));
}

TEST(Explain, IsLeftOutUnlessAskedFor) { EXPECT_EQ(explain("N.", 0), ""); }

TEST(Explain, DrivesNoTerminal) { EXPECT_EQ(explain("\x80\x02U\x03\x1b[m."), "result = '\\x1b[m'\n"); }

}  // namespace
}  // namespace holdfast::inspect
