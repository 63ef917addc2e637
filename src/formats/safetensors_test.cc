#include "formats/safetensors.h"

#include <fmt/format.h>
#include <gmock/gmock-more-matchers.h>
#include <gtest/gtest.h>

#include <string>

namespace holdfast::formats {
namespace {

using base::ErrorCode;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

std::string file(std::string_view header, std::size_t data = 0) {
  std::string out;
  for (int i = 0; i < 8; ++i) out.push_back(static_cast<char>(header.size() >> (8 * i)));
  return out.append(header) + std::string(data, 'd');
}

base::Result<SafetensorsHeader> parse(std::string_view bytes) {
  return read_safetensors_header(MemorySource(base::as_bytes(bytes)));
}

ErrorCode code(std::string_view header, std::size_t data = 0) {
  const auto parsed = parse(file(header, data));
  EXPECT_FALSE(parsed) << header;
  return parsed ? ErrorCode::kInternal : parsed.error().code;
}

TEST(Safetensors, ReadsTensorsInTheOrderOfTheirBytes) {
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2,3],"data_offsets":[10,34]},)"
      R"("e":{"dtype":"I64","shape":[0,7],"data_offsets":[34,34]},)"
      R"("a":{"data_offsets":[0,10],"shape":[5],"dtype":"BF16"},"s":{"dtype":"U8","shape":[],"data_offsets":[34,35]}}   )";
  const auto parsed = parse(file(header, 35));
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_THAT(parsed->metadata, ElementsAre(Pair("format", "pt")));
  ASSERT_EQ(parsed->tensors.size(), 4U);
  EXPECT_EQ(parsed->tensors[0].name, "a");
  EXPECT_EQ(parsed->tensors[0].dtype, SafetensorsDtype::kBf16);
  EXPECT_EQ(parsed->tensors[0].offset, 8 + header.size());
  EXPECT_EQ(parsed->tensors[1].name, "b");
  EXPECT_THAT(parsed->tensors[1].shape, ElementsAre(2, 3));
  EXPECT_EQ(parsed->tensors[1].offset, 8 + header.size() + 10);
  EXPECT_EQ(parsed->tensors[1].size, 24U);
  EXPECT_EQ(parsed->tensors[2].name, "e");
  EXPECT_EQ(parsed->tensors[3].size, 1U);
}

TEST(Safetensors, TakesNoTensorsAtAll) {
  EXPECT_THAT(parse(file("{}"))->tensors, IsEmpty());
  EXPECT_THAT(parse(file(R"({"__metadata__":{}})"))->metadata, IsEmpty());
}

TEST(Safetensors, KnowsEachDtype) {
  const std::vector<std::pair<std::string, unsigned>> bytes_of_four = {
      {"BOOL", 4},    {"F4", 2},      {"F6_E2M3", 3}, {"F6_E3M2", 3},     {"U8", 4},          {"I8", 4},
      {"F8_E5M2", 4}, {"F8_E4M3", 4}, {"F8_E8M0", 4}, {"F8_E4M3FNUZ", 4}, {"F8_E5M2FNUZ", 4}, {"I16", 8},
      {"U16", 8},     {"F16", 8},     {"BF16", 8},    {"I32", 16},        {"U32", 16},        {"F32", 16},
      {"C64", 32},    {"F64", 32},    {"I64", 32},    {"U64", 32}};
  for (const auto& [name, size] : bytes_of_four) {
    const auto parsed = parse(
        file(fmt::format(R"({{"t":{{"dtype":"{}","shape":[4],"data_offsets":[0,{}]}}}})", name, size), size));
    ASSERT_TRUE(parsed) << name;
    EXPECT_EQ(to_string(parsed->tensors[0].dtype), name);
  }
  EXPECT_EQ(code(R"({"t":{"dtype":"F7","shape":[4],"data_offsets":[0,4]}})", 4), ErrorCode::kUnsupported);
  EXPECT_EQ(code(R"({"t":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}})", 1), ErrorCode::kDataCorrupt);
}

TEST(Safetensors, RefusesOverlapsHolesAndRests) {
  const auto two = [](unsigned a, unsigned b, unsigned c, unsigned d) {
    return fmt::format(R"({{"a":{{"dtype":"U8","shape":[{}],"data_offsets":[{},{}]}},)"
                       R"("b":{{"dtype":"U8","shape":[{}],"data_offsets":[{},{}]}}}})",
                       b - a, a, b, d - c, c, d);
  };
  EXPECT_TRUE(parse(file(two(0, 4, 4, 8), 8)));
  EXPECT_TRUE(parse(file(two(4, 8, 0, 4), 8)));
  EXPECT_EQ(code(two(0, 4, 3, 8), 8), ErrorCode::kDataCorrupt);  // overlap
  EXPECT_EQ(code(two(0, 8, 0, 8), 8), ErrorCode::kDataCorrupt);  // the same bytes twice
  EXPECT_EQ(code(two(0, 4, 5, 8), 8), ErrorCode::kDataCorrupt);  // hole
  EXPECT_EQ(code(two(1, 4, 4, 8), 8), ErrorCode::kDataCorrupt);  // hole at the start
  EXPECT_EQ(code(two(0, 4, 4, 8), 9), ErrorCode::kDataCorrupt);  // rest
  EXPECT_EQ(code(two(0, 4, 4, 8), 7), ErrorCode::kDataCorrupt);  // beyond the file
  EXPECT_EQ(code("{}", 1), ErrorCode::kDataCorrupt);
}

TEST(Safetensors, RefusesShapesThatContradictTheirSize) {
  for (const std::string_view shape :
       {"[5]", "[2,3]", "[]", "[4611686018427387904,4]", "[18446744073709551615]"}) {
    EXPECT_EQ(code(fmt::format(R"({{"t":{{"dtype":"F32","shape":{},"data_offsets":[0,16]}}}})", shape), 16),
              ErrorCode::kDataCorrupt);
  }
}

TEST(Safetensors, RefusesWhatTheFormatDoesNotHave) {
  for (
      const std::string_view header : {
          "",
          " {}",
          "[]",
          "{",
          "{}{}",
          "{},",
          R"({"t":1})",
          R"({"t":"x"})",
          R"({"t":[1]})",
          R"({"t":null})",
          R"({"t":{}})",
          R"({"t":{"dtype":"U8","shape":[1]}})",
          R"({"t":{"dtype":"U8","shape":[1],"data_offsets":[0]}})",
          R"({"t":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}})",
          R"({"t":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}})",
          R"({"t":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}})",
          R"({"t":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}})",
          R"({"t":{"dtype":"U8","shape":[[1]],"data_offsets":[0,1]}})",
          R"({"t":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"more":1}})",
          R"({"t":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
          R"({"t":{"dtype":"U8","shape":[1],"shape":[1],"data_offsets":[0,1]}})",
          R"({"t":{"dtype":"U8","shape":{"a":1},"data_offsets":[0,1]}})",
          R"({"t":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"t":{"dtype":"U8","shape":[0],"data_offsets":[1,1]}})",
          R"({"__metadata__":{"a":1}})",
          R"({"__metadata__":{"a":["b"]}})",
          R"({"__metadata__":{"a":"b","a":"c"}})",
          R"({"__metadata__":{},"__metadata__":{}})",
          R"({"__metadata__":"a"})",
          R"({"__metadata__":{"a":{}}})",
          "{\"__metadata__\":{\"a\":\"\xFF\"}}",
      }) {
    EXPECT_EQ(code(header, 1), ErrorCode::kDataCorrupt) << header;
  }
}

TEST(Safetensors, BoundsWhatItKeeps) {
  std::string metadata = R"({"__metadata__":{)";
  for (std::size_t i = 0; i <= SafetensorsHeader::kMaxMetadata; ++i) {
    metadata += fmt::format("\"{}\":\"\",", i);
  }
  metadata.back() = '}';
  EXPECT_EQ(code(metadata + "}"), ErrorCode::kLimitExceeded);
  std::string dimensions;
  for (std::size_t i = 0; i <= SafetensorsHeader::kMaxDimensions; ++i) dimensions += "1,";
  dimensions.pop_back();
  EXPECT_EQ(code(fmt::format(R"({{"t":{{"dtype":"U8","shape":[{}],"data_offsets":[0,1]}}}})", dimensions), 1),
            ErrorCode::kLimitExceeded);
  EXPECT_EQ(code(std::string(SafetensorsHeader::kMaxBytes + 1, '{')), ErrorCode::kLimitExceeded);
  EXPECT_EQ(parse("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF{}").error().code, ErrorCode::kDataCorrupt);
}

TEST(Safetensors, SurvivesTruncationAtEachByte) {
  const std::string whole = file(R"({"t":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", 4);
  EXPECT_TRUE(parse(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(parse(whole.substr(0, size))) << size;
}

}  // namespace
}  // namespace holdfast::formats
