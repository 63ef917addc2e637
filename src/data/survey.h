#pragma once

#include <array>
#include <cstdint>

#include "base/digest.h"
#include "base/result.h"
#include "data/profile.h"
#include "data/split.h"
#include "formats/source.h"

namespace holdfast::data {

// One part of a dataset. Its digest is SHA-256 over its records in their order, the header first, each as
// RFC 4180 writes it with only the quotes that it needs and a line feed.
struct PartSurvey {
  base::Digest digest;
  std::uint64_t rows = 0;
};

// What a dataset is, by two passes over its bytes: SHA-256 first, since the parts follow from it.
struct Survey {
  base::Digest digest;
  std::uint64_t rows = 0;
  Profile profile;        // of all rows
  Profile train_profile;  // of the training part: what a model has seen, and drift is measured against
  std::array<PartSurvey, 3> parts;  // by Part

  [[nodiscard]] const PartSurvey& part(Part part) const { return parts[static_cast<std::size_t>(part)]; }
};

// Of CSV whose first record is the header. kInvalidArgument for a dataset without rows in one of its parts,
// the errors of the reader and of Profile::create.
base::Result<Survey> survey_csv(const formats::Source& csv, const Split::Fractions& fractions);

// The indices of the rows that belong to a part of a dataset of `rows` rows.
std::vector<std::size_t> rows_of(const Split& split, Part part, std::size_t rows);

}  // namespace holdfast::data
