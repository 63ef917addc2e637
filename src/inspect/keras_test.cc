#include "inspect/keras.h"

#include <gmock/gmock-more-matchers.h>
#include <gtest/gtest.h>

#include "inspect/model_files.h"

namespace holdfast::inspect {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

std::vector<Finding> judged(std::string_view config) {
  Findings findings;
  EXPECT_THAT(inspect_keras_config(config, "m", findings), IsEmpty());
  return findings.take();
}

auto rule(std::string_view id) { return Field(&Finding::rule_id, id); }

formats::FileSource golden(const std::string& name) {
  return formats::FileSource::open(HOLDFAST_TESTDATA "/keras/" + name).value();
}

std::vector<Finding> found_in(const std::string& name) {
  Findings findings;
  const auto file = golden(name);
  EXPECT_THAT(inspect_model_text(formats::Format::kJson, file, name, findings), IsEmpty());
  return findings.take();
}

TEST(Keras, LeavesWhatKerasItselfSavesAlone) {
  EXPECT_THAT(found_in("plain.json"), IsEmpty());
  EXPECT_THAT(found_in("many.json"), IsEmpty());
  EXPECT_THAT(found_in("legacy.json"), IsEmpty());
}

TEST(Keras, FindsCodeInRealModels) {
  EXPECT_THAT(
      found_in("lambda.json"),
      UnorderedElementsAre(AllOf(rule("keras.lambda"), Field(&Finding::severity, Severity::kHigh)),
                           AllOf(rule("keras.lambda"), Field(&Finding::severity, Severity::kCritical))));
  EXPECT_THAT(found_in("custom.json"), ElementsAre(AllOf(rule("keras.custom-object"),
                                                         Field(&Finding::message, HasSubstr("mine>Odd")))));
}

// The shapes of CVE-2024-3660, CVE-2025-1550, CVE-2025-8747 and CVE-2025-9906, and others like them.
TEST(Keras, RefusesWhatRunsOrSwitchesSafetyOff) {
  for (
      const auto* config : {
          R"({"module":"builtins","class_name":"exec","config":{"arg":"x"},"registered_name":null})",
          R"({"module":"subprocess","class_name":"Popen","config":{"args":["id"]}})",
          R"({"a":[{"b":{"module":"os","class_name":"function","config":"system","registered_name":"system"}}]})",
          R"({"module":"keras.utils","class_name":"function","config":"get_file","registered_name":"get_file"})",
          R"({"module":"keras.config","class_name":"function","config":"enable_unsafe_deserialization"})",
          R"({"module":"keras.config","class_name":"function","config":{},"registered_name":"enable_unsafe_deserialization"})",
          R"({"module":"keras.layers","class_name":"TorchModuleWrapper","config":{}})",
          R"({"module":"keras.layers","class_name":"TFSMLayer","config":{"units":1}})",
          R"({"module":"keras.saving","class_name":"load_model","config":{}})",
          R"({"module":"os.path","class_name":"join","config":{}})",
      }) {
    EXPECT_THAT(judged(config), testing::Contains(rule("keras.dangerous-object"))) << config;
  }
}

TEST(Keras, NamesWhatItDoesNotKnow) {
  const auto foreign = judged(R"({"module":"attackers.layers","class_name":"Dense","config":{}})");
  ASSERT_THAT(foreign, ElementsAre(rule("keras.unknown-object")));
  EXPECT_THAT(foreign[0].message, AllOf(HasSubstr("\"Dense\""), HasSubstr("\"attackers.layers\"")));
  EXPECT_THAT(judged(R"({"module":"keras.utils","class_name":"Whatever","config":{}})"),
              ElementsAre(rule("keras.unknown-object")));
  EXPECT_THAT(judged(R"({"class_name":"Whatever","config":{}})"), ElementsAre(rule("keras.custom-object")));
  EXPECT_THAT(judged(R"({"module":"builtins","class_name":"function","config":"relu"})"), IsEmpty());
  EXPECT_THAT(judged(R"({"module":"builtins","class_name":"function","config":"my_loss"})"),
              ElementsAre(rule("keras.custom-object")));
}

TEST(Keras, FindsVocabulariesThatAreFiles) {
  EXPECT_THAT(
      judged(
          R"({"module":"keras.layers","class_name":"StringLookup","config":{"vocabulary":"/etc/passwd"}})"),
      ElementsAre(rule("keras.file-path")));
  EXPECT_THAT(
      judged(R"({"module":"keras.layers","class_name":"StringLookup","config":{"vocabulary":["a"]}})"),
      IsEmpty());
}

TEST(Keras, SaysThatItCouldNotRead) {
  for (const auto* config : {"{", R"({"a":1,"a":2})", "[NaN]"}) {
    Findings findings;
    EXPECT_THAT(inspect_keras_config(config, "m", findings), SizeIs(1));
    EXPECT_THAT(findings.items(), ElementsAre(rule("keras.malformed")));
  }
}

TEST(KerasHdf5, ReadsTheConfigurationAndFollowsNoLink) {
  Findings findings;
  EXPECT_THAT(inspect_model_file(formats::Format::kHdf5, golden("lambda.h5"), "m.h5", findings)->empty(),
              true);
  EXPECT_THAT(findings.items(),
              Each(AllOf(rule("keras.lambda"), Field(&Finding::path, "m.h5!model_config"))));
  EXPECT_THAT(findings.items(), SizeIs(2));
  Findings outside;
  EXPECT_THAT(inspect_hdf5(golden("links.h5"), "m.h5", outside), IsEmpty());
  EXPECT_THAT(outside.items(), ElementsAre(rule("hdf5.external")));
  EXPECT_THAT(outside.items()[0].message, HasSubstr("weights.bin"));
}

}  // namespace
}  // namespace holdfast::inspect
