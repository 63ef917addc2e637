#include <array>

#include "alerts/alerts.h"

namespace holdfast::alerts {
namespace {

constexpr std::array kSteps{
    store::Migration{"alerts", store::Sql(R"(
CREATE TABLE alert_numbers (
  workspace TEXT NOT NULL PRIMARY KEY,
  last BIGINT NOT NULL);

CREATE TABLE alerts (
  workspace TEXT NOT NULL,
  id BIGINT NOT NULL,
  source TEXT NOT NULL,
  subject TEXT NOT NULL,
  state TEXT NOT NULL,
  severity BIGINT NOT NULL,
  summary TEXT NOT NULL,
  practice TEXT NOT NULL,
  risk TEXT NOT NULL,
  runbook TEXT NOT NULL,
  count BIGINT NOT NULL,
  reopened BIGINT NOT NULL,
  quiet_windows BIGINT NOT NULL,
  opened_at BIGINT NOT NULL,
  last_at BIGINT NOT NULL,
  resolved_at BIGINT,
  record BYTEA NOT NULL,
  PRIMARY KEY (workspace, id));
CREATE UNIQUE INDEX alerts_unresolved ON alerts (workspace, source, subject) WHERE state <> 'resolved';
CREATE INDEX alerts_by_subject ON alerts (workspace, source, subject, id);
CREATE INDEX alerts_by_state ON alerts (workspace, state, id);

CREATE TABLE alert_signals (
  workspace TEXT NOT NULL,
  alert BIGINT NOT NULL,
  name TEXT NOT NULL,
  severity BIGINT NOT NULL,
  summary TEXT NOT NULL,
  details TEXT NOT NULL,
  count BIGINT NOT NULL,
  first_at BIGINT NOT NULL,
  last_at BIGINT NOT NULL,
  PRIMARY KEY (workspace, alert, name));

CREATE TABLE alert_transitions (
  workspace TEXT NOT NULL,
  alert BIGINT NOT NULL,
  number BIGINT NOT NULL,
  event TEXT NOT NULL,
  at BIGINT NOT NULL,
  who TEXT NOT NULL,
  comment TEXT NOT NULL,
  record BYTEA NOT NULL,
  PRIMARY KEY (workspace, alert, number));
)")},
    store::Migration{"webhooks", store::Sql(R"(
CREATE TABLE webhooks (
  workspace TEXT NOT NULL,
  name TEXT NOT NULL,
  url TEXT NOT NULL,
  secret BYTEA NOT NULL,
  changed_at BIGINT NOT NULL,
  record BYTEA NOT NULL,
  PRIMARY KEY (workspace, name));
)")},
    store::Migration{"receipts", store::Sql(R"(
ALTER TABLE alerts ADD COLUMN record_index BIGINT NOT NULL DEFAULT 0;
ALTER TABLE alert_transitions ADD COLUMN record_index BIGINT NOT NULL DEFAULT 0;
ALTER TABLE webhooks ADD COLUMN record_index BIGINT NOT NULL DEFAULT 0;
)")},
};

}  // namespace

store::ModuleMigrations alerts_migrations() { return {.module = "alerts", .steps = kSteps}; }

}  // namespace holdfast::alerts
