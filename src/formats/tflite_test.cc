#include "formats/tflite.h"

#include <gtest/gtest.h>

#include "base/file.h"

namespace holdfast::formats {
namespace {

using base::Bytes;

Bytes golden(const std::string& name) {
  return base::read_file(HOLDFAST_TESTDATA "/fuzz/tflite/" + name, 1UL << 20).value();
}

base::Result<TfliteModel> read(base::ByteView bytes) { return read_tflite(MemorySource(bytes)); }

TEST(Tflite, GivesWhatAModelIsMadeOf) {
  const auto model = read(golden("plain"));
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->version, 3U);
  EXPECT_EQ(model->subgraphs, 1U);
  EXPECT_GE(model->tensors, 2U);
  EXPECT_GE(model->buffers, 1U);
  ASSERT_FALSE(model->operators.empty());
  for (const auto& op : model->operators) EXPECT_NE(op.builtin, TfliteModel::kCustom);
}

TEST(Tflite, NamesCustomOperators) {
  const auto model = read(golden("flex"));
  ASSERT_TRUE(model) << model.error().message;
  bool custom = false;
  for (const auto& op : model->operators) {
    if (op.builtin != TfliteModel::kCustom) continue;
    custom = true;
    EXPECT_TRUE(op.custom.starts_with("Flex")) << op.custom;
    EXPECT_GE(op.uses, 1U);
  }
  EXPECT_TRUE(custom);
}

TEST(Tflite, ThatIsCutAnywhereEndsInAnError) {
  const Bytes whole = golden("plain");
  std::size_t refused = 0;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto model = read(base::ByteView(whole).first(size));
    if (model) continue;  // the builder's padding at the end
    ++refused;
    EXPECT_EQ(model.error().code, base::ErrorCode::kDataCorrupt) << size;
  }
  EXPECT_GE(refused, whole.size() - 16);
}

TEST(Tflite, ThatIsChangedAnywhereStaysWithinItsBounds) {
  const Bytes whole = golden("plain");
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const std::uint8_t value : {std::uint8_t{0}, std::uint8_t{0x7F}, std::uint8_t{0xFF}}) {
      Bytes changed = whole;
      changed[at] = value;
      const auto model = read(changed);
      if (!model) continue;
      EXPECT_LE(model->tensors, TfliteModel::kMaxParts);
      for (const auto& op : model->operators) EXPECT_LE(op.custom.size(), TfliteModel::kMaxNameBytes);
    }
  }
}

TEST(Tflite, RefusesWhatIsNone) {
  EXPECT_FALSE(read({}));
  EXPECT_FALSE(read(Bytes(64, 0xFF)));
  EXPECT_FALSE(read(base::as_bytes("\x08\0\0\0TFL3")));
}

}  // namespace
}  // namespace holdfast::formats
