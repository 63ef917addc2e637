#pragma once

#include <span>

#include "store/sql.h"

// The shape of the database, as numbered steps forward. Each module contributes a list of its own; store/'s
// comes first. The text of a step that was applied is part of the database's history: change it by adding the
// next step.

namespace holdfast::store {

class Transaction;

struct Migration {
  std::string_view name;  // a few words, for messages
  Sql sql;                // statements separated by semicolons
};

// The steps of a module, the first of which has version 1.
struct ModuleMigrations {
  std::string_view module;
  std::span<const Migration> steps;  // kept alive by the caller, as static data
};

// Applies in the caller's transaction what the database lacks, in the order of `modules`, so that a module
// may refer to tables of those before it. kUnsupported where the database has a step that this program does
// not know: a newer program wrote it. kDataCorrupt where a recorded step's text is not ours.
base::Result<> apply_migrations(Transaction& transaction, std::span<const ModuleMigrations> modules);

}  // namespace holdfast::store
