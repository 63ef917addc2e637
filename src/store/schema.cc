#include "store/schema.h"

#include <array>

namespace holdfast::store {
namespace {

// `due_at` is null once there is nothing left to do, so that the index finds what is due without passing over
// what is finished.
constexpr std::array kSteps{
    Migration{"change feed", Sql(R"(
CREATE TABLE counters (
  name TEXT NOT NULL PRIMARY KEY,
  value BIGINT NOT NULL);
INSERT INTO counters (name, value) VALUES ('change', 0), ('change.forgotten', 0), ('job', 0), ('message', 0);

CREATE TABLE changes (
  workspace TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  PRIMARY KEY (workspace, sequence));
CREATE UNIQUE INDEX changes_by_sequence ON changes (sequence);
)")},
    Migration{"jobs", Sql(R"(
CREATE TABLE jobs (
  workspace TEXT NOT NULL,
  id BIGINT NOT NULL,
  kind TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  payload BYTEA NOT NULL,
  state TEXT NOT NULL,
  due_at BIGINT,
  fence BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  max_attempts BIGINT NOT NULL,
  last_error TEXT NOT NULL,
  finished_at BIGINT,
  PRIMARY KEY (workspace, id),
  UNIQUE (workspace, kind, idempotency_key));
CREATE INDEX jobs_due ON jobs (kind, due_at, id);
CREATE INDEX jobs_finished ON jobs (finished_at);
)")},
    Migration{"outbox", Sql(R"(
CREATE TABLE outbox_queues (
  workspace TEXT NOT NULL,
  destination TEXT NOT NULL,
  due_at BIGINT,
  fence BIGINT NOT NULL,
  PRIMARY KEY (workspace, destination));
CREATE INDEX outbox_queues_due ON outbox_queues (due_at);

CREATE TABLE outbox_messages (
  workspace TEXT NOT NULL,
  id BIGINT NOT NULL,
  destination TEXT NOT NULL,
  kind TEXT NOT NULL,
  body BYTEA NOT NULL,
  state TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  last_error TEXT NOT NULL,
  finished_at BIGINT,
  PRIMARY KEY (workspace, id));
CREATE INDEX outbox_messages_queued ON outbox_messages (workspace, destination, state, id);
CREATE INDEX outbox_messages_finished ON outbox_messages (finished_at);
)")},
};

}  // namespace

ModuleMigrations store_migrations() { return {.module = "store", .steps = kSteps}; }

}  // namespace holdfast::store
