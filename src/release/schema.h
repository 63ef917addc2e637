#pragma once

#include "store/migrations.h"

namespace holdfast::release {

// The tables of this module, for Database::open.
store::ModuleMigrations migrations();

}  // namespace holdfast::release
