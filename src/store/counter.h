#pragma once

#include <string_view>

#include "store/database.h"

// For store/ alone: numbers that rise by one, in the order of the commits that took them.

namespace holdfast::store {

// Takes the next number of a counter that the schema made.
base::Result<std::int64_t> next_number(Transaction& transaction, std::string_view counter);
// The number last taken.
base::Result<std::int64_t> number(const Snapshot& snapshot, std::string_view counter);

}  // namespace holdfast::store
