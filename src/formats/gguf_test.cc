#include "formats/gguf.h"

#include <gmock/gmock-more-matchers.h>
#include <gtest/gtest.h>

#include <string>

#include "base/file.h"

namespace holdfast::formats {
namespace {

using base::ErrorCode;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Writes the parts of a file, in either byte order.
struct Writer {
  bool big = false;
  std::string out;

  Writer& number(std::uint64_t value, int width) {
    for (int i = 0; i < width; ++i) {
      out.push_back(static_cast<char>(value >> (8 * (big ? width - 1 - i : i))));
    }
    return *this;
  }
  Writer& text(std::string_view value, int width = 8) {
    number(value.size(), width);
    out += value;
    return *this;
  }
  Writer& head(std::uint64_t tensors, std::uint64_t entries, std::uint32_t version = 3) {
    out += "GGUF";
    const int width = version == 1 ? 4 : 8;
    return number(version, 4).number(tensors, width).number(entries, width);
  }
  Writer& tensor(std::string_view name, std::uint64_t elements, std::uint32_t type, std::uint64_t offset) {
    return text(name).number(1, 4).number(elements, 8).number(type, 4).number(offset, 8);
  }
  Writer& data(std::size_t size) {
    out.resize((out.size() + 31) / 32 * 32);
    out.append(size, 'w');
    return *this;
  }
};

base::Result<GgufFile> parse(const std::string& bytes) {
  return read_gguf(MemorySource(base::as_bytes(bytes)));
}

ErrorCode code(const std::string& bytes) {
  const auto parsed = parse(bytes);
  EXPECT_FALSE(parsed);
  return parsed ? ErrorCode::kInternal : parsed.error().code;
}

TEST(Gguf, ReadsWhatItsOwnWriterWrote) {
  const auto source = FileSource::open(HOLDFAST_TESTDATA "/gguf/tiny.gguf");
  ASSERT_TRUE(source);
  const auto file = read_gguf(*source);
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->version, 3U);
  EXPECT_EQ(file->find("general.architecture")->text, "llama");
  EXPECT_EQ(file->find("llama.context_length")->bits, 16U);
  EXPECT_EQ(file->find("tokenizer.ggml.tokens")->count, 3U);
  EXPECT_EQ(file->find("tokenizer.ggml.tokens")->element, GgufType::kString);
  EXPECT_THAT(file->find("tokenizer.chat_template.tool_use")->text, HasSubstr("tojson"));
  EXPECT_EQ(file->find("no such key"), nullptr);
  ASSERT_THAT(file->tensors, SizeIs(3));
  EXPECT_EQ(file->tensors[0].name, "token_embd.weight");
  EXPECT_THAT(file->tensors[0].shape, ElementsAre(4, 3));
  EXPECT_EQ(file->tensors[0].size, 48U);
  EXPECT_EQ(file->tensors[1].size, 68U);
  EXPECT_EQ(file->tensors[2].size, 10U);
  EXPECT_EQ(file->unlisted, 0U);
}

TEST(Gguf, ReadsEachTypeOfValue) {
  Writer it;
  it.head(0, 14);
  const int widths[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  for (std::uint32_t type = 0; type < 13; ++type) {
    it.text("k" + std::to_string(type)).number(type, 4);
    if (type == 8) {
      it.text("words");
    } else if (type == 9) {
      it.number(4, 4).number(2, 8).number(7, 4).number(8, 4);
    } else {
      it.number(1, widths[type]);
    }
  }
  it.text("nested").number(9, 4).number(9, 4).number(1, 8).number(8, 4).number(1, 8).text("x");
  const auto file = parse(it.out);
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->find("k8")->text, "words");
  EXPECT_EQ(it.out.substr(static_cast<std::size_t>(file->find("k8")->offset), 5), "words");
  EXPECT_EQ(file->find("k12")->bits, 1U);
  EXPECT_EQ(file->find("nested")->element, GgufType::kArray);
}

TEST(Gguf, ReadsTheOldLengthsAndTheOtherByteOrder) {
  Writer old;
  old.head(0, 1, 1).text("k", 4).number(8, 4).text("v", 4);
  EXPECT_EQ(parse(old.out)->find("k")->text, "v");
  Writer big{.big = true, .out = {}};
  big.head(1, 0).tensor("t", 2, 0, 0).data(8);
  const auto file = parse(big.out);
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_TRUE(file->big_endian);
  EXPECT_EQ(file->tensors[0].size, 8U);
}

TEST(Gguf, RefusesTensorsThatOverlapLeaveTheFileOrLieAskew) {
  EXPECT_TRUE(parse(Writer().head(2, 0).tensor("a", 8, 0, 0).tensor("b", 8, 0, 32).data(64).out));
  EXPECT_EQ(code(Writer().head(2, 0).tensor("a", 9, 0, 0).tensor("b", 8, 0, 32).data(64).out),
            ErrorCode::kDataCorrupt);
  EXPECT_EQ(code(Writer().head(1, 0).tensor("a", 8, 0, 32).data(32).out), ErrorCode::kDataCorrupt);
  EXPECT_EQ(code(Writer().head(1, 0).tensor("a", 8, 0, ~31ULL).data(32).out), ErrorCode::kDataCorrupt);
  EXPECT_EQ(code(Writer().head(1, 0).tensor("a", 1, 0, 4).data(32).out), ErrorCode::kDataCorrupt);
  EXPECT_EQ(code(Writer().head(1, 0).tensor("a", 31, 8, 0).data(64).out), ErrorCode::kDataCorrupt);
  EXPECT_EQ(code(Writer().head(1, 0).tensor("a", 1ULL << 63, 0, 0).data(64).out), ErrorCode::kDataCorrupt);
  EXPECT_EQ(code(Writer().head(2, 0).tensor("a", 8, 0, 0).tensor("a", 8, 0, 32).data(64).out),
            ErrorCode::kDataCorrupt);
  EXPECT_EQ(code(Writer().head(1, 0).tensor("a", 8, 99, 0).data(64).out), ErrorCode::kUnsupported);
}

TEST(Gguf, CountsBytesThatNoTensorOwns) {
  EXPECT_EQ(parse(Writer().head(1, 0).tensor("a", 2, 0, 0).data(8).out)->unlisted, 0U);
  EXPECT_EQ(parse(Writer().head(1, 0).tensor("a", 2, 0, 0).data(32).out)->unlisted, 0U);
  EXPECT_EQ(parse(Writer().head(1, 0).tensor("a", 2, 0, 0).data(100).out)->unlisted, 92U);
  EXPECT_EQ(parse(Writer().head(1, 0).tensor("a", 8, 0, 64).data(96).out)->unlisted, 64U);
}

TEST(Gguf, RefusesClaimsThatTheFileCantHold) {
  EXPECT_EQ(code("GGUF"), ErrorCode::kDataCorrupt);
  EXPECT_EQ(code(Writer().head(0, 0, 9).out), ErrorCode::kUnsupported);
  EXPECT_EQ(code(Writer().head(~0ULL, 0).out), ErrorCode::kLimitExceeded);
  EXPECT_EQ(code(Writer().head(0, ~0ULL).out), ErrorCode::kLimitExceeded);
  EXPECT_EQ(code(Writer().head(0, 1).number(~0ULL, 8).out), ErrorCode::kDataCorrupt);
  EXPECT_EQ(code(Writer().head(0, 1).text("k").number(13, 4).out), ErrorCode::kDataCorrupt);
  EXPECT_EQ(code(Writer().head(0, 1).text("k").number(9, 4).number(10, 4).number(1ULL << 61, 8).out),
            ErrorCode::kDataCorrupt);
  EXPECT_EQ(code(Writer().head(0, 2).text("k").number(0, 4).number(1, 1).text("k").out),
            ErrorCode::kDataCorrupt);
  Writer deep;
  deep.head(0, 1).text("k").number(9, 4);
  for (int i = 0; i < 20; ++i) deep.number(9, 4).number(1, 8);
  EXPECT_EQ(code(deep.out), ErrorCode::kLimitExceeded);
  for (const std::uint64_t alignment : {0ULL, 24ULL, 1ULL << 31}) {
    EXPECT_EQ(code(Writer().head(0, 1).text("general.alignment").number(4, 4).number(alignment, 4).out),
              ErrorCode::kDataCorrupt);
  }
}

TEST(Gguf, RefusesEveryTruncation) {
  const std::string whole =
      Writer().head(1, 1).text("k").number(8, 4).text("v").tensor("a", 8, 0, 0).data(32).out;
  ASSERT_TRUE(parse(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(parse(whole.substr(0, size))) << size;
}

}  // namespace
}  // namespace holdfast::formats
