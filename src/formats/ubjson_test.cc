#include "formats/ubjson.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include "base/file.h"

namespace holdfast::formats {
namespace {

using base::ErrorCode;
using namespace std::string_literals;
using testing::ElementsAre;

base::Result<UbjsonOutline> read(std::string_view text) {
  return read_ubjson(MemorySource(base::as_bytes(text)));
}

std::string golden(const std::string& name) {
  const auto bytes = base::read_file(HOLDFAST_TESTDATA "/fuzz/ubjson/" + name, 1UL << 20).value();
  return std::string(base::as_text(bytes));
}

TEST(Ubjson, GivesTheNamesOfTheOutermostMembers) {
  const auto outline = read(
      "{i\x01"
      "aTi\x01"
      "b[i\x05"
      "d\0\0\0\0]i\x02"
      "cc{i\x01xN}}rest"s);
  ASSERT_TRUE(outline);
  EXPECT_THAT(outline->members, ElementsAre("a", "b", "cc"));
  EXPECT_EQ(outline->size, 28U);
}

TEST(Ubjson, KnowsEveryKindOfValue) {
  const auto outline = read(
      "{i\1aZi\1bNi\1cTi\1dFi\1ei\1i\1fU\xFFi\1gI\0\0i\1hl\0\0\0\0i\1kL\0\0\0\0\0\0\0\0i\1m"
      "d\0\0\0\0i\1nD\0\0\0\0\0\0\0\0i\1oCxi\1pSi\3abci\1qHi\0011}"s);
  ASSERT_TRUE(outline) << outline.error().message;
  EXPECT_EQ(outline->members.size(), 14U);
}

TEST(Ubjson, PassesOverArraysOfOneType) {
  EXPECT_TRUE(read("{i\1a[$d#i\2\0\0\0\0\0\0\0\0}"s));
  EXPECT_TRUE(read("{i\1a[#i\2TF}"s));
  EXPECT_TRUE(read("{$i#i\1i\1a\5"s));
  EXPECT_FALSE(read("{i\1a[$d]}"s));
  EXPECT_FALSE(read("{i\1a[$d#l\x7F\xFF\xFF\xFF}"s));
  EXPECT_FALSE(read("{i\1a[$D#L\x40\0\0\0\0\0\0\0}"s));
}

TEST(Ubjson, ReadsWhatXgboostWrites) {
  const auto outline = read(golden("xgboost"));
  ASSERT_TRUE(outline);
  EXPECT_THAT(outline->members, testing::Contains("learner"));
  EXPECT_EQ(outline->size, golden("xgboost").size());
}

TEST(Ubjson, ThatIsCutAnywhereIsCorrupt) {
  const std::string whole = golden("xgboost");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto outline = read(std::string_view(whole).substr(0, size));
    ASSERT_FALSE(outline) << size;
    EXPECT_EQ(outline.error().code, ErrorCode::kDataCorrupt) << size;
  }
}

TEST(Ubjson, RefusesWhatIsNone) {
  for (const std::string& text : {""s, "[]"s, "{i\xFF"s, "{i\1a?}"s, "{Si\1a"s, "{i\1aSi\xF0}"s}) {
    const auto outline = read(text);
    ASSERT_FALSE(outline) << text;
    EXPECT_EQ(outline.error().code, ErrorCode::kDataCorrupt);
  }
}

TEST(Ubjson, IsReadToItsBounds) {
  const auto nested = [](int depth) {
    return "{i\1a" + std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']') + "}";
  };
  EXPECT_TRUE(read(nested(UbjsonOutline::kMaxDepth)));
  const auto deeper = read(nested(UbjsonOutline::kMaxDepth + 1));
  ASSERT_FALSE(deeper);
  EXPECT_EQ(deeper.error().code, ErrorCode::kLimitExceeded);
  // Values of no width cost nothing to write, and are counted all the same.
  const auto many = read("{i\1a[$Z#l\x7F\xFF\xFF\xFF}"s);
  ASSERT_FALSE(many);
  EXPECT_EQ(many.error().code, ErrorCode::kLimitExceeded);
  EXPECT_FALSE(read("{l\0\1\0\1"s + std::string(65537, 'k') + "Z}"));
}

}  // namespace
}  // namespace holdfast::formats
