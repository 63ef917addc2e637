#include "registry/schema.h"

#include <array>

namespace holdfast::registry {
namespace {

using store::Migration;
using store::Sql;

// `record_index` and `record` are the receipt of the audit record that made the row (row_record.h). Evidence
// and looks are only added to; evidence is signed.
constexpr std::array kSteps{
    Migration{"datasets", Sql(R"(
CREATE TABLE datasets (
  workspace TEXT NOT NULL,
  name TEXT NOT NULL,
  version BIGINT NOT NULL,
  digest BYTEA NOT NULL,
  size BIGINT NOT NULL,
  row_count BIGINT NOT NULL,
  schema_json TEXT NOT NULL,
  train_profile BYTEA NOT NULL,
  parts TEXT NOT NULL,
  purpose TEXT NOT NULL,
  keep_until BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  record_index BIGINT NOT NULL,
  record BYTEA NOT NULL,
  PRIMARY KEY (workspace, name, version));

CREATE TABLE test_looks (
  workspace TEXT NOT NULL,
  dataset BYTEA NOT NULL,
  number BIGINT NOT NULL,
  artefact BYTEA NOT NULL,
  looked_at BIGINT NOT NULL,
  looked_by TEXT NOT NULL,
  record_index BIGINT NOT NULL,
  record BYTEA NOT NULL,
  PRIMARY KEY (workspace, dataset, number));
)")},
    Migration{"models", Sql(R"(
CREATE TABLE model_versions (
  workspace TEXT NOT NULL,
  model TEXT NOT NULL,
  version BIGINT NOT NULL,
  digest BYTEA NOT NULL,
  size BIGINT NOT NULL,
  format TEXT NOT NULL,
  state TEXT NOT NULL,
  run BIGINT,
  created_at BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  makers TEXT NOT NULL,
  signature TEXT NOT NULL,
  record_index BIGINT NOT NULL,
  record BYTEA NOT NULL,
  PRIMARY KEY (workspace, model, version),
  UNIQUE (workspace, model, digest));

CREATE TABLE requirements (
  workspace TEXT NOT NULL,
  model TEXT NOT NULL,
  version BIGINT NOT NULL,
  dataset TEXT NOT NULL,
  dataset_version BIGINT NOT NULL,
  task TEXT NOT NULL,
  policies TEXT NOT NULL,
  looks_before BIGINT NOT NULL,
  written_at BIGINT NOT NULL,
  written_by TEXT NOT NULL,
  record_index BIGINT NOT NULL,
  record BYTEA NOT NULL,
  PRIMARY KEY (workspace, model, version));
)")},
    Migration{"evidence", Sql(R"(
CREATE TABLE evidence (
  workspace TEXT NOT NULL,
  id BIGINT NOT NULL,
  digest BYTEA NOT NULL,
  artefact BYTEA NOT NULL,
  predicate_type TEXT NOT NULL,
  envelope TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (workspace, id));
CREATE INDEX evidence_by_artefact ON evidence (workspace, artefact, id);

CREATE TABLE waivers (
  workspace TEXT NOT NULL,
  id BIGINT NOT NULL,
  artefact BYTEA NOT NULL,
  requirement TEXT NOT NULL,
  reason TEXT NOT NULL,
  granted_by TEXT NOT NULL,
  granted_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  record_index BIGINT NOT NULL,
  record BYTEA NOT NULL,
  PRIMARY KEY (workspace, id));
CREATE INDEX waivers_by_artefact ON waivers (workspace, artefact, expires_at);
)")},
    Migration{"runs", Sql(R"(
CREATE TABLE runs (
  workspace TEXT NOT NULL,
  id BIGINT NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  model TEXT NOT NULL,
  parameters TEXT NOT NULL,
  progress TEXT NOT NULL,
  result TEXT NOT NULL,
  started_at BIGINT NOT NULL,
  started_by TEXT NOT NULL,
  finished_at BIGINT,
  PRIMARY KEY (workspace, id));
)")},
    // `job` is of store/jobs.h. One version of each run, whatever a worker that was thought dead still does.
    Migration{"runs-on-jobs", Sql(R"(
ALTER TABLE runs ADD COLUMN job BIGINT;
ALTER TABLE runs ADD COLUMN attempt BIGINT NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN fence BIGINT NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN step TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN share_permille BIGINT;
ALTER TABLE runs ADD COLUMN metrics TEXT NOT NULL DEFAULT '';
CREATE INDEX runs_by_job ON runs (workspace, job);
CREATE INDEX runs_by_state ON runs (state, workspace, id);
CREATE UNIQUE INDEX model_versions_by_run ON model_versions (workspace, run);
)")},
};

}  // namespace

store::ModuleMigrations migrations() { return {.module = "registry", .steps = kSteps}; }

}  // namespace holdfast::registry
