#pragma once

#include "audit/log.h"
#include "base/time.h"
#include "keys/key_store.h"
#include "store/blobs.h"
#include "store/database.h"

namespace holdfast::registry {

// What the registry keeps its things in. All of it outlives what is made from it, and is thread-safe.
struct Parts {
  store::Database& database;
  store::BlobStore& blobs;
  keys::KeyStore& keys;
  audit::Log& log;
  const base::Clock& clock;
};

}  // namespace holdfast::registry
