#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "stats/measurement.h"

namespace holdfast::evaluate {

// What a figure is of. All empty: the model as it is, over all rows. The parts combine.
struct Scope {
  std::string over;   // a difference to this other model: "constant", "champion"
  std::string under;  // the answers under this attack: "pgd"
  std::string by;     // rows grouped by this: "sex", "sex x age"; a figure that compares groups
  std::string group;  // with `by`: over the rows of this group alone

  friend auto operator<=>(const Scope&, const Scope&) = default;
};

// A measurement with its place. Its name is an identifier in lower case, such as "balanced_accuracy"; no two
// figures of one evaluation share name and scope. A value.
struct Figure {
  Scope scope;
  stats::Measurement measurement;
};

// A group with too few rows to be told about, which no comparison of groups includes.
struct LeftOut {
  std::string by;
  std::string group;
  std::uint64_t rows = 0;

  friend bool operator==(const LeftOut&, const LeftOut&) = default;
};

inline constexpr std::size_t kMaxFigureNameBytes = 64;
inline constexpr std::size_t kMaxScopeBytes = 256;  // of each part

// kInvalidArgument, naming the figure, for a name that is no such identifier or stands for a part of the
// evidence ("by", "groups", "over", "under"), a part of the scope that is too long or no UTF-8, a group
// without `by`, or an interval that ends before it begins.
base::Result<> check_figure(const Figure& figure);

// "equalized_odds_difference by sex", "robust_accuracy under pgd": for people.
std::string title(const Figure& figure);

// Which way is better; nothing is, of a selection rate.
enum class Better { kHigher, kLower, kNeither };
Better better(std::string_view name);

// Null where there is none.
const Figure* find(const std::vector<Figure>& figures, std::string_view name, const Scope& scope = {});

}  // namespace holdfast::evaluate
