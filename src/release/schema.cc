#include "release/schema.h"

#include <array>

namespace holdfast::release {
namespace {

using store::Migration;
using store::Sql;

constexpr std::array kSteps{
    Migration{"endpoints and releases", Sql(R"(
CREATE TABLE endpoints (
  workspace TEXT NOT NULL,
  name TEXT NOT NULL,
  model TEXT NOT NULL,
  requests_per_second BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  record_index BIGINT NOT NULL,
  record BYTEA NOT NULL,
  PRIMARY KEY (workspace, name));

CREATE TABLE releases (
  workspace TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  serial BIGINT NOT NULL,
  model_version BIGINT NOT NULL,
  digest BYTEA NOT NULL,
  kind TEXT NOT NULL,
  released_at BIGINT NOT NULL,
  released_by TEXT NOT NULL,
  record_index BIGINT NOT NULL,
  record BYTEA NOT NULL,
  PRIMARY KEY (workspace, endpoint, serial),
  FOREIGN KEY (workspace, endpoint) REFERENCES endpoints (workspace, name));
)")},
    Migration{"what an endpoint's guard goes by, and endpoints that are no more", Sql(R"(
ALTER TABLE endpoints ADD COLUMN guard TEXT NOT NULL DEFAULT '';
ALTER TABLE endpoints ADD COLUMN removed_at BIGINT NOT NULL DEFAULT 0;
)")},
};

}  // namespace

store::ModuleMigrations migrations() { return {.module = "release", .steps = kSteps}; }

}  // namespace holdfast::release
