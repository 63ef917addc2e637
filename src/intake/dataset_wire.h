#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/result.h"
#include "data/profile.h"
#include "data/schema.h"
#include "data/survey.h"

// What goes between surveyor and worker: the request of inspect_wire.h with its verb, and one frame back. Its
// first line is JSON, the digests and counts or why there are none; the second the schema; the rest the
// profile of the training part, both as data/ writes them.

namespace holdfast::intake {

// What of a data::Survey is kept.
struct DatasetSurvey {
  base::Digest digest;
  std::uint64_t rows = 0;
  std::array<data::PartSurvey, 3> parts;  // by data::Part
  data::Schema schema;
  data::Profile train_profile;
};

// Of a survey too large for a frame: kLimitExceeded.
std::string encode(const base::Result<DatasetSurvey>& survey);
// Strict, since a hostile file may speak through the worker: kDataCorrupt where counts don't add up, or
// schema and profile are of different columns. Else the survey, or the error that the worker met, of whose
// codes kInvalidArgument, kDataCorrupt, kUnsupported and kLimitExceeded are believed.
base::Result<DatasetSurvey> decode_survey(base::ByteView frame);

}  // namespace holdfast::intake
