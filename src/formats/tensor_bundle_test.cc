#include "formats/tensor_bundle.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include "formats/sniff.h"

namespace holdfast::formats {
namespace {

using testing::Contains;
using testing::HasSubstr;

// Written by TensorFlow 2.21: a variable of four floats, one of two strings, and the object graph.
base::Bytes written() {
  const auto file = FileSource::open(HOLDFAST_TESTDATA "/fuzz/tensor_bundle/variables.index").value();
  return read_exactly(file, 0, static_cast<std::size_t>(file.size())).value();
}

TEST(TensorBundle, ReadsWhatTensorflowWrote) {
  const auto bytes = written();
  const MemorySource source(bytes);
  EXPECT_THAT(sniff(source).value(), Contains(Format::kCheckpointIndex));
  const auto bundle = read_tensor_bundle(source).value();
  EXPECT_EQ(bundle.shards, 1U);
  ASSERT_EQ(bundle.tensors.size(), 3U);
  EXPECT_EQ(bundle.tensors[0].name, "_CHECKPOINTABLE_OBJECT_GRAPH");
  EXPECT_THAT(bundle.tensors[2].name, HasSubstr("VARIABLE_VALUE"));
  EXPECT_EQ(bundle.tensors[2].type, 1U);  // DT_FLOAT
  EXPECT_EQ(bundle.tensors[2].size, 16U);
}

// The checksums cover every byte that is read but the footer.
TEST(TensorBundle, RefusesEachDamagedByteAndEachTruncation) {
  const auto whole = written();
  const std::size_t footer = whole.size() - 48;
  const auto expected = read_tensor_bundle(MemorySource(whole)).value().tensors.size();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    auto bytes = whole;
    bytes[at] ^= 0xFF;
    const auto damaged = read_tensor_bundle(MemorySource(bytes));
    EXPECT_TRUE(!damaged || at >= footer || damaged->tensors.size() == expected) << at;
    EXPECT_FALSE(read_tensor_bundle(MemorySource(base::ByteView(whole).first(at))));
  }
  auto bytes = whole;
  bytes[5] ^= 0xFF;
  EXPECT_EQ(read_tensor_bundle(MemorySource(bytes)).error().code, base::ErrorCode::kDataCorrupt);
}

}  // namespace
}  // namespace holdfast::formats
