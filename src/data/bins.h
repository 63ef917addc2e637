#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/profile.h"

namespace holdfast::data {

// The bins in which a column's drift is measured, frozen from its reference: scores over edges taken from
// both windows could not be compared across windows. A value.
class ReferenceBins {
 public:
  static constexpr std::size_t kMaxBins = 100;

  // For a numeric column about `bins` bins (2 to kMaxBins, asserted) of equal reference counts, with edges
  // between the buckets of its histogram, so that the bins of any profile are counted exactly; for a boolean
  // or categorical column one for each value, and one for all others; and in both cases one for missing
  // values, the last. kUnsupported for a text column, kInvalidArgument for one without values.
  static base::Result<ReferenceBins> of(const ColumnProfile& reference, std::size_t bins = 10);

  // Rows of a profile of the same column in each bin. Where its values are not exact
  // (stats/frequent_items.h), rare ones may count as others.
  [[nodiscard]] std::vector<std::uint64_t> counts(const ColumnProfile& column) const;
  // Those of the reference itself.
  [[nodiscard]] const std::vector<std::uint64_t>& reference_counts() const { return reference_counts_; }
  [[nodiscard]] const std::vector<double>& edges() const { return edges_; }  // numeric: ascending
  [[nodiscard]] const std::vector<std::string>& categories() const { return categories_; }  // else: sorted

  friend bool operator==(const ReferenceBins&, const ReferenceBins&) = default;

 private:
  friend base::Result<ReferenceBins> parse_reference_bins(std::string_view json);
  ReferenceBins() = default;
  std::vector<double> edges_;
  std::vector<std::string> categories_;  // empty for a numeric column
  std::vector<std::uint64_t> reference_counts_;
};

// Canonical JSON, {"counts":[...],"edges":["1.5",...]} or {"categories":[...],"counts":[...]}.
std::string to_json(const ReferenceBins& bins);
// kInvalidArgument, naming the member.
base::Result<ReferenceBins> parse_reference_bins(std::string_view json);

}  // namespace holdfast::data
