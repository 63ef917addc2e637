#include "formats/tensorflow.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include "base/file.h"

namespace holdfast::formats {
namespace {

using base::ErrorCode;
using testing::Contains;
using testing::ElementsAre;
using testing::Key;
using testing::Pair;
using testing::UnorderedElementsAre;

std::string varint(std::size_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  return out + static_cast<char>(value);
}

// A field of bytes: a message or a text.
std::string field(unsigned number, const std::string& payload) {
  return varint(number << 3 | 2) + varint(payload.size()) + payload;
}

std::string node(const std::string& name, const std::string& op) {
  return field(1, field(1, name) + field(2, op));
}

// GraphDef: nodes, and a library of one function with nodes of its own.
std::string graph() {
  const std::string inner = field(3, field(1, "read") + field(2, "ReadFile"));
  const std::string function = field(1, field(1, field(1, "f")) + inner);
  return node("a", "Const") + node("b", "Const") + node("c", "f") + field(2, function);
}

base::Result<TensorflowGraph> read(base::Result<TensorflowGraph> (*how)(const Source&),
                                   std::string_view bytes) {
  return how(MemorySource(base::as_bytes(bytes)));
}

TEST(Tensorflow, CountsOperationsByTheirFunction) {
  const auto found = read(read_graph_def, graph());
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_THAT(found->uses, Contains(Key(Pair("", "Const"))));
  EXPECT_EQ(found->uses.at({"", "Const"}).count, 2U);
  EXPECT_EQ(found->uses.at({"", "Const"}).node, "a");
  EXPECT_EQ(found->uses.at({"f", "ReadFile"}).node, "read");
  EXPECT_THAT(found->functions, UnorderedElementsAre("f"));
}

TEST(Tensorflow, ReadsTheGraphsOfASavedModel) {
  const std::string info = field(1, field(5, "2.21.0"));
  const std::string saver = field(3, field(1, "file") + field(2, "save") + field(3, "restore"));
  const std::string asset = field(6, field(2, "vocabulary.txt"));
  const auto found =
      read(read_saved_model, std::string("\x08\x01") + field(2, info + field(2, graph()) + saver + asset));
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->version, "2.21.0");
  EXPECT_EQ(found->uses.at({"", "Const"}).count, 2U);
  EXPECT_THAT(found->assets, ElementsAre("vocabulary.txt"));
  EXPECT_THAT(found->saver_nodes, Contains("restore"));
}

TEST(Tensorflow, ThatIsCutAnywhereIsCorruptOrWhatCameBefore) {
  const std::string whole = field(2, field(2, graph()));
  std::size_t refused = 0;
  for (std::size_t size = 1; size < whole.size(); ++size) {
    const auto found = read(read_saved_model, std::string_view(whole).substr(0, size));
    if (found) continue;
    ++refused;
    EXPECT_EQ(found.error().code, ErrorCode::kDataCorrupt) << size;
  }
  EXPECT_EQ(refused, whole.size() - 1);
}

TEST(Tensorflow, OfRealFilesIsReadToAnyCut) {
  const auto bytes = base::read_file(HOLDFAST_TESTDATA "/fuzz/tensorflow/saved_model", 1UL << 20).value();
  EXPECT_TRUE(read_saved_model(MemorySource(bytes)));
  for (std::size_t size = 0; size < bytes.size(); size += 7) {
    const auto found = read_saved_model(MemorySource(base::ByteView(bytes).first(size)));
    if (found) continue;
    EXPECT_EQ(found.error().code, ErrorCode::kDataCorrupt) << size;
  }
}

TEST(Tensorflow, RefusesWhatIsTooMuch) {
  const auto longest = read(read_graph_def, node(std::string(TensorflowGraph::kMaxNameBytes, 'n'), "Const"));
  EXPECT_TRUE(longest);
  const auto longer =
      read(read_graph_def, node(std::string(TensorflowGraph::kMaxNameBytes + 1, 'n'), "Const"));
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().code, ErrorCode::kLimitExceeded);
}

TEST(Tensorflow, RefusesAFieldOfAnotherKind) {
  EXPECT_FALSE(read(read_graph_def, std::string("\x08\x01")));  // a node that is a number
  EXPECT_FALSE(read(read_saved_model, std::string("\x12\x05")));
}

}  // namespace
}  // namespace holdfast::formats
