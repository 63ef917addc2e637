#pragma once

#include <string>
#include <vector>

#include "store/database.h"

// The change feed. Each mutation takes the next number in its own transaction (Transaction::next_change), so
// that a follower which has read up to N misses nothing by reading on from N. Numbers rise by one in the
// order of the commits, over all workspaces.

namespace holdfast::store {

inline constexpr std::int64_t kMaxChanges = 1'000;  // given at once

struct Change {
  std::int64_t sequence = 0;
  base::WorkspaceId workspace;
  std::string kind;     // what sort of thing: "release", "policy"
  std::string subject;  // its id
};

// The number of the last change; 0 where there was none.
base::Result<std::int64_t> last_change(const Snapshot& snapshot);

// The oldest changes whose number is above `after`, in order, at most `limit` (1 to kMaxChanges). kNotFound
// where some of them are forgotten: the follower then loads everything afresh and goes on from last_change of
// the same snapshot.
base::Result<std::vector<Change>> changes_after(const Snapshot& snapshot, std::int64_t after,
                                                std::int64_t limit = kMaxChanges);

// Drops the changes up to and with `through`, at most last_change().
base::Result<> forget_changes(Transaction& transaction, std::int64_t through);

}  // namespace holdfast::store
