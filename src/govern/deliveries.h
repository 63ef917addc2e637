#pragma once

#include <cstdint>
#include <map>

#include "base/result.h"
#include "base/strong.h"
#include "store/database.h"

// For govern/ alone: which alerts a webhook was told of.

namespace holdfast::govern {

inline constexpr std::int64_t kMaxDeliveries = 200;  // the newest that are looked at

// How many messages a webhook took, by the number of the alert that they tell of. What can't be read as such
// a message (docs/alerts.md) passes by.
base::Result<std::map<std::int64_t, std::uint64_t>> delivered_messages(const store::Snapshot& snapshot,
                                                                       const base::WorkspaceId& workspace);

}  // namespace holdfast::govern
