#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "evaluate/figure.h"

namespace holdfast::evaluate {

inline constexpr std::size_t kMaxFigures = 20'000;
inline constexpr std::size_t kMaxMethodBytes = 2'000;

// All that was measured of one model on one split of one dataset: the predicate of an in-toto statement about
// the model. A value.
struct Evaluation {
  base::Digest model;
  base::Digest dataset;
  std::string split;  // "test"
  std::uint64_t rows = 0;
  std::uint64_t seed = 0;  // of the bootstraps: with the same rows, it gives the same figures
  double threshold = 0.5;  // the answer is yes where the score is at least this
  std::uint64_t minimum_group_rows = 0;
  std::vector<Figure> figures;
  std::vector<LeftOut> left_out;
};

// Canonical JSON (RFC 8785); numbers that are no counts stand as text in the shortest form that reads back as
// the same double, and the seed as decimal text:
//   {"dataset":"sha256:...","figures":[{"by":"sex","confidence":"0.95","high":"0.1","low":"0.02",
//      "method":"...","name":"equalized_odds_difference","rows":3000,"value":"0.06"},...],
//    "left_out":[{"by":"sex","group":"other","rows":4}],"minimum_group_rows":100,"model":"sha256:...",
//    "rows":3000,"seed":"7","split":"test","threshold":"0.5","version":1}
// A value that could not be computed and an end that is not known are left out. kInvalidArgument as
// check_evaluation().
base::Result<std::string> to_json(const Evaluation& evaluation);

// kInvalidArgument, naming the member, for what to_json() would not have written, except for its spacing and
// order.
base::Result<Evaluation> parse_evaluation(std::string_view json);

// check_figure() for each, bounds, no two of one name and scope, a split's name, at least one row.
base::Result<> check_evaluation(const Evaluation& evaluation);

}  // namespace holdfast::evaluate
