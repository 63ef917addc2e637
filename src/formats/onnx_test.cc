#include "formats/onnx.h"

#include <gmock/gmock-more-matchers.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "formats/protobuf.h"

namespace holdfast::formats {
namespace {

using base::ErrorCode;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

std::string varint(std::uint64_t value) {
  std::string out;
  for (; value > 0x7F; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
  return out;
}

std::string number(unsigned field, std::uint64_t value) { return varint(field << 3) + varint(value); }

std::string bytes(unsigned field, std::string_view payload) {
  return varint(field << 3 | 2) + varint(payload.size()) + std::string(payload);
}

// Messages by the field numbers of onnx/onnx.proto.
std::string entry(std::string_view key, std::string_view value) { return bytes(1, key) + bytes(2, value); }
std::string opset(std::string_view domain, std::uint64_t version) {
  return bytes(1, domain) + number(2, version);
}
std::string node(std::string_view type, std::string_view domain = {}, const std::string& attributes = {}) {
  return bytes(1, "in") + bytes(2, "out") + bytes(4, type) + attributes + bytes(7, domain);
}
std::string model(const std::string& graph, const std::string& more = {}) {
  return number(1, 8) + bytes(2, "holdfast") + bytes(8, opset("", 17)) + more + bytes(7, graph);
}

base::Result<OnnxModel> parse(std::string_view text) { return read_onnx(MemorySource(base::as_bytes(text))); }

TEST(Onnx, ReadsTheModelsOwnFields) {
  const auto read =
      parse(model(bytes(2, "main"), bytes(3, "1.0") + bytes(4, "org.example") + number(5, 7) +
                                        bytes(8, opset("ai.onnx.ml", 3)) + bytes(14, entry("a", "b"))));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->ir_version, 8);
  EXPECT_EQ(read->producer_name, "holdfast");
  EXPECT_EQ(read->producer_version, "1.0");
  EXPECT_EQ(read->domain, "org.example");
  EXPECT_EQ(read->model_version, 7);
  EXPECT_EQ(read->graph_name, "main");
  ASSERT_THAT(read->opsets, SizeIs(2));
  EXPECT_EQ(read->opsets[1].domain, "ai.onnx.ml");
  EXPECT_EQ(read->opsets[1].version, 3);
  EXPECT_THAT(read->metadata, ElementsAre(Pair("a", "b")));
}

TEST(Onnx, ReadsInputsAndOutputs) {
  const std::string shape = bytes(1, bytes(2, "batch")) + bytes(1, number(1, 20)) + bytes(1, "");
  const std::string tensor = bytes(1, number(1, 1) + bytes(2, shape));
  const std::string map = bytes(4, bytes(1, bytes(5, number(1, 7) + bytes(2, bytes(1, number(1, 1))))));
  const auto read = parse(model(bytes(11, bytes(1, "x") + bytes(2, tensor)) +
                                bytes(12, bytes(1, "p") + bytes(2, map)) + bytes(12, bytes(1, "q"))));
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_THAT(read->inputs, SizeIs(1));
  const OnnxValue& x = read->inputs[0];
  EXPECT_EQ(x.name, "x");
  EXPECT_EQ(x.type, "tensor(float)");
  EXPECT_EQ(x.element, OnnxElement::kFloat);
  ASSERT_TRUE(x.shape);
  ASSERT_THAT(*x.shape, SizeIs(3));
  EXPECT_EQ(x.shape->at(0).symbol, "batch");
  EXPECT_EQ(x.shape->at(1).size, 20);
  EXPECT_FALSE(x.shape->at(2).size);
  ASSERT_THAT(read->outputs, SizeIs(2));
  EXPECT_EQ(read->outputs[0].type, "seq(map(int64, tensor(float)))");
  EXPECT_FALSE(read->outputs[0].shape);
  EXPECT_EQ(read->outputs[1].type, "");
}

TEST(Onnx, ReadsTensorsWithoutTheirData) {
  const std::string one_by_one =
      number(1, 2) + number(1, 3) + number(2, 1) + bytes(8, "w") + bytes(9, std::string(24, 'x'));
  const std::string packed = bytes(1, varint(2) + varint(3)) + number(2, 7) + bytes(7, std::string(6, '\1'));
  const auto read = parse(
      model(bytes(5, one_by_one) + bytes(5, packed) + bytes(15, bytes(1, one_by_one) + bytes(2, packed))));
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_THAT(read->initializers, SizeIs(4));
  EXPECT_EQ(read->initializers[0].name, "w");
  EXPECT_EQ(read->initializers[0].element, OnnxElement::kFloat);
  EXPECT_THAT(read->initializers[0].shape, ElementsAre(2, 3));
  EXPECT_EQ(read->initializers[0].stored_bytes, 24U);
  EXPECT_FALSE(read->initializers[0].external);
  EXPECT_THAT(read->initializers[1].shape, ElementsAre(2, 3));
  EXPECT_EQ(read->initializers[1].stored_bytes, 6U);
}

TEST(Onnx, SaysWhereExternalDataWouldLie) {
  const std::string data = bytes(13, entry("location", "../../etc/passwd")) +
                           bytes(13, entry("offset", "4096")) + bytes(13, entry("length", "16"));
  const auto read = parse(model(bytes(5, data + number(14, 1)) + bytes(5, data) + bytes(5, number(14, 1)) +
                                bytes(1, node("Constant", "", bytes(5, bytes(5, data + number(14, 1)))))));
  ASSERT_TRUE(read) << read.error().message;
  const auto& external = read->initializers[0].external;
  ASSERT_TRUE(external);
  EXPECT_EQ(external->location, "../../etc/passwd");
  EXPECT_EQ(external->offset, 4096U);
  EXPECT_EQ(external->length, 16U);
  EXPECT_TRUE(external->in_use);
  EXPECT_FALSE(read->initializers[1].external->in_use);
  EXPECT_EQ(read->initializers[2].external->location, "");
  ASSERT_THAT(read->constants, SizeIs(1));
  EXPECT_TRUE(read->constants[0].external);
  for (const std::string& wrong :
       {bytes(13, entry("offset", "-1")), bytes(13, entry("length", "1e3")), bytes(13, entry("offset", "")),
        bytes(13, entry("location", "a")) + bytes(13, entry("location", "b"))}) {
    EXPECT_EQ(parse(model(bytes(5, wrong))).error().code, ErrorCode::kDataCorrupt);
  }
}

TEST(Onnx, CountsOperatorsOfSubgraphsFunctionsAndTraining) {
  const std::string inner = bytes(1, node("Add")) + bytes(5, bytes(8, "inner"));
  const std::string branches = bytes(5, bytes(6, inner)) + bytes(5, bytes(11, inner) + bytes(11, inner));
  const std::string function = bytes(1, "Mine") + bytes(10, "local") + bytes(7, node("Mul"));
  const auto read =
      parse(model(bytes(1, node("If", "", branches)) + bytes(1, node("Mine", "local")) +
                      bytes(1, node("Gelu", "com.microsoft")) + bytes(1, node("Scaler", "ai.onnx.ml")),
                  bytes(25, function) + bytes(20, bytes(1, inner) + bytes(2, inner))));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_THAT(
      read->operators,
      ElementsAre(Pair(OnnxOperator{"", "Add"}, 5), Pair(OnnxOperator{"", "If"}, 1),
                  Pair(OnnxOperator{"", "Mul"}, 1), Pair(OnnxOperator{"ai.onnx.ml", "Scaler"}, 1),
                  Pair(OnnxOperator{"com.microsoft", "Gelu"}, 1), Pair(OnnxOperator{"local", "Mine"}, 1)));
  EXPECT_EQ(read->subgraphs, 3U);
  EXPECT_EQ(read->training_graphs, 2U);
  EXPECT_THAT(read->functions, ElementsAre(OnnxOperator{"local", "Mine"}));
  EXPECT_THAT(read->initializers, SizeIs(5));
  EXPECT_THAT(read->custom_domains(), ElementsAre("com.microsoft"));
}

TEST(Onnx, ReadsAGraphInTwoPartsAsProtobufMergesThem) {
  const auto read = parse(model(bytes(1, node("Add")), bytes(7, bytes(1, node("Mul")))));
  ASSERT_TRUE(read);
  EXPECT_THAT(read->operators, SizeIs(2));
}

TEST(Onnx, RefusesWhatIsNoModel) {
  EXPECT_EQ(parse("").error().code, ErrorCode::kDataCorrupt);
  EXPECT_EQ(parse(number(1, 8)).error().code, ErrorCode::kDataCorrupt);
  EXPECT_EQ(parse(number(7, 8)).error().code, ErrorCode::kDataCorrupt);  // a graph that is a number
  EXPECT_EQ(parse(model("") + bytes(1, "x")).error().code,
            ErrorCode::kDataCorrupt);  // a version that is a text
  EXPECT_EQ(parse(model(bytes(1, number(4, 1)))).error().code,
            ErrorCode::kDataCorrupt);  // a name that is a number
}

TEST(Onnx, BoundsDepthAndWhatItKeeps) {
  std::string graph = bytes(1, node("Add"));
  for (int i = 0; i < WireReader::kMaxDepth; ++i) graph = bytes(1, node("If", "", bytes(5, bytes(6, graph))));
  EXPECT_EQ(parse(model(graph)).error().code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(parse(model(bytes(1, node(std::string(OnnxModel::kMaxNameBytes + 1, 'x'))))).error().code,
            ErrorCode::kLimitExceeded);
  std::string dimensions;
  for (std::size_t i = 0; i <= OnnxModel::kMaxKeptBytes / 8; ++i) dimensions += '\1';
  EXPECT_EQ(parse(model(bytes(5, bytes(1, dimensions)))).error().code, ErrorCode::kLimitExceeded);
  std::string names;
  const std::string name(OnnxModel::kMaxNameBytes, 'n');
  for (std::size_t i = 0; i <= OnnxModel::kMaxKeptBytes / name.size(); ++i) names += bytes(5, bytes(8, name));
  EXPECT_EQ(parse(model(names)).error().code, ErrorCode::kLimitExceeded);
}

TEST(Onnx, SurvivesTruncationAtEachByte) {
  const std::string whole =
      model(bytes(1, node("If", "", bytes(5, bytes(6, bytes(1, node("Add")))))) + bytes(5, bytes(9, "x")));
  EXPECT_TRUE(parse(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(parse(whole.substr(0, size))) << size;
}

TEST(Onnx, NamesElements) {
  EXPECT_EQ(to_string(OnnxElement::kBfloat16), "bfloat16");
  EXPECT_EQ(to_string(static_cast<OnnxElement>(26)), "int2");
  EXPECT_EQ(to_string(static_cast<OnnxElement>(27)), "type 27");
  EXPECT_EQ(to_string(static_cast<OnnxElement>(-1)), "type -1");
}

// The conformance models of Debian's libonnx-testdata.
TEST(Onnx, ReadsTheConformanceModels) {
  const std::filesystem::path folder = "/usr/share/libonnx-testdata/data";
  if (!std::filesystem::is_directory(folder)) GTEST_SKIP() << "the package libonnx-testdata is not installed";
  std::size_t models = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
    if (file.path().extension() != ".onnx") continue;
    const auto source = FileSource::open(file.path());
    ASSERT_TRUE(source);
    const auto read = read_onnx(*source);
    ASSERT_TRUE(read) << file.path() << read.error().message;
    EXPECT_GT(read->ir_version, 0) << file.path();
    EXPECT_FALSE(read->opsets.empty()) << file.path();
    EXPECT_FALSE(read->outputs.empty()) << file.path();
    ++models;
  }
  EXPECT_GT(models, 1000U);
  const auto source = FileSource::open(folder / "node/test_abs/model.onnx");
  ASSERT_TRUE(source);
  const auto abs = read_onnx(*source);
  ASSERT_TRUE(abs);
  EXPECT_THAT(abs->operators, ElementsAre(Pair(OnnxOperator{"", "Abs"}, 1)));
  ASSERT_THAT(abs->inputs, SizeIs(1));
  EXPECT_EQ(abs->inputs[0].name, "x");
  ASSERT_THAT(*abs->inputs[0].shape, SizeIs(3));
  EXPECT_EQ(abs->inputs[0].shape->at(2).size, 5);
  EXPECT_THAT(abs->custom_domains(), IsEmpty());
}

}  // namespace
}  // namespace holdfast::formats
