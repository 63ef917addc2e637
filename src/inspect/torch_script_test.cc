#include "inspect/torch_script.h"

#include <gmock/gmock-more-matchers.h>
#include <gtest/gtest.h>

#include "inspect/artefact.h"
#include "inspect/torch_ops.h"

namespace holdfast::inspect {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

auto rule(std::string_view id, std::string_view message) {
  return AllOf(Field(&Finding::rule_id, id), Field(&Finding::message, HasSubstr(std::string(message))));
}

// What is found in code of one file, all of which must be looked at.
std::vector<Finding> judged(std::string_view code) {
  Findings findings;
  TorchScript script;
  EXPECT_THAT(script.add(code, "m.pt!m/code/__torch__.py", findings), IsEmpty());
  EXPECT_THAT(script.finish(findings), IsEmpty());
  return findings.take();
}

std::vector<Finding> called(const std::string& statement) {
  return judged("class M(Module):\n  def forward(self: __torch__.M,\n    x: Tensor) -> Tensor:\n    " +
                statement + "\n    return x\n");
}

std::vector<Finding> found_in(const std::string& name, std::string_view format) {
  const auto file = formats::FileSource::open(HOLDFAST_TESTDATA "/torch/" + name).value();
  Findings findings;
  const Coverage coverage = inspect_artefact(file, name, findings);
  EXPECT_EQ(coverage.format, format);
  EXPECT_THAT(coverage.not_looked_at, IsEmpty());
  return findings.take();
}

TEST(TorchScript, LeavesHonestProgramsAlone) {
  EXPECT_THAT(found_in("script.pt", "TorchScript"), IsEmpty());
  EXPECT_THAT(found_in("mobile.ptl", "TorchScript"), IsEmpty());
}

TEST(TorchScript, NamesOperationsThatReachFiles) {
  EXPECT_THAT(found_in("script-files.pt", "TorchScript"),
              UnorderedElementsAre(rule("torch.file-access", "\"torch.save\""),
                                   rule("torch.file-access", "\"torch.from_file\""),
                                   rule("torch.file-access", "\"ops.image.read_file\"")));
}

TEST(TorchScript, JudgesEachWayToNameAnOperation) {
  EXPECT_THAT(called("_0 = torch.add(x, x)"), IsEmpty());
  EXPECT_THAT(called("_0 = ops.prim.data(x)"), IsEmpty());
  EXPECT_THAT(called("_0 = (x).add(x)"), IsEmpty());
  EXPECT_THAT(called("(x).save(\"f\")"), ElementsAre(rule("torch.file-access", "\"save\"")));
  EXPECT_THAT(called("x.save(\"f\")"), ElementsAre(rule("torch.file-access", "\"save\"")));
  EXPECT_THAT(called("f = x.save"), ElementsAre(rule("torch.file-access", "\"save\"")));
  EXPECT_THAT(called("getattr(x, \"sa\\x76e\")(\"f\")"), ElementsAre(rule("torch.file-access", "\"save\"")));
  EXPECT_THAT(called("f = torch"), ElementsAre(rule("torch.script-code", "takes the name torch")));
  EXPECT_THAT(called("f = ops.image"), ElementsAre(rule("torch.script-code", "namespace of operations")));
  EXPECT_THAT(called("_0 = rpc_sync(\"w\", x)"), ElementsAre(rule("torch.network-access", "\"rpc_sync\"")));
  EXPECT_THAT(called("_0 = ops.c10d.send(x)"),
              ElementsAre(rule("torch.network-access", "\"ops.c10d.send\"")));
  EXPECT_THAT(called("_0 = ^Python(1)(x)"), Contains(rule("torch.script-code", "\"^\"")));
  EXPECT_THAT(called("_0 = ops.inductor._reinterpret_tensor(x)"),
              ElementsAre(rule("torch.memory-access", "_reinterpret_tensor")));
}

TEST(TorchScript, NamesWhatPyTorchDoesNotHave) {
  EXPECT_THAT(called("_0 = ops.rogue.run(x)"),
              ElementsAre(rule("torch.custom-operation", "\"ops.rogue.run\"")));
  EXPECT_THAT(called("_0 = torch.no_such_thing(x)"), ElementsAre(rule("torch.custom-operation", "no_such")));
  EXPECT_THAT(called("_0 = __torch__.torch.classes.rogue.Thing(x)"),
              ElementsAre(rule("torch.custom-operation", "\"rogue.Thing\"")));
  EXPECT_THAT(called("a : __torch__.torch.classes.quantized.LinearPackedParamsBase"), IsEmpty());
  EXPECT_THAT(called("_0 = exec(\"x\")"), ElementsAre(rule("torch.script-code", "the function \"exec\"")));
  EXPECT_THAT(called("(x).no_such_method(1)"),
              ElementsAre(rule("torch.script-code", "the method \"no_such_method\"")));
}

TEST(TorchScript, KnowsWhatOtherFilesDefine) {
  Findings findings;
  TorchScript script;
  EXPECT_THAT(
      script.add("class A(Module):\n  def f(self: __torch__.A) -> Tensor:\n    return (self.b).mine(1, )\n",
                 "a.py", findings),
      IsEmpty());
  EXPECT_THAT(
      script.add("class B(Module):\n  def mine(self: __torch__.B) -> int:\n    return 1\n", "b.py", findings),
      IsEmpty());
  EXPECT_THAT(script.finish(findings), IsEmpty());
  EXPECT_THAT(findings.items(), IsEmpty());
}

TEST(TorchScript, ReadsTheOperationsOfBytecode) {
  const auto named = [](std::string_view bytes) {
    Findings findings;
    TorchScript::add_bytecode(bytes, "m.ptl!m/bytecode.pkl", findings);
    return findings.take();
  };
  using namespace std::string_view_literals;
  EXPECT_THAT(named("X\x09\0\0\0aten::addq\x01"sv), IsEmpty());
  EXPECT_THAT(named("X\x0A\0\0\0aten::saveq\x01"sv),
              ElementsAre(rule("torch.file-access", "\"aten::save\"")));
  EXPECT_THAT(named("U\x0A"
                    "rogue::run\x01"sv),
              ElementsAre(rule("torch.custom-operation", "\"rogue::run\"")));
  EXPECT_THAT(named("::"), IsEmpty());
  EXPECT_THAT(named("X::a::"), ElementsAre(rule("torch.custom-operation", "")));
}

TEST(TorchReach, KnowsWhatOperationsDo) {
  EXPECT_EQ(torch_reach("aten::add"), TorchReach::kNothing);
  EXPECT_EQ(torch_reach("aten::save"), TorchReach::kFile);
  EXPECT_EQ(torch_reach("c10d::anything"), TorchReach::kNetwork);
  EXPECT_EQ(torch_reach("prim::PythonOp"), TorchReach::kPython);
  EXPECT_EQ(torch_reach("add"), TorchReach::kUnknown);
  EXPECT_EQ(torch_reach("rogue::add"), TorchReach::kUnknown);
  EXPECT_TRUE(is_torch_class("quantized.LinearPackedParamsBase"));
  EXPECT_FALSE(is_torch_class("quantized"));
  EXPECT_FALSE(is_torch_class("torchvision.Video"));
}

}  // namespace
}  // namespace holdfast::inspect
