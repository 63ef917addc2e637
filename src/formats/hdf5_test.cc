#include "formats/hdf5.h"

#include <gmock/gmock-more-matchers.h>
#include <gtest/gtest.h>

#include "base/file.h"

namespace holdfast::formats {
namespace {

using base::ErrorCode;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

base::Result<Hdf5File> read_golden(const std::string& name) {
  const auto source = FileSource::open(HOLDFAST_TESTDATA "/hdf5/" + name);
  if (!source) return base::fail(source.error());
  return read_hdf5(*source);
}

auto outside(Hdf5OutsideKind kind, std::string_view object, std::string_view file) {
  return AllOf(Field(&Hdf5Outside::kind, kind), Field(&Hdf5Outside::object, object),
               Field(&Hdf5Outside::file, file));
}

base::Bytes golden_bytes(const std::string& name) {
  const auto source = FileSource::open(HOLDFAST_TESTDATA "/hdf5/" + name);
  EXPECT_TRUE(source);
  return read_exactly(*source, 0, static_cast<std::size_t>(source->size())).value();
}

TEST(Hdf5, ReadsTheTextsOfAKerasFile) {
  const auto file = read_golden("keras.h5");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->superblock, 0U);
  ASSERT_NE(file->text("model_config"), nullptr);
  EXPECT_THAT(*file->text("model_config"), HasSubstr(R"("class_name": "Lambda")"));
  EXPECT_TRUE(file->text("model_config")->ends_with("}"));
  EXPECT_EQ(*file->text("keras_version"), "3.15.1");
  EXPECT_EQ(file->text("no such"), nullptr);
  EXPECT_THAT(file->outside, IsEmpty());
  EXPECT_THAT(file->unread, IsEmpty());
  EXPECT_GT(file->objects, 2U);
}

TEST(Hdf5, FindsWhatLiesInOtherFiles) {
  const auto old = read_golden("links.h5");
  ASSERT_TRUE(old) << old.error().message;
  EXPECT_THAT(old->outside,
              UnorderedElementsAre(outside(Hdf5OutsideKind::kLink, "/ext", "/etc/passwd"),
                                   outside(Hdf5OutsideKind::kStorage, "/inner/raw", "/etc/passwd")));
  EXPECT_EQ(*old->text("model_config"), "fixed");
  const auto latest = read_golden("latest.h5");
  ASSERT_TRUE(latest) << latest.error().message;
  EXPECT_EQ(latest->superblock, 3U);
  EXPECT_THAT(latest->outside, UnorderedElementsAre(outside(Hdf5OutsideKind::kLink, "/ext", "/etc/passwd"),
                                                    outside(Hdf5OutsideKind::kStorage, "/raw", "/etc/passwd"),
                                                    outside(Hdf5OutsideKind::kVirtual, "/v", "other.h5")));
  EXPECT_EQ(*latest->text("model_config"), "{\"a\":1}");
}

TEST(Hdf5, SaysWhatItCantFollow) {
  const auto file = read_golden("dense.h5");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_THAT(file->unread, UnorderedElementsAre(HasSubstr("the links of \"/g\""), HasSubstr("attributes")));
}

TEST(Hdf5, ReadsBehindAUserBlock) {
  base::Bytes bytes(512, 'u');
  base::append(bytes, golden_bytes("links.h5"));
  const auto file = read_hdf5(MemorySource(bytes));
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_THAT(file->outside, Contains(outside(Hdf5OutsideKind::kLink, "/ext", "/etc/passwd")));
}

TEST(Hdf5, RefusesWhatIsNone) {
  EXPECT_EQ(read_hdf5(MemorySource({})).error().code, ErrorCode::kDataCorrupt);
  const base::Bytes zeros(4096, 0);
  EXPECT_EQ(read_hdf5(MemorySource(zeros)).error().code, ErrorCode::kDataCorrupt);
  auto bytes = golden_bytes("keras.h5");
  bytes[8] = 9;
  EXPECT_EQ(read_hdf5(MemorySource(bytes)).error().code, ErrorCode::kUnsupported);
  bytes[8] = 0;
  // Widths of addresses that the format doesn't know, up to the widest that a byte can name.
  for (const std::uint8_t width : base::Bytes{3, 9, 255}) {
    bytes[13] = width;
    EXPECT_EQ(read_hdf5(MemorySource(bytes)).error().code, ErrorCode::kDataCorrupt);
  }
}

// Whatever is damaged, reading ends, and says so or gives what is there.
TEST(Hdf5, SurvivesEachDamagedByteAndEachTruncation) {
  for (const auto* name : {"links.h5", "latest.h5"}) {
    const auto whole = golden_bytes(name);
    for (std::size_t at = 0; at < whole.size(); at += 3) {
      auto bytes = whole;
      bytes[at] = 0xFF;
      const auto damaged = read_hdf5(MemorySource(bytes));
      EXPECT_TRUE(damaged || !damaged.error().message.empty());
      const auto cut = read_hdf5(MemorySource(base::ByteView(whole).first(at)));
      EXPECT_TRUE(cut || !cut.error().message.empty());
    }
  }
}

}  // namespace
}  // namespace holdfast::formats
