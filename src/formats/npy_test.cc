#include "formats/npy.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <string>

namespace holdfast::formats {
namespace {

using namespace std::string_literals;
using base::ErrorCode;
using testing::ElementsAre;

std::string npy(std::string_view header, std::string_view data = {}, char version = 1) {
  std::string out = "\x93NUMPY"s + version + '\0';
  const std::size_t width = version == 1 ? 2 : 4;
  for (std::size_t i = 0; i < width; ++i) out.push_back(static_cast<char>(header.size() >> (8 * i)));
  return out.append(header).append(data);
}

base::Result<NpyHeader> parse(std::string_view bytes) {
  const MemorySource source(base::as_bytes(bytes));
  SourceStream stream(source);
  BufferedReader reader(stream);
  auto header = read_npy_header(reader, bytes.size());
  if (header) {
    EXPECT_EQ(reader.position(), header->data_offset);
  }
  return header;
}

base::Result<NpyHeader> parse_type(std::string_view descr) {
  return parse(npy("{'descr': " + std::string(descr) + ", 'fortran_order': False, 'shape': (0,), }\n"));
}

TEST(Npy, ReadsWhatNumpyWrites) {
  const auto header = parse(
      npy("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }          \n", std::string(48, '\0')));
  ASSERT_TRUE(header) << header.error().message;
  EXPECT_EQ(header->type.kind, 'f');
  EXPECT_EQ(header->type.byte_order, '<');
  EXPECT_EQ(header->type.size, 8U);
  EXPECT_FALSE(header->type.holds_objects);
  EXPECT_FALSE(header->fortran_order);
  EXPECT_THAT(header->shape, ElementsAre(3, 2));
  EXPECT_EQ(header->data_size, 48U);
  EXPECT_EQ(header->trailing_size, 0U);
}

TEST(Npy, ReadsEachVersionAndPython2) {
  for (const char version : {'\1', '\2', '\3'}) {
    const auto header = parse(npy("{'descr': '|u1', 'fortran_order': True, 'shape': (), }", "x", version));
    ASSERT_TRUE(header);
    EXPECT_EQ(header->version, version);
    EXPECT_TRUE(header->fortran_order);
    EXPECT_EQ(header->data_size, 1U);
  }
  EXPECT_TRUE(parse(npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2L, 1L)}", "xx")));
  EXPECT_FALSE(parse(npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2L, 1L)}", "xx", 3)));
  EXPECT_EQ(parse(npy("{}", "", 4)).error().code, ErrorCode::kUnsupported);
}

TEST(Npy, SizesTypes) {
  EXPECT_EQ(parse_type("'|b1'")->type.size, 1U);
  EXPECT_EQ(parse_type("'>i4'")->type.byte_order, '>');
  EXPECT_EQ(parse_type("'<c16'")->type.size, 16U);
  EXPECT_EQ(parse_type("'<U5'")->type.size, 20U);
  EXPECT_EQ(parse_type("'|S5'")->type.size, 5U);
  EXPECT_EQ(parse_type("'|V3'")->type.size, 3U);
  EXPECT_EQ(parse_type("'<M8[ns]'")->type.size, 8U);
  EXPECT_EQ(parse_type("('<f4', (2, 3))")->type.size, 24U);
}

TEST(Npy, ReadsStructures) {
  const auto header = parse_type("[('a', '<f4'), (('title', 'b'), '<i4', (2, 2)), ('c', [('d', '<U2')])]");
  ASSERT_TRUE(header) << header.error().message;
  const NpyType& type = header->type;
  EXPECT_EQ(type.kind, 'V');
  EXPECT_EQ(type.size, 4U + 16 + 8);
  ASSERT_EQ(type.fields.size(), 3U);
  EXPECT_EQ(type.fields[1].name, "b");
  EXPECT_EQ(type.fields[1].offset, 4U);
  EXPECT_THAT(type.fields[1].type.shape, ElementsAre(2, 2));
  EXPECT_EQ(type.fields[2].offset, 20U);
  EXPECT_EQ(type.fields[2].type.fields[0].type.kind, 'U');
  EXPECT_FALSE(type.holds_objects);
}

TEST(Npy, FlagsObjectsWhereverTheyAre) {
  for (const std::string_view descr : {"'|O'", "'O'", "'|O8'", "[('a', '<f4'), ('b', '|O')]",
                                       "[('a', [('b', [('c', '|O', (2,))])])]", "('|O', (2,))"}) {
    const auto header = parse_type(descr);
    ASSERT_TRUE(header) << descr;
    EXPECT_TRUE(header->type.holds_objects) << descr;
  }
  const auto header =
      parse(npy("{'descr': '|O', 'fortran_order': False, 'shape': (1000000,), }", "\x80\2N."));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->data_size, 4U);
}

TEST(Npy, RefusesTypesThatItDoesNotKnow) {
  // NumPy would take most of these, some of them as objects.
  for (const std::string_view descr :
       {"'f8,O'", "'object'", "'<f3'", "'<x4'", "''", "'<'", "'<f'", "'<i8[ns]'", "'f8 '", "'<U4294967295'",
        "'O2x'", "'<M8[ns'", "'a\\x4F'"}) {
    const auto header = parse_type(descr);
    ASSERT_FALSE(header) << descr;
    EXPECT_EQ(header.error().code, ErrorCode::kUnsupported) << descr;
  }
}

TEST(Npy, RefusesLiteralsThatNumpyDoesNotWrite) {
  const std::string rest = ", 'fortran_order': False, 'shape': (0,)";
  for (const std::string& header : {
           ""s,
           "{}"s,
           "{'descr': '<f8'" + rest,
           "{'descr': '<f8'" + rest + "} x",
           "{'descr': '<f8'" + rest + ", 'more': 1}",
           "{'descr': '<f8'" + rest + ", 'shape': (1,)}",
           "{'descr': '|' 'O'" + rest + "}",
           "{'descr': b'<f8'" + rest + "}",
           "{'descr': '<f8', 'fortran_order': 0, 'shape': (0,)}"s,
           "{'descr': '<f8', 'fortran_order': False, 'shape': (0)}"s,
           "{'descr': '<f8', 'fortran_order': False, 'shape': [0]}"s,
           "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}"s,
           "{'descr': '<f8', 'fortran_order': False, 'shape': (01,)}"s,
           "{'descr': '<f8', 'fortran_order': False, 'shape': (1_0,)}"s,
           "{'descr': '<f8', 'fortran_order': False, 'shape': (1 2)}"s,
           "{'descr': '<f8', 'fortran_order': False, 'shape': (__import__('os'),)}"s,
           "{'descr': [('a')]" + rest + "}",
           "{'descr': [('a', '<f4' '<f4')]" + rest + "}",
           "{'descr': '<f8" + rest + "}",
       }) {
    EXPECT_FALSE(parse(npy(header))) << header;
  }
}

TEST(Npy, ChecksSizesAgainstTheFile) {
  const std::string header = "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }";
  EXPECT_EQ(parse(npy(header, std::string(15, 'x'))).error().code, ErrorCode::kDataCorrupt);
  EXPECT_EQ(parse(npy(header, std::string(16, 'x')))->trailing_size, 0U);
  EXPECT_EQ(parse(npy(header, std::string(19, 'x')))->trailing_size, 3U);
  for (const std::string_view shape : {"(9223372036854775807,)", "(4294967296, 4294967296)",
                                       "(18446744073709551616,)", "(4294967296, 4294967296, 0)"}) {
    const auto parsed =
        parse(npy("{'descr': '<f8', 'fortran_order': False, 'shape': " + std::string(shape) + "}"));
    ASSERT_FALSE(parsed) << shape;
    EXPECT_EQ(parsed.error().code, ErrorCode::kDataCorrupt) << shape;
  }
}

TEST(Npy, BoundsLengthDepthAndDimensions) {
  EXPECT_EQ(parse("\x93NUMPY\2\0\xFF\xFF\xFF\xFF"s).error().code, ErrorCode::kLimitExceeded);
  std::string deep = "'<f8'";
  for (int i = 0; i < 100; ++i) deep = "[('a', " + deep + ")]";
  EXPECT_EQ(parse_type(deep).error().code, ErrorCode::kLimitExceeded);
  std::string many = "(";
  for (std::size_t i = 0; i <= NpyHeader::kMaxDimensions; ++i) many += "1, ";
  const auto parsed = parse(npy("{'descr': '<f8', 'fortran_order': False, 'shape': " + many + ")}"));
  EXPECT_EQ(parsed.error().code, ErrorCode::kLimitExceeded);
  // A subarray within subarrays may not multiply without end.
  std::string tower = "'<f8'";
  for (int i = 0; i < 10; ++i) tower = "(" + tower + ", (4294967296,))";
  EXPECT_EQ(parse_type(tower).error().code, ErrorCode::kDataCorrupt);
}

TEST(Npy, SurvivesTruncationAtEachByte) {
  const std::string whole =
      npy("{'descr': [('a', '<f4', (2,))], 'fortran_order': False, 'shape': (1,), }\n", "12345678");
  EXPECT_TRUE(parse(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(parse(whole.substr(0, size))) << size;
}

}  // namespace
}  // namespace holdfast::formats
