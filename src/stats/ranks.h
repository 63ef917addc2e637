#pragma once

#include <span>
#include <vector>

namespace holdfast::stats {

// Ranks from 1, ties sharing the mean of theirs, in the order of the values given; none of which is NaN. Also
// the sum over groups of ties of t^3 - t, t being the size of the group: what a rank test corrects its
// variance by.
struct MidRanks {
  std::vector<double> ranks;
  double tie_term;
};

MidRanks mid_ranks(std::span<const double> values);

}  // namespace holdfast::stats
