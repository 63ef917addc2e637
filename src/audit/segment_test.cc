#include "audit/segment.h"

#include <gtest/gtest.h>

#include "audit/record.h"

namespace holdfast::audit {
namespace {

BodyLine body_line() {
  BodyLine line{.index = 7,
                .commitment = base::Digest(),
                .sealed = {},
                .workspace = base::WorkspaceId("credit"),
                .body = base::Bytes{0, 1, 2}};
  line.sealed = sealed_digest(line.workspace, line.body);
  return line;
}

std::string without_end(std::string line) {
  line.pop_back();
  return line;
}

TEST(SegmentTest, LinesComeBackAsTheyWere) {
  const SegmentLine body = body_line();
  EXPECT_EQ(format_line(body), R"({"body":"AAEC","commitment":")" + std::string(64, '0') +
                                   "\",\"index\":7,\"workspace\":\"credit\"}\n");
  EXPECT_EQ(parse_line(without_end(format_line(body))).value(), body);
  auto destroyed = body_line();
  destroyed.body.clear();
  destroyed.workspace = {};
  EXPECT_EQ(parse_line(without_end(format_line(destroyed))).value(), SegmentLine(destroyed));
  EXPECT_EQ(destroyed.entry(), body_line().entry());
  const SegmentLine checkpoint = CheckpointLine{"log\n1\n\u2014 \"quoted\"\n"};
  EXPECT_EQ(parse_line(without_end(format_line(checkpoint))).value(), checkpoint);
}

TEST(SegmentTest, NoOtherSpellingIsRead) {
  const std::string right = without_end(format_line(body_line()));
  ASSERT_TRUE(parse_line(right));
  for (std::size_t at = 0; at < right.size(); ++at) {
    for (const char c : {' ', '0', 'A', '"', '}', '\t'}) {
      std::string wrong = right;
      wrong.insert(at, 1, c);
      const auto line = parse_line(wrong);
      EXPECT_TRUE(!line || format_line(*line) == wrong + "\n") << wrong;
    }
    std::string shorter = right;
    shorter.erase(at, 1);
    const auto line = parse_line(shorter);
    EXPECT_TRUE(!line || format_line(*line) == shorter + "\n") << shorter;
  }
  EXPECT_FALSE(parse_line(""));
  EXPECT_FALSE(parse_line("[]"));
  EXPECT_FALSE(parse_line("{}"));
  EXPECT_FALSE(parse_line(R"({"checkpoint":7})"));
  EXPECT_FALSE(parse_line(R"({"checkpoint":"a","index":1})"));
  EXPECT_FALSE(parse_line(std::string(kMaxLineBytes + 1, ' ')));
}

TEST(SegmentTest, AReaderGivesWholeLinesAlone) {
  SegmentReader reader("one\n\ntwo\nthr");
  EXPECT_EQ(reader.next(), "one");
  EXPECT_EQ(reader.next(), "");
  EXPECT_EQ(reader.next(), "two");
  EXPECT_EQ(reader.position(), 9U);
  EXPECT_EQ(reader.next(), std::nullopt);
  EXPECT_EQ(reader.position(), 9U);
}

}  // namespace
}  // namespace holdfast::audit
