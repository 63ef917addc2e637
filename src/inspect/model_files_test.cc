#include "inspect/model_files.h"

#include <gmock/gmock-more-matchers.h>
#include <gtest/gtest.h>

#include "inspect/artefact.h"

namespace holdfast::inspect {
namespace {

using formats::Format;
using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct Looked {
  Coverage coverage;
  std::vector<Finding> findings;
};

Looked look_at(const formats::Source& source) {
  Findings findings;
  Looked out{.coverage = inspect_artefact(source, "m", findings), .findings = {}};
  out.findings = findings.take();
  return out;
}

Looked look_at_golden(const std::string& name) {
  return look_at(formats::FileSource::open(HOLDFAST_TESTDATA "/" + name).value());
}

Looked look_at_text(std::string_view text) { return look_at(formats::MemorySource(base::as_bytes(text))); }

auto rule(std::string_view id) { return Field(&Finding::rule_id, id); }

TEST(ModelFiles, AreClearedWhereTheirLibrariesWroteThem) {
  for (const auto* name :
       {"models/xgboost.ubj", "models/xgboost.json", "models/catboost.cbm", "models/lightgbm.txt",
        "models/plain.mlmodel", "tensorflow/plain.pb", "tensorflow/plain.tflite"}) {
    const auto looked = look_at_golden(name);
    EXPECT_THAT(looked.findings, IsEmpty()) << name;
    EXPECT_THAT(looked.coverage.not_looked_at, IsEmpty()) << name;
  }
}

TEST(ModelFiles, AreKnownByWhatTheyHold) {
  EXPECT_EQ(look_at_golden("models/xgboost.ubj").coverage.format, "ubjson");
  EXPECT_EQ(look_at_golden("models/catboost.cbm").coverage.format, "catboost");
  EXPECT_EQ(look_at_golden("models/plain.mlmodel").coverage.format, "coreml");
  EXPECT_EQ(look_at_golden("tensorflow/frozen.pb").coverage.format, "tf-graph");
}

TEST(ModelFiles, AreLookedIntoInsideArchives) {
  const auto looked = look_at_golden("keras/lambda.keras");
  EXPECT_THAT(looked.coverage.not_looked_at, IsEmpty());
  EXPECT_THAT(looked.findings, SizeIs(2));
  EXPECT_THAT(looked.findings, Each(AllOf(rule("keras.lambda"), Field(&Finding::path, "m!config.json"))));
}

TEST(CoreMl, NamesCodeOfTheApp) {
  EXPECT_THAT(
      look_at_golden("models/custom.mlmodel").findings,
      ElementsAre(AllOf(rule("coreml.custom-code"), Field(&Finding::message, HasSubstr("\"AppModel\"")))));
  EXPECT_THAT(look_at_golden("models/pipeline.mlmodel").findings,
              ElementsAre(AllOf(rule("coreml.custom-code"), Field(&Finding::message, HasSubstr("layer")))));
}

TEST(TreeModels, AreRefusedWhereTheyContradictThemselves) {
  const auto file = formats::FileSource::open(HOLDFAST_TESTDATA "/models/xgboost.ubj").value();
  auto bytes = formats::read_exactly(file, 0, static_cast<std::size_t>(file.size())).value();
  Findings findings;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const base::ByteView cut = base::ByteView(bytes).first(size);
    EXPECT_THAT(inspect_model_file(Format::kUbjson, formats::MemorySource(cut), "m", findings).value(),
                SizeIs(1))
        << size;
  }
  EXPECT_THAT(findings.items(), Each(rule("trees.malformed")));
  base::append(bytes, "hidden");
  EXPECT_THAT(look_at(formats::MemorySource(bytes)).findings, ElementsAre(rule("archive.hidden-data")));
  EXPECT_THAT(look_at_text("CBM1\xFF\xFF\xFF\x7F....").findings, ElementsAre(rule("trees.malformed")));
}

TEST(Pmml, HasNoDocumentType) {
  constexpr std::string_view kModel = R"(<PMML version="4.4"><Header/></PMML>)";
  EXPECT_THAT(look_at_text(std::string("<?xml version=\"1.0\"?>\n") + std::string(kModel)).findings,
              IsEmpty());
  EXPECT_THAT(
      look_at_text("<!DOCTYPE x [<!ENTITY y SYSTEM \"file:///etc/passwd\">]>" + std::string(kModel)).findings,
      ElementsAre(rule("pmml.document-type"), rule("pmml.document-type")));
}

TEST(Onnx, IsNotClearedWhereItCouldNotBeRead) {
  const auto looked = look_at_text(std::string_view("\x08\x07\x3A\x02\x0A\x7F", 6));
  EXPECT_THAT(looked.findings, Contains(rule("onnx.malformed")));
  EXPECT_THAT(looked.coverage.not_looked_at, SizeIs(1));
}

}  // namespace
}  // namespace holdfast::inspect
