#include "intake/inspect_wire.h"

#include <gtest/gtest.h>

namespace holdfast::intake {
namespace {

const inspect::Finding kFinding{.rule_id = "file.link",
                                .severity = inspect::Severity::kHigh,
                                .path = "model.zip!a\xff.pkl",
                                .offset = 12,
                                .message = "it says \"x\"\n"};

bool accepted(std::string_view frame) {
  return decode_answer(base::as_bytes(frame), "model.zip").has_value();
}

TEST(InspectWire, CarriesAFinding) {
  const auto answer = decode_answer(base::as_bytes(encode(kFinding)), "model.zip").value();
  const auto& finding = std::get<inspect::Finding>(answer);
  EXPECT_EQ(finding.rule_id, kFinding.rule_id);
  EXPECT_EQ(finding.severity, kFinding.severity);
  EXPECT_EQ(finding.path, "model.zip!a\ufffd.pkl");  // JSON carries UTF-8 alone
  EXPECT_EQ(finding.offset, kFinding.offset);
  EXPECT_EQ(finding.message, kFinding.message);
}

TEST(InspectWire, CarriesTheCoverage) {
  const InspectDone done{.coverage = {.format = "zip", .not_looked_at = {"model.zip!b: encrypted"}},
                         .findings_dropped = 3};
  const auto answer = decode_answer(base::as_bytes(encode(done)), "model.zip").value();
  const auto& decoded = std::get<InspectDone>(answer);
  EXPECT_EQ(decoded.coverage.format, "zip");
  EXPECT_EQ(decoded.coverage.not_looked_at, done.coverage.not_looked_at);
  EXPECT_EQ(decoded.findings_dropped, 3U);
}

TEST(InspectWire, CarriesTheRequest) {
  EXPECT_EQ(decode_request(base::as_bytes(encode(InspectRequest{.path = "a\nb"})))->path, "a\nb");
  EXPECT_TRUE(decode_request(base::as_bytes(encode(InspectRequest{.path = "a", .explain = true})))->explain);
  EXPECT_TRUE(decode_request(base::as_bytes(encode(InspectRequest{.path = "a", .weights = true})))->weights);
  EXPECT_FALSE(decode_request(base::as_bytes(R"({"do":"inspect","path":"a","explain":false})")));
  EXPECT_EQ(
      decode_request(base::as_bytes(encode(InspectRequest{.path = "a", .verb = Verb::kDescribe})))->verb,
      Verb::kDescribe);
  EXPECT_FALSE(decode_request(base::as_bytes(R"({"do":"run","path":"a","explain":false,"weights":false})")));
  const inspect::Program program{.path = "model.zip!a.pkl", .text = "var_0 = os.system('true')\n"};
  const auto answer = decode_answer(base::as_bytes(encode(program)), "model.zip").value();
  EXPECT_EQ(std::get<inspect::Program>(answer).text, program.text);
  EXPECT_FALSE(decode_answer(base::as_bytes(encode(program)), "other.zip"));
  EXPECT_FALSE(decode_request(base::as_bytes("{}")));
}

TEST(InspectWire, CarriesReferencesThatStayBelowTheFolder) {
  const inspect::Reference reference{.location = "a/w", .what = "\"w\"", .end = ~0ULL, .numbers = true};
  const auto answer = decode_answer(base::as_bytes(encode(reference)), "model.onnx").value();
  const auto& decoded = std::get<inspect::Reference>(answer);
  EXPECT_EQ(decoded.location, reference.location);
  EXPECT_EQ(decoded.what, reference.what);
  EXPECT_EQ(decoded.end, reference.end);
  EXPECT_TRUE(decoded.numbers);
  for (const std::string location : {"../w", "/etc/shadow", ""}) {
    EXPECT_FALSE(
        decode_answer(base::as_bytes(encode(inspect::Reference{.location = location})), "model.onnx"));
  }
}

TEST(InspectWire, AWorkerCanSpeakOfItsFileAlone) {
  EXPECT_TRUE(
      accepted(R"({"is":"finding","rule":"file.link","severity":"low","path":"model.zip","message":""})"));
  EXPECT_FALSE(
      accepted(R"({"is":"finding","rule":"file.link","severity":"low","path":"other.zip","message":""})"));
  EXPECT_FALSE(
      accepted(R"({"is":"finding","rule":"file.link","severity":"low","path":"model.zipper","message":""})"));
}

TEST(InspectWire, RefusesWhatMakesNoSense) {
  for (const auto* frame :
       {"", "[]", "{", "{}", R"({"is":"other"})",
        R"({"is":"finding","rule":"no.such-rule","severity":"low","path":"model.zip","message":""})",
        R"({"is":"finding","rule":"file.link","severity":"fatal","path":"model.zip","message":""})",
        R"({"is":"finding","rule":"file.link","severity":"low","path":"model.zip"})",
        R"({"is":"finding","rule":"file.link","severity":"low","path":"model.zip","message":"","offset":-1})",
        R"({"is":"done","format":"zip","gaps":[1],"dropped":0})", R"({"is":"done","format":"zip","gaps":[]})",
        R"({"is":"done","format":"zip","gaps":{},"dropped":0})"}) {
    EXPECT_FALSE(accepted(frame)) << frame;
  }
}

}  // namespace
}  // namespace holdfast::intake
