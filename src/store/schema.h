#pragma once

#include "store/migrations.h"

// For store/ alone: the tables of the change feed, the jobs and the outbox.

namespace holdfast::store {

ModuleMigrations store_migrations();

}  // namespace holdfast::store
