#include "formats/csv.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

namespace holdfast::formats {
namespace {

using base::ErrorCode;
using testing::HasSubstr;

using Rows = std::vector<std::vector<std::string>>;

// Gives at most `step` bytes a read.
class SlowStream final : public Stream {
 public:
  SlowStream(std::string_view text, std::size_t step) : left_(text), step_(step) {}
  base::Result<std::size_t> read(base::MutableByteView buffer) override {
    const std::size_t count = std::min({buffer.size(), left_.size(), step_});
    std::copy_n(base::as_bytes(left_).begin(), count, buffer.begin());
    left_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view left_;
  std::size_t step_;
};

struct Read {
  Rows rows;
  std::vector<std::uint64_t> lines;
  std::optional<ErrorCode> error;
  std::string message;
};

Read read(std::string_view text, const CsvOptions& options = {}, std::size_t step = 1UL << 20) {
  SlowStream stream(text, step);
  auto csv = CsvReader::create(stream, options);
  Read out;
  for (;;) {
    const auto record = csv->next();
    if (!record) {
      out.error = record.error().code;
      out.message = record.error().message;
      EXPECT_EQ(csv->next().error().message, out.message) << "an error stays";
    }
    if (!record || !*record) return out;
    out.rows.emplace_back((*record)->begin(), (*record)->end());
    out.lines.push_back(csv->line());
  }
}

void expect_fault(std::string_view text, std::string_view where, ErrorCode code = ErrorCode::kDataCorrupt) {
  const Read got = read(text);
  EXPECT_EQ(got.error, code) << text;
  EXPECT_THAT(got.message, HasSubstr(where));
}

// RFC 4180, section 2, rules 1 to 7.
TEST(Csv, ReadsTheExamplesOfTheStandard) {
  const Rows two = {{"aaa", "bbb", "ccc"}, {"zzz", "yyy", "xxx"}};
  EXPECT_EQ(read("aaa,bbb,ccc\r\nzzz,yyy,xxx\r\n").rows, two);
  EXPECT_EQ(read("aaa,bbb,ccc\r\nzzz,yyy,xxx").rows, two);
  EXPECT_EQ(read("field_name,field_name,field_name\r\naaa,bbb,ccc\r\n").rows.size(), 2U);
  EXPECT_EQ(read("\"aaa\",\"bbb\",\"ccc\"\r\nzzz,yyy,xxx").rows, two);
  EXPECT_EQ(read("\"aaa\",\"b\r\nbb\",\"ccc\"\r\nzzz,yyy,xxx").rows[0][1], "b\r\nbb");
  EXPECT_EQ(read("\"aaa\",\"b\"\"bb\",\"ccc\"").rows[0][1], "b\"bb");
}

TEST(Csv, TakesEmptyFieldsAndFiles) {
  EXPECT_EQ(read("").rows, Rows{});
  EXPECT_EQ(read(",").rows, (Rows{{"", ""}}));
  EXPECT_EQ(read(",,\n,,").rows, (Rows{{"", "", ""}, {"", "", ""}}));
  EXPECT_EQ(read("\"\"").rows, (Rows{{""}}));
  EXPECT_EQ(read("\"\"\"\"").rows, (Rows{{"\""}}));
  EXPECT_EQ(read("a\n\n b \n").rows, (Rows{{"a"}, {""}, {" b "}}));
  EXPECT_EQ(read("a\n\n\"\"\n\nb\n\n", {.skip_blank_lines = true}).rows, (Rows{{"a"}, {""}, {"b"}}));
}

TEST(Csv, TakesLfAndAByteOrderMarkAndOtherSeparators) {
  EXPECT_EQ(read("a,b\nc,d\r\n").rows, (Rows{{"a", "b"}, {"c", "d"}}));
  EXPECT_EQ(read("\xEF\xBB\xBF"
                 "a,b\n")
                .rows,
            (Rows{{"a", "b"}}));
  EXPECT_EQ(read("\xEF\xBB\xBF").rows, Rows{});
  EXPECT_EQ(read("\xEF\xBB\n").rows, (Rows{{"\xEF\xBB"}}));
  EXPECT_EQ(read("a\tb,c\n", {.separator = '\t'}).rows, (Rows{{"a", "b,c"}}));
  for (const char separator : {'"', '\r', '\n', '\0'}) {
    SlowStream stream("", 1);
    EXPECT_EQ(CsvReader::create(stream, {.separator = separator}).error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(Csv, CountsLinesThroughQuotedOnes) {
  EXPECT_THAT(read("a,b\n\"1\n2\n\",x\nc,\"\"\"\n\"\nd,e\n").lines, testing::ElementsAre(1, 2, 5, 7));
  EXPECT_THAT(read("a\n\n\nb\n", {.skip_blank_lines = true}).lines, testing::ElementsAre(1, 4));
}

TEST(Csv, SaysWhereTheTextIsNoCsv) {
  expect_fault("a,b\nc,d\"e\n", "line 2, column 4");
  expect_fault("a,b\nc,\"d\"e\n", "line 2, column 6");
  expect_fault("a,b\n\"x\ny\", \"z\"\n", "line 3, column 5");
  expect_fault("a,b\nc\n", "line 2, column 1");
  expect_fault("a,b\nc,d,e\n", "3 fields where the first record has 2");
  expect_fault("a,b\n\nc,d\n", "line 2, column 1");
  expect_fault("a\rb\n", "line 1, column 2");
  expect_fault("a\r", "line 1, column 2");
  expect_fault("a,\"b\n", "line 1, column 3");
  expect_fault("a,\"b\"\"", "line 1, column 3");
  expect_fault(std::string_view("a,\0b", 4), "UTF-16");
  expect_fault(std::string_view("a,\"\0b\"", 6), "line 1, column 3");
}

TEST(Csv, BoundsFieldsRecordsAndColumns) {
  const std::string longest(CsvReader::kMaxFieldBytes, 'x');
  EXPECT_FALSE(read(longest + "," + longest).error);
  expect_fault("a," + longest + "x", "line 1, column 3", ErrorCode::kLimitExceeded);
  expect_fault("\"" + longest + "x\"", "line 1, column 2", ErrorCode::kLimitExceeded);
  std::string record;
  while (record.size() <= CsvReader::kMaxRecordBytes + (1UL << 20)) record += "\"" + longest + "\",";
  expect_fault(record, "the record has more than", ErrorCode::kLimitExceeded);
  EXPECT_FALSE(read(std::string(CsvReader::kMaxColumns - 1, ',')).error);
  expect_fault(std::string(CsvReader::kMaxColumns, ','), "fields", ErrorCode::kLimitExceeded);
}

TEST(Csv, PassesAStreamsErrorOn) {
  class Failing final : public Stream {
   public:
    base::Result<std::size_t> read(base::MutableByteView) override {
      return base::fail(ErrorCode::kIo, "no disk");
    }
  } stream;
  EXPECT_EQ(CsvReader::create(stream)->next().error().code, ErrorCode::kIo);
}

// What a table's rows are when they are written by the rules of section 2, they are again when they are read,
// however the bytes arrive.
TEST(Csv, ReadsBackWhatTheRulesWrite) {
  std::mt19937 random(7);
  const auto below = [&](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
  };
  constexpr std::string_view kLetters = "ab,\"\r\n \xC3";
  for (int round = 0; round < 200; ++round) {
    const std::size_t columns = 1 + below(4);
    Rows rows(below(6), std::vector<std::string>(columns));
    std::string text;
    for (auto& row : rows) {
      for (std::size_t i = 0; i < columns; ++i) {
        for (std::size_t n = below(5); n > 0; --n) row[i].push_back(kLetters[below(kLetters.size())]);
        const bool quoted = row[i].find_first_of(",\"\r\n") != row[i].npos || below(3) == 0;
        std::string field;
        for (const char c : row[i]) field.append(c == '"' ? 2 : 1, c);
        if (i > 0) text += ',';
        text += quoted ? "\"" + field + "\"" : field;
      }
      text += below(2) == 0 ? "\r\n" : "\n";
    }
    for (const std::size_t step : {1UL, 3UL, 1000UL}) EXPECT_EQ(read(text, {}, step).rows, rows) << text;
  }
}

TEST(Csv, ReadsRecordsAcrossTheBuffersEdge) {
  std::string text;
  Rows rows;
  for (int i = 0; i < 60'000; ++i) {
    rows.push_back({std::to_string(i), i % 3 == 0 ? "x\"y" : "plain"});
    text += rows.back()[0] + (i % 3 == 0 ? ",\"x\"\"y\"\r\n" : ",plain\n");
  }
  EXPECT_TRUE(read(text).rows == rows);
  EXPECT_TRUE(read(text, {}, 4097).rows == rows);
}

}  // namespace
}  // namespace holdfast::formats
