#include "data/survey.h"

#include <fmt/format.h>
#include <gmock/gmock-more-matchers.h>

#include "crypto/sha256.h"

namespace holdfast::data {
namespace {

using base::ErrorCode;
using testing::HasSubstr;

std::string record(std::size_t row) { return fmt::format("{},\"a \"\"b\"\", {}\"\n", row, row % 3); }

std::string table(std::size_t rows) {
  std::string csv = "id,note\n";
  for (std::size_t row = 0; row < rows; ++row) csv += record(row);
  return csv;
}

base::Result<Survey> survey(std::string_view csv) {
  const formats::MemorySource source(base::as_bytes(csv));
  return survey_csv(source, {});
}

TEST(Survey, PartsHoldEachRowOnceAndAreNamedByTheirRecords) {
  constexpr std::size_t kRows = 500;
  const auto csv = table(kRows);
  const auto found = survey(csv).value();
  EXPECT_EQ(found.digest, crypto::sha256(base::as_bytes(csv)));
  EXPECT_EQ(found.rows, kRows);
  const auto split = Split::create(found.digest, {}).value();
  std::size_t seen = 0;
  for (const auto part : {Part::kTrain, Part::kValidation, Part::kTest}) {
    const auto rows = rows_of(split, part, kRows);
    std::string text = "id,note\n";
    for (const auto row : rows) text += record(row);
    EXPECT_EQ(found.part(part).rows, rows.size());
    EXPECT_EQ(found.part(part).digest, crypto::sha256(base::as_bytes(text)));
    seen += rows.size();
  }
  EXPECT_EQ(seen, kRows);
}

TEST(Survey, TheTrainingProfileIsOfTheTrainingPartAlone) {
  const auto found = survey(table(500)).value();
  EXPECT_EQ(found.profile.rows(), 500U);
  EXPECT_EQ(found.train_profile.rows(), found.part(Part::kTrain).rows);
}

TEST(Survey, RefusesADatasetThatIsEmptyOrTooSmallForItsParts) {
  EXPECT_EQ(survey("").error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(survey("a,b\n1,2\n").error().message, HasSubstr("rows enough for all three"));
  EXPECT_EQ(survey("a,b\n1\n").error().code, ErrorCode::kDataCorrupt);
}

}  // namespace
}  // namespace holdfast::data
