#pragma once

#include <string_view>

#include "base/bytes.h"
#include "supply/installed.h"

// The packages that RPM has installed, by its own database. Pure; thread-safe.

namespace holdfast::supply {

// rpmdb.sqlite (rpm 4.16 and later). Names of keys ("gpg-pubkey") are no packages and are passed over. What a
// package needs is told by the packages that provide it; a file that it needs is not followed. kDataCorrupt
// for what is damaged; kUnsupported for Berkeley DB ("Packages") and for "Packages.db", which are recognised;
// kLimitExceeded over Inventory::kMaxComponents.
base::Result<Inventory> read_rpm_database(base::ByteView file, const Distribution& on, std::string_view path);

}  // namespace holdfast::supply
