#include "store/counter.h"

#include <fmt/format.h>

namespace holdfast::store {
namespace {

base::Result<std::int64_t> only_value(base::Result<std::vector<std::tuple<std::int64_t>>> rows,
                                      std::string_view counter) {
  if (!rows) return base::fail(std::move(rows).error());
  if (rows->size() == 1) return std::get<0>(rows->front());
  return base::fail(base::ErrorCode::kDataCorrupt,
                    fmt::format("the database has no counter \"{}\"; restore it from a backup", counter));
}

}  // namespace

base::Result<std::int64_t> next_number(Transaction& transaction, std::string_view counter) {
  return only_value(
      transaction.returning<std::int64_t>(
          Sql("UPDATE counters SET value = value + 1 WHERE name = $1 RETURNING value"), counter),
      counter);
}

base::Result<std::int64_t> number(const Snapshot& snapshot, std::string_view counter) {
  return only_value(snapshot.rows<std::int64_t>(Sql("SELECT value FROM counters WHERE name = $1"), counter),
                    counter);
}

}  // namespace holdfast::store
