#include "inspect/torch_export.h"

#include <fmt/format.h>
#include <gmock/gmock-more-matchers.h>
#include <gtest/gtest.h>

#include "formats/zip_test_builder.h"
#include "inspect/artefact.h"

namespace holdfast::inspect {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

auto rule(std::string_view id, std::string_view message) {
  return AllOf(Field(&Finding::rule_id, id), Field(&Finding::message, HasSubstr(std::string(message))));
}

std::vector<Finding> judged(const std::string& json, std::size_t gaps = 0) {
  Findings findings;
  EXPECT_THAT(inspect_exported_program(json, "m.pt2!m/models/model.json", findings), SizeIs(gaps));
  return findings.take();
}

std::vector<Finding> calling(const std::string& target) {
  return judged(
      fmt::format(R"({{"graph_module":{{"graph":{{"nodes":[{{"target":"{}","inputs":[]}}]}}}}}})", target));
}

std::vector<Finding> sized(const std::string& expression) {
  return judged(fmt::format(R"({{"sym_int_values":{{"a":{{"as_expr":{{"expr_str":"{}","hint":null}}}}}}}})",
                            expression));
}

std::vector<Finding> guarded(const std::string& guard) {
  return judged(fmt::format(R"({{"guards_code":["{}"]}})", guard));
}

std::vector<Finding> shaped(const std::string& spec) {
  return judged(fmt::format(R"({{"in_spec":"{}"}})", spec));
}

Coverage look(const std::string& name, Findings& findings) {
  const auto file = formats::FileSource::open(HOLDFAST_TESTDATA "/torch/" + name).value();
  return inspect_artefact(file, name, findings);
}

TEST(TorchExport, LeavesHonestProgramsAlone) {
  for (const std::string name : {"export.pt2", "export-older.pt2"}) {
    Findings findings;
    const Coverage coverage = look(name, findings);
    EXPECT_EQ(coverage.format, "PyTorch export");
    EXPECT_THAT(findings.items(), IsEmpty()) << name;
    EXPECT_THAT(coverage.not_looked_at, IsEmpty()) << name;
  }
}

TEST(TorchExport, KnowsWhatANodeMayCall) {
  EXPECT_THAT(calling("torch.ops.aten.add.Tensor"), IsEmpty());
  EXPECT_THAT(calling("torch.ops.higher_order.cond"), IsEmpty());
  EXPECT_THAT(calling("_operator.floordiv"), IsEmpty());
  EXPECT_THAT(calling("math.ceil"), IsEmpty());
  EXPECT_THAT(calling("torch.ops.aten.from_file.default"),
              ElementsAre(rule("torch.file-access", "from_file")));
  EXPECT_THAT(calling("torch.ops.rogue.run.default"),
              ElementsAre(rule("torch.custom-operation", "rogue.run")));
  EXPECT_THAT(calling("#rogue:run"), ElementsAre(rule("torch.custom-operation", "#rogue:run")));
  EXPECT_THAT(calling("torch.ops.higher_order.triton_kernel_wrapper_mutation"),
              ElementsAre(rule("torch.native-code", "triton")));
}

TEST(TorchExport, RefusesNamesThatLeadIntoPython) {
  for (const std::string target :
       {"torch.os.system", "torch.ops.load_library", "torch.serialization.os.system",
        "_operator.methodcaller", "math.__loader__.load_module", "torch.ops.aten.add.__class__",
        "torch.ops.aten.add.default.__globals__", "torchvision", "torch"}) {
    EXPECT_THAT(calling(target), ElementsAre(rule("torch.export-call", target))) << target;
  }
}

TEST(TorchExport, ReadsSizesAsWhatTheLoaderRuns) {
  EXPECT_THAT(sized("Mul(Integer(2), Symbol('s39', positive=True, integer=True))"), IsEmpty());
  EXPECT_THAT(sized("2*s0 + Max(1, u7)//3"), IsEmpty());
  for (const std::string code : {"__import__('os').system('true')", "Symbol('s0').__class__", "exec('x')",
                                 "[x for x in ()]", "lambda: 0", "Symbol('a b; c')", "f'{s0}'"}) {
    EXPECT_THAT(sized(code), ElementsAre(rule("torch.export-expression", ""))) << code;
  }
}

TEST(TorchExport, ReadsGuardsAsWhatTheLoaderRuns) {
  EXPECT_THAT(guarded("(L['x'].size()[0] % 2) == 0"), IsEmpty());
  EXPECT_THAT(guarded("torch.os.system('true')"), ElementsAre(rule("torch.export-expression", "torch.os")));
  EXPECT_THAT(guarded("L['\\\"), exec(1)#']"), ElementsAre(rule("torch.export-expression", "")));
}

TEST(TorchExport, FindsModulesThatADescriptionImports) {
  EXPECT_THAT(
      shaped(R"([1, {\"type\": \"builtins.dict\", \"context\": \"[\\\"k\\\"]\", \"children_spec\": []}])"),
      IsEmpty());
  EXPECT_THAT(
      shaped(
          R"([1, {\"context\": \"[{\\\"__enum__\\\": true, \\\"fqn\\\": \\\"rogue:A\\\", \\\"name\\\": \\\"B\\\"}]\"}])"),
      ElementsAre(rule("torch.export-import", "\"rogue:A\"")));
  EXPECT_THAT(
      shaped(
          R"([1, {\"context\": {\"default_factory_module\": \"rogue\", \"default_factory_name\": \"list\"}}])"),
      ElementsAre(rule("torch.export-import", "\"rogue\"")));
  EXPECT_THAT(
      shaped(
          R"([1, {\"context\": {\"default_factory_module\": \"builtins\", \"default_factory_name\": \"list\"}}])"),
      IsEmpty());
}

TEST(TorchExport, SaysWhatItCouldNotRead) {
  EXPECT_THAT(judged("{\"graph_module\": ", 1), ElementsAre(rule("torch.malformed", "no JSON")));
  EXPECT_THAT(judged(R"({"in_spec": "[1, {"})", 1),
              ElementsAre(rule("torch.malformed", "inputs or outputs")));
  EXPECT_THAT(judged(std::string(200, '['), 1), ElementsAre(rule("torch.malformed", "deep")));
}

TEST(TorchExport, LooksIntoWeightsThatAreNotBareNumbers) {
  const std::string evil = "cposix\nsystem\n(S'ls'\ntR.";
  const auto archive = formats::zip_archive(
      {formats::zip_item("m/archive_format", "pt2", formats::kZipStored),
       formats::zip_item(
           "m/data/weights/m_weights_config.json",
           R"({"config":{"a":{"path_name":"weight_0","use_pickle":false},)"
           R"("b":{"use_pickle":true,"path_name":"weight_1"},"c":{"path_name":"opaque_obj_0"}}})"),
       formats::zip_item("m/data/weights/weight_0", evil, formats::kZipStored),
       formats::zip_item("m/data/weights/weight_1", evil, formats::kZipStored),
       formats::zip_item("m/data/weights/weight_2", evil, formats::kZipStored),
       formats::zip_item("m/data/constants/opaque_obj_0", evil, formats::kZipStored)});
  Findings findings;
  const Coverage coverage = inspect_artefact(formats::MemorySource(archive), "m.pt2", findings);
  EXPECT_THAT(coverage.not_looked_at, IsEmpty());
  EXPECT_THAT(findings.items(), ElementsAre(Field(&Finding::path, "m.pt2!m/data/weights/weight_1"),
                                            Field(&Finding::path, "m.pt2!m/data/weights/weight_2"),
                                            Field(&Finding::path, "m.pt2!m/data/constants/opaque_obj_0")));
}

TEST(RawTensors, AreThoseThatEveryDescriptionCallsSo) {
  RawTensors raw;
  raw.add(R"({"config":{"a":{"path_name":"weight_0","use_pickle":false}}})");
  EXPECT_TRUE(raw.contains("m/data/weights/weight_0"));
  raw.add(R"({"config":{"a":{"path_name":"weight_0","use_pickle":true}}})");
  EXPECT_FALSE(raw.contains("weight_0"));
  raw.add(R"({"config":{"a":{"path_name":"tensor_1","use_pickle":false}}})");
  raw.add("{");
  EXPECT_FALSE(raw.contains("tensor_1"));
}

}  // namespace
}  // namespace holdfast::inspect
