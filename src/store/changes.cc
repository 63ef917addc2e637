#include "store/changes.h"

#include <fmt/format.h>

#include "base/assert.h"
#include "store/bounds.h"
#include "store/counter.h"

namespace holdfast::store {

using base::ErrorCode;
using base::fail;
using base::Result;
using base::WorkspaceId;

Result<std::int64_t> Transaction::next_change(const WorkspaceId& workspace, std::string_view kind,
                                              std::string_view subject) {
  HF_CHECK(check_name("a change's workspace", workspace.value()));
  HF_CHECK(check_name("a change's kind", kind));
  HF_CHECK(check_name("a change's subject", subject));
  HF_TRY(const std::int64_t sequence, next_number(*this, "change"));
  HF_CHECK(execute(Sql("INSERT INTO changes (workspace, sequence, kind, subject) VALUES ($1, $2, $3, $4)"),
                   workspace, sequence, kind, subject));
  return sequence;
}

Result<std::int64_t> last_change(const Snapshot& snapshot) { return number(snapshot, "change"); }

Result<std::vector<Change>> changes_after(const Snapshot& snapshot, std::int64_t after, std::int64_t limit) {
  HF_ASSERT(limit >= 1 && limit <= kMaxChanges);
  HF_TRY(const std::int64_t forgotten, number(snapshot, "change.forgotten"));
  if (after < forgotten) {
    return fail(ErrorCode::kNotFound,
                fmt::format("changes up to {} are forgotten, load everything afresh", forgotten));
  }
  HF_TRY(auto rows, snapshot.rows<std::int64_t, WorkspaceId, std::string, std::string>(
                        Sql("SELECT sequence, workspace, kind, subject FROM changes WHERE sequence > $1"
                            " ORDER BY sequence LIMIT $2"),
                        after, limit));
  std::vector<Change> changes;
  changes.reserve(rows.size());
  for (auto& [sequence, workspace, kind, subject] : rows) {
    changes.push_back({sequence, std::move(workspace), std::move(kind), std::move(subject)});
  }
  return changes;
}

Result<> forget_changes(Transaction& transaction, std::int64_t through) {
  HF_TRY(const std::int64_t last, last_change(transaction.view()));
  if (through > last) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("change {} has not happened; the last is {}", through, last));
  }
  HF_CHECK(transaction.execute(Sql("DELETE FROM changes WHERE sequence <= $1"), through));
  HF_CHECK(transaction.execute(
      Sql("UPDATE counters SET value = $1 WHERE name = 'change.forgotten' AND value < $1"), through));
  return {};
}

}  // namespace holdfast::store
