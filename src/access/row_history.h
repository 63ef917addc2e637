#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/recorder.h"
#include "base/digest.h"
#include "base/result.h"

// Whether the database still says what the log says that it was told. Each record that makes, changes or
// removes rows names them in its details, about.rows: {"principals/default/5f..": "<digest>", ...}, null for
// a row that it removes, or, where the key ends with a slash, for all whose keys begin with it. So a row that
// was changed behind the log's back is found, and so is one that was taken away, put back, or replaced by an
// older state of itself.

namespace holdfast::access {

struct RowClaim {
  std::string key;
  Receipt receipt;   // that the row carries
  base::Digest row;  // computed from what the database holds now
};

// What the log says, gathered record by record in the order of the log. Not thread-safe.
class RowHistory {
 public:
  // The details of the record with this receipt. Records of other modules, without such rows, pass by.
  // kDataCorrupt for details that are no JSON object.
  base::Result<> add(const Receipt& receipt, std::string_view details);
  // kDataCorrupt names the first row, in order of keys, that does not bear the log out.
  [[nodiscard]] base::Result<> check(const std::vector<RowClaim>& claims) const;

 private:
  struct Known {
    Receipt receipt;
    std::optional<base::Digest> row;  // nothing where the row was removed
  };
  base::Result<> remove_all(std::string_view beginning, const Known& removed);
  std::map<std::string, Known, std::less<>> rows_;
};

}  // namespace holdfast::access
