#include "inspect/tensorflow.h"

#include <gmock/gmock-more-matchers.h>
#include <gtest/gtest.h>

#include "inspect/model_files.h"

namespace holdfast::inspect {
namespace {

using formats::Format;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

auto rule(std::string_view id, std::string_view message) {
  return AllOf(Field(&Finding::rule_id, id), Field(&Finding::message, HasSubstr(std::string(message))));
}

// What is found in a file that TensorFlow wrote, which must be recognised as `format` and nothing else.
std::vector<Finding> found_in(const std::string& name, Format format) {
  const auto file = formats::FileSource::open(HOLDFAST_TESTDATA "/tensorflow/" + name).value();
  EXPECT_THAT(formats::sniff(file).value(), ElementsAre(format));
  Findings findings;
  EXPECT_THAT(inspect_model_file(format, file, name, findings).value(), IsEmpty());
  return findings.take();
}

// A field of the wire format whose payload is `bytes`.
std::string field(int number, std::string_view bytes) {
  std::string out(1, static_cast<char>(number << 3 | 2));
  for (std::size_t size = bytes.size();; size >>= 7) {
    out.push_back(static_cast<char>((size & 127U) | (size > 127 ? 128U : 0U)));
    if (size <= 127) break;
  }
  return out.append(bytes);
}

std::string node(std::string_view name, std::string_view op) {
  return field(1, field(1, name) + field(2, op));
}

std::vector<Finding> judged(Format format, const std::string& bytes, std::size_t gaps = 0) {
  Findings findings;
  EXPECT_THAT(inspect_tensorflow(format, formats::MemorySource(base::as_bytes(bytes)), "m.pb", findings),
              SizeIs(gaps));
  return findings.take();
}

std::string saved_model(const std::string& meta_graph) {
  return std::string("\x08\x01") + field(2, field(1, field(5, "2.21.0")) + meta_graph);
}

TEST(Tensorflow, LeavesAnHonestSavedModelAlone) {
  EXPECT_THAT(found_in("plain.pb", Format::kSavedModel), IsEmpty());
}

TEST(Tensorflow, NamesOperationsThatReachFilesAndPython) {
  const auto found = found_in("bad.pb", Format::kSavedModel);
  EXPECT_THAT(found, Contains(rule("tensorflow.file-access", "\"ReadFile\"")));
  EXPECT_THAT(found, Contains(rule("tensorflow.file-access", "\"WriteFile\"")));
  EXPECT_THAT(found, Contains(rule("tensorflow.python-call", "\"EagerPyFunc\"")));
  EXPECT_THAT(found_in("frozen.pb", Format::kGraphDef),
              ElementsAre(rule("tensorflow.file-access", "\"WriteFile\"")));
}

TEST(Tensorflow, TakesTheGraphsOwnFunctionsForNoCustomOperations) {
  const std::string function =
      field(2, field(1, field(1, field(1, "mine")) + field(3, field(1, "n") + field(2, "Rogue"))));
  const auto found = judged(Format::kGraphDef, node("a", "mine") + node("b", "Relu") + function);
  EXPECT_THAT(found, ElementsAre(rule("tensorflow.custom-operation", "of the function \"mine\"")));
  EXPECT_THAT(found[0].message, HasSubstr("\"Rogue\""));
}

TEST(Tensorflow, LetsOnlyTheSaverReadCheckpoints) {
  const std::string saver = field(3, field(1, "saver_filename:0") + field(3, "StatefulPartitionedCall_1"));
  EXPECT_THAT(judged(Format::kSavedModel, saved_model(field(2, node("save/RestoreV2", "RestoreV2")) + saver)),
              IsEmpty());
  EXPECT_THAT(judged(Format::kSavedModel, saved_model(field(2, node("save/RestoreV2", "RestoreV2")))),
              SizeIs(1));
  EXPECT_THAT(judged(Format::kSavedModel, saved_model(field(2, node("x/SaveV2", "SaveV2")) + saver)),
              ElementsAre(rule("tensorflow.file-access", "SaveV2")));
  EXPECT_THAT(judged(Format::kGraphDef, node("save/SaveV2", "SaveV2")), SizeIs(1));
}

TEST(Tensorflow, RefusesAssetsElsewhere) {
  const std::string graph = field(2, node("a", "Relu"));
  EXPECT_THAT(judged(Format::kSavedModel, saved_model(graph + field(6, field(2, "vocab.txt")))), IsEmpty());
  EXPECT_THAT(judged(Format::kSavedModel, saved_model(graph + field(6, field(2, "../../etc/passwd")))),
              ElementsAre(rule("tensorflow.asset-escape", "../../etc/passwd")));
}

TEST(Tensorflow, ReadsWhatKerasLeftInside) {
  const std::string layer = R"({"class_name":"Lambda","config":{"function_type":"lambda"}})";
  const std::string objects = field(7, field(1, field(4, field(1, "_tf_keras_layer") + field(3, layer))));
  EXPECT_THAT(judged(Format::kSavedModel, saved_model(field(2, node("a", "Relu")) + objects)),
              Contains(Field(&Finding::rule_id, "keras.lambda")));
  const std::string metadata = field(
      1, std::string("\x10\x01") + field(3, "root.layer-0") + field(4, "_tf_keras_layer") + field(5, layer));
  EXPECT_THAT(formats::sniff(formats::MemorySource(base::as_bytes(metadata))).value(),
              Contains(Format::kKerasMetadata));
  EXPECT_THAT(judged(Format::kKerasMetadata, metadata), Contains(Field(&Finding::rule_id, "keras.lambda")));
}

TEST(Tensorflow, SaysThatItCouldNotRead) {
  for (const Format format : {Format::kSavedModel, Format::kGraphDef, Format::kKerasMetadata}) {
    EXPECT_THAT(judged(format, "\x0A\x7F", 1), ElementsAre(Field(&Finding::rule_id, "tensorflow.malformed")));
  }
}

TEST(Tflite, LooksThroughRealModels) {
  EXPECT_THAT(found_in("plain.tflite", Format::kTflite), IsEmpty());
  EXPECT_THAT(found_in("flex.tflite", Format::kTflite),
              ElementsAre(rule("tensorflow.file-access", "\"FlexReadFile\"")));
}

// Whatever is damaged, reading ends, and says so or gives what is there.
TEST(Tflite, SurvivesEachDamagedByteAndEachTruncation) {
  const auto file = formats::FileSource::open(HOLDFAST_TESTDATA "/tensorflow/plain.tflite").value();
  const auto whole = formats::read_exactly(file, 0, static_cast<std::size_t>(file.size())).value();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    auto bytes = whole;
    bytes[at] = 0xFF;
    for (const base::ByteView damaged : {base::ByteView(bytes), base::ByteView(whole).first(at)}) {
      Findings findings;
      const Gaps gaps = inspect_tflite(formats::MemorySource(damaged), "m", findings);
      EXPECT_LE(gaps.size(), findings.items().size());
    }
  }
}

TEST(TensorflowReach, KnowsWhatOperationsDo) {
  EXPECT_EQ(tensorflow_reach("MatMul"), TensorflowReach::kNothing);
  EXPECT_EQ(tensorflow_reach("PyFunc"), TensorflowReach::kPython);
  EXPECT_EQ(tensorflow_reach("MatchingFiles"), TensorflowReach::kFile);
  EXPECT_EQ(tensorflow_reach("RpcCall"), TensorflowReach::kNetwork);
  EXPECT_EQ(tensorflow_reach("NoSuchOperation"), TensorflowReach::kUnknown);
}

}  // namespace
}  // namespace holdfast::inspect
