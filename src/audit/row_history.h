#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "audit/log.h"
#include "audit/record.h"
#include "base/digest.h"
#include "base/result.h"

// Whether the database still says what the log says that it was told. Each record that makes, changes or
// removes rows names them in its details, about.rows: {"principals/default/5f..": "<digest>", ...}, null for
// a row that it removes, or, where the key ends with a slash, for all whose keys begin with it. So a row that
// was changed behind the log's back is found, and so is one that was added, taken away, put back, or replaced
// by an older state of itself.
//
// A record comes before the change that it speaks of, and a process can end between the two. So a second
// record says, when it is over, whether the change was made: about.done or about.undone, with the index of
// the first. Until then either is believed (pending_rows.h writes both records).

namespace holdfast::audit {

// What a row is called in records, and the digest of what it says but for its receipt.
struct RowName {
  std::string key;  // "releases/default/credit/3": table, workspace, and the rest of the table's key
  base::Digest digest;
};
// SHA-256 of the contents, an object of texts and integers, as canonical JSON with the key as "row".
RowName name_row(std::string key, nlohmann::json contents);
// As about.rows has it.
nlohmann::json named_rows(const std::vector<RowName>& made);

// A row as the database has it now.
struct RowClaim {
  std::string key;
  Receipt receipt;  // that the row carries
  base::Digest row;
};
RowClaim claim_row(RowName name, std::int64_t record_index, const base::Digest& record);

inline constexpr std::int64_t kClaimsPage = 1000;  // rows that one query for claims gives

// Reads a table in the order of its key: `query(after)` gives at most kClaimsPage rows behind a key, and
// `take(row)` makes a claim of one and gives its key.
template <typename Key, typename Query, typename Take>
base::Result<> claim_pages(Key after, const Query& query, const Take& take) {
  for (;;) {
    auto rows = query(after);
    if (!rows) return base::fail(std::move(rows).error());
    for (auto& row : *rows) {
      HF_TRY(after, take(row));
    }
    if (rows->size() < static_cast<std::size_t>(kClaimsPage)) return {};
  }
}

// What became of the changes about which the log does not say it.
struct Unsettled {
  std::vector<std::uint64_t> done;    // their records; the rows are as they say
  std::vector<std::uint64_t> undone;  // the rows are as they were before
};

// What the log says, gathered record by record in the order of the log. Not thread-safe.
class RowHistory {
 public:
  struct Options {
    // The log's size before the rows were read. What later records made may be in the rows or not yet.
    std::uint64_t read_at = std::numeric_limits<std::uint64_t>::max();
    // What the keys of rows begin with that may end without a record.
    std::vector<std::string> may_go = {};
  };
  RowHistory() = default;
  explicit RowHistory(Options options) : options_(std::move(options)) {}

  // The details of the record with this receipt. Records without such rows pass by. kDataCorrupt for details
  // that are no JSON object.
  base::Result<> add(const Receipt& receipt, std::string_view details);
  // The log from its beginning to its end; bodies that were destroyed pass by.
  base::Result<> read(const Log& log);
  // kDataCorrupt names the first row, in order of keys, that does not bear the log out, and says what
  // happened to it.
  [[nodiscard]] base::Result<Unsettled> check(const std::vector<RowClaim>& claims) const;

 private:
  struct Known {
    Receipt receipt;
    std::optional<base::Digest> row;  // nothing where the row was removed
  };
  using Rows = std::map<std::string, Known, std::less<>>;
  struct Pending {
    std::uint64_t record;
    std::map<std::string, std::optional<Known>, std::less<>> before;  // nothing: no record knew the row
  };
  base::Result<> add_row(const std::string& key, const Known& known, Pending& pending);
  void settle(std::uint64_t mark, const nlohmann::json& about);
  static void take_back(const Pending& pending, std::vector<Pending>& later, Rows& rows);
  [[nodiscard]] base::Result<> compare(const Rows& rows, const std::vector<RowClaim>& claims) const;

  Options options_;
  Rows rows_;
  std::vector<Pending> pending_;  // in the order of the log
};

// Whether the record that the row names made it as it is; not whether a later one changed or removed it.
base::Result<> check_claim(const Log& log, const RowClaim& claim);

}  // namespace holdfast::audit
