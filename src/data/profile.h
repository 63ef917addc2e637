#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/schema.h"
#include "formats/csv.h"
#include "stats/frequent_items.h"
#include "stats/numeric_sketch.h"

namespace holdfast::data {

// What one pass over a column tells, whatever its type turns out to be: about 10 KB for usual columns, at
// most 320 KB.
struct ColumnProfile {
  std::string name;
  std::uint64_t missing = 0;
  std::uint64_t booleans = 0;
  std::uint64_t integers = 0;
  std::uint64_t reals = 0;
  std::uint64_t texts = 0;
  stats::NumericSketch numbers;                 // of booleans (as 0 and 1), integers and reals
  stats::FrequentItems values{kMaxCategories};  // of all that is not missing; exact for a categorical column
  stats::HyperLogLog distinct;                  // of the texts of all that is not missing
  std::map<Sensitive, std::uint64_t> look_sensitive;  // values by what they look like

  [[nodiscard]] std::uint64_t present() const { return booleans + integers + reals + texts; }
  // The narrowest that all values fit: boolean, integer, real; categorical with at most kMaxCategories
  // different values that occur twice on average; else text.
  [[nodiscard]] ColumnType type() const;
  // By its name, else by what nine of ten of its values look like.
  [[nodiscard]] std::optional<Sensitive> sensitive() const;

  void add(std::string_view value);
  void merge(const ColumnProfile& other);  // of the same name, asserted
  friend bool operator==(const ColumnProfile&, const ColumnProfile&) = default;
};

// What one pass over a table tells. Shards merge to what one pass gives: bit for bit, but for the frequent
// values of columns with more than kMaxCategories of them, which keep their bound. A value; not thread-safe
// to change.
class Profile {
 public:
  // kInvalidArgument as check_column_names().
  static base::Result<Profile> create(const std::vector<std::string>& column_names);

  // One record, as many values as columns, asserted.
  void add(std::span<const std::string_view> record);
  // kInvalidArgument unless the columns are the same.
  base::Result<> merge(const Profile& other);

  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  [[nodiscard]] const std::vector<ColumnProfile>& columns() const { return columns_; }
  // Null where no column has this name.
  [[nodiscard]] const ColumnProfile* find(std::string_view name) const;
  [[nodiscard]] Schema schema() const;
  // Of these columns alone, in this order. kNotFound for a name that no column has, and the errors of
  // create().
  [[nodiscard]] base::Result<Profile> only(const std::vector<std::string>& column_names) const;

  friend bool operator==(const Profile&, const Profile&) = default;

 private:
  friend base::Result<Profile> parse_profile(std::string_view json);
  Profile() = default;
  std::uint64_t rows_ = 0;
  std::vector<ColumnProfile> columns_;
};

// Of records whose first is the header. Errors of the reader, and of create(), with the line.
base::Result<Profile> profile_csv(formats::CsvReader& reader);

// Canonical JSON: the counts above by name, the sketches in base64 of their own byte forms (stats/).
std::string to_json(const Profile& profile);
// kInvalidArgument, or kDataCorrupt for a sketch, naming the column; also where counts do not add up.
base::Result<Profile> parse_profile(std::string_view json);

}  // namespace holdfast::data
