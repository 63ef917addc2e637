#include "inspect/references.h"

#include <fmt/format.h>
#include <gmock/gmock-more-matchers.h>
#include <gtest/gtest.h>

namespace holdfast::inspect {
namespace {

using formats::Format;
using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct Needed {
  std::vector<Reference> references;
  std::vector<Finding> findings;
  Gaps gaps;
};

Needed needed(Format format, const formats::Source& file, const std::string& path) {
  References references;
  Findings findings;
  Gaps gaps = find_references(format, file, path, references, findings);
  return {.references = references.take(), .findings = findings.take(), .gaps = std::move(gaps)};
}

// A field of the wire format whose payload is `bytes`.
std::string field(int number, std::string_view bytes) {
  std::string out(1, static_cast<char>(number << 3 | 2));
  out.push_back(static_cast<char>(bytes.size()));
  return out.append(bytes);
}

// A tensor whose data lies outside of the model.
std::string external(std::string_view name, std::string_view location, std::string_view offset,
                     std::string_view length) {
  const auto said = [](std::string_view key, std::string_view value) {
    return field(13, field(1, key) + field(2, value));
  };
  return field(5, field(8, name) + said("location", location) + said("offset", offset) +
                      said("length", length) + "\x70\x01");
}

Needed of_onnx(const std::string& tensors) {
  const std::string graph = field(7, tensors);
  return needed(Format::kOnnx, formats::MemorySource(base::as_bytes(graph)), "m.onnx");
}

TEST(References, OfOnnxTellTheLastByteOfEachFile) {
  const auto found = of_onnx(external("a", "w", "0", "16") + external("b", "w", "16", "8"));
  ASSERT_THAT(found.references, SizeIs(1));
  EXPECT_EQ(found.references[0].location, "w");
  EXPECT_EQ(found.references[0].what, "\"b\"");
  EXPECT_EQ(found.references[0].end, 24U);
  EXPECT_TRUE(found.references[0].numbers);
  EXPECT_EQ(of_onnx(external("a", "w", "18446744073709551615", "2")).references[0].end, ~0ULL);
  EXPECT_THAT(of_onnx(external("a", "../w", "0", "16")).references, IsEmpty());
}

TEST(References, OfACheckpointAreItsShards) {
  const auto file = formats::FileSource::open(HOLDFAST_TESTDATA "/tensorflow/variables.index").value();
  const auto found = needed(Format::kCheckpointIndex, file, "model/variables/variables.index");
  ASSERT_THAT(found.references, SizeIs(1));
  EXPECT_EQ(found.references[0].location, "variables.data-00000-of-00001");
  EXPECT_EQ(found.references[0].end, 259U);
  EXPECT_THAT(needed(Format::kCheckpointIndex, file, "upload").gaps, SizeIs(1));
  const formats::MemorySource broken(base::as_bytes(std::string_view("no table")));
  const auto refused = needed(Format::kCheckpointIndex, broken, "variables.index");
  EXPECT_THAT(refused.findings, ElementsAre(Field(&Finding::rule_id, "weights.malformed")));
  EXPECT_THAT(refused.gaps, SizeIs(1));
}

TEST(References, OfAnIndexOfShardsAreThoseThatStayBesideIt) {
  const std::string json =
      R"({"weight_map":{"a":"model-1.safetensors","b":"model-1.safetensors","c":"../x.bin","d":"/x.bin"}})";
  const auto found =
      needed(Format::kJson, formats::MemorySource(base::as_bytes(json)), "model.safetensors.index.json");
  ASSERT_THAT(found.references, SizeIs(1));
  EXPECT_FALSE(found.references[0].numbers);
  EXPECT_THAT(found.findings, ElementsAre(AllOf(Field(&Finding::rule_id, "weights.escape"),
                                                Field(&Finding::message, HasSubstr("leaves"))),
                                          AllOf(Field(&Finding::rule_id, "weights.escape"),
                                                Field(&Finding::message, HasSubstr("absolute")))));
}

TEST(References, AreBounded) {
  References references;
  for (std::size_t i = 0; i <= kMaxReferences; ++i) references.add({.location = fmt::format("{}", i)});
  EXPECT_FALSE(references.whole());
  EXPECT_THAT(references.take(), SizeIs(kMaxReferences));
}

TEST(References, WhatOneReadsAsAModelIsNoBareNumbers) {
  References references;
  references.add({.location = "w", .what = "a", .end = 4, .numbers = true});
  references.add({.location = "w", .what = "b", .end = 2, .numbers = false});
  const auto all = references.take();
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].end, 4U);
  EXPECT_FALSE(all[0].numbers);
}

TEST(EscapeOf, LetsStayBelowTheFolder) {
  EXPECT_EQ(escape_of("a/b"), "");
  EXPECT_EQ(escape_of("..a/b.."), "");
  for (const std::string_view bad : {"", "/a", "a/../b", "..", "a\\b", "c:a"})
    EXPECT_NE(escape_of(bad), "") << bad;
}

}  // namespace
}  // namespace holdfast::inspect
