#include "intake/dataset_wire.h"

#include <gtest/gtest.h>

#include "formats/source.h"

namespace holdfast::intake {
namespace {

using base::ErrorCode;

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  const auto at = text.find(what);
  EXPECT_NE(at, text.npos) << what;
  return text.replace(at, what.size(), with);
}

DatasetSurvey survey_of(std::string_view header) {
  std::string csv = std::string(header) + "\n";
  for (int i = 0; i < 60; ++i) csv += std::to_string(i) + (i % 3 == 0 ? ",f\n" : ",\xC3\xA9\n");
  auto survey = data::survey_csv(formats::MemorySource(base::as_bytes(csv)), {}).value();
  return {.digest = survey.digest,
          .rows = survey.rows,
          .parts = survey.parts,
          .schema = survey.profile.schema(),
          .train_profile = survey.train_profile};
}

ErrorCode code_of(std::string_view frame) {
  const auto survey = decode_survey(base::as_bytes(frame));
  EXPECT_FALSE(survey) << frame.substr(0, 100);
  return survey ? ErrorCode::kInternal : survey.error().code;
}

TEST(DatasetWire, CarriesASurvey) {
  const DatasetSurvey survey = survey_of("amount,sex");
  const auto read = decode_survey(base::as_bytes(encode(survey))).value();
  EXPECT_EQ(read.digest, survey.digest);
  EXPECT_EQ(read.rows, 60U);
  EXPECT_EQ(read.schema, survey.schema);
  EXPECT_EQ(read.train_profile, survey.train_profile);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(read.parts[i].digest, survey.parts[i].digest);
    EXPECT_EQ(read.parts[i].rows, survey.parts[i].rows);
  }
}

TEST(DatasetWire, CarriesWhyThereIsNone) {
  const auto sent = [](ErrorCode code) {
    const auto read = decode_survey(base::as_bytes(encode(base::fail(code, "line 7: why \xFF"))));
    EXPECT_TRUE(read.error().message.starts_with("line 7: why"));
    return read.error().code;
  };
  EXPECT_EQ(sent(ErrorCode::kInvalidArgument), ErrorCode::kInvalidArgument);
  EXPECT_EQ(sent(ErrorCode::kLimitExceeded), ErrorCode::kLimitExceeded);
  EXPECT_EQ(sent(ErrorCode::kPermissionDenied), ErrorCode::kDataCorrupt);
}

TEST(DatasetWire, RefusesWhatDoesNotAddUp) {
  const DatasetSurvey good = survey_of("amount,sex");
  const std::string frame = encode(good);
  const auto with = [&](auto change) {
    DatasetSurvey other = good;
    change(other);
    return code_of(encode(other));
  };
  EXPECT_EQ(with([](auto& s) { s.rows += 1; }), ErrorCode::kDataCorrupt);
  EXPECT_EQ(with([](auto& s) { std::swap(s.parts[0], s.parts[1]); }), ErrorCode::kDataCorrupt);
  EXPECT_EQ(with([](auto& s) {
              s.parts[0].rows += s.parts[2].rows;
              s.parts[2].rows = 0;
            }),
            ErrorCode::kDataCorrupt);
  EXPECT_EQ(with([](auto& s) { s.parts[1].rows = ~0ULL; }), ErrorCode::kDataCorrupt);
  EXPECT_EQ(with([](auto& s) { s.schema = survey_of("amount,gender").schema; }), ErrorCode::kDataCorrupt);
  EXPECT_EQ(with([](auto& s) { s.train_profile = survey_of("sum,sex").train_profile; }),
            ErrorCode::kDataCorrupt);
  for (const std::string& other :
       {std::string(), std::string("{}\n\n"), std::string("[]"), frame.substr(0, frame.size() - 1),
        frame.substr(0, frame.find('\n')), replaced(frame, "\"is\":\"survey\"", "\"is\":7"),
        replaced(frame, "\"rows\":60", "\"rows\":-60"),
        replaced(frame, "\"rows\":60", "\"more\":1,\"rows\":60"), replaced(frame, good.digest.hex(), "00"),
        std::string("{\"is\":\"no survey\",\"code\":3}\n\n")}) {
    EXPECT_EQ(code_of(other), ErrorCode::kDataCorrupt);
  }
}

}  // namespace
}  // namespace holdfast::intake
