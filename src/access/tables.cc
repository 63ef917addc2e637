#include <array>

#include "access/access.h"
#include "store/migrations.h"

namespace holdfast::access {
namespace {

using store::Migration;
using store::Sql;

constexpr std::array kSteps{
    Migration{"principals", Sql(R"(
CREATE TABLE access_generation (
  name TEXT NOT NULL PRIMARY KEY,
  value BIGINT NOT NULL);
INSERT INTO access_generation (name, value) VALUES ('access', 0);

CREATE TABLE principals (
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  enabled BIGINT NOT NULL,
  owner TEXT,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  record_index BIGINT NOT NULL,
  record BYTEA NOT NULL,
  PRIMARY KEY (workspace, id),
  UNIQUE (workspace, kind, name),
  FOREIGN KEY (workspace, owner) REFERENCES principals (workspace, id));

CREATE TABLE memberships (
  workspace TEXT NOT NULL,
  group_id TEXT NOT NULL,
  member TEXT NOT NULL,
  record_index BIGINT NOT NULL,
  record BYTEA NOT NULL,
  PRIMARY KEY (workspace, member, group_id),
  FOREIGN KEY (workspace, group_id) REFERENCES principals (workspace, id),
  FOREIGN KEY (workspace, member) REFERENCES principals (workspace, id));
)")},
    Migration{"credentials", Sql(R"(
CREATE TABLE passwords (
  workspace TEXT NOT NULL,
  principal TEXT NOT NULL,
  hash TEXT NOT NULL,
  one_time BIGINT NOT NULL,
  record_index BIGINT NOT NULL,
  record BYTEA NOT NULL,
  PRIMARY KEY (workspace, principal),
  FOREIGN KEY (workspace, principal) REFERENCES principals (workspace, id));

CREATE TABLE service_keys (
  workspace TEXT NOT NULL,
  principal TEXT NOT NULL,
  key_id TEXT NOT NULL,
  public_key BYTEA NOT NULL,
  record_index BIGINT NOT NULL,
  record BYTEA NOT NULL,
  PRIMARY KEY (workspace, principal, key_id),
  FOREIGN KEY (workspace, principal) REFERENCES principals (workspace, id));

CREATE TABLE used_assertions (
  workspace TEXT NOT NULL,
  service TEXT NOT NULL,
  assertion BYTEA NOT NULL,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (workspace, service, assertion));
CREATE INDEX used_assertions_ended ON used_assertions (expires_at);

CREATE TABLE access_tokens (
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  digest BYTEA NOT NULL,
  principal TEXT NOT NULL,
  audience TEXT NOT NULL,
  expires_at BIGINT NOT NULL,
  record_index BIGINT NOT NULL,
  record BYTEA NOT NULL,
  PRIMARY KEY (workspace, id),
  UNIQUE (digest),
  FOREIGN KEY (workspace, principal) REFERENCES principals (workspace, id));
CREATE INDEX access_tokens_held ON access_tokens (workspace, principal, expires_at);
CREATE INDEX access_tokens_ended ON access_tokens (expires_at);
)")},
    Migration{"policies", Sql(R"(
CREATE TABLE access_policies (
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  is_grant BIGINT NOT NULL,
  text TEXT NOT NULL,
  record_index BIGINT NOT NULL,
  record BYTEA NOT NULL,
  PRIMARY KEY (workspace, id));
)")},
    Migration{"one-time passwords end", Sql("ALTER TABLE passwords ADD COLUMN expires_at BIGINT")},
};

}  // namespace

store::ModuleMigrations access_migrations() { return {.module = "access", .steps = kSteps}; }

}  // namespace holdfast::access
