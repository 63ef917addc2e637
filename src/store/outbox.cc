#include "store/outbox.h"

#include <fmt/format.h>

#include <array>

#include "base/assert.h"
#include "store/counter.h"

namespace holdfast::store {
namespace {

using base::ErrorCode;
using base::Result;
using base::Timestamp;
using base::WorkspaceId;

// Messages that one call of lease() gives up; the rest are for the next.
constexpr int kMaxGivenUpAtOnce = 100;

constexpr std::string_view kPending = "pending";
constexpr std::string_view kDelivered = "delivered";
constexpr std::string_view kGivenUp = "given up";
constexpr std::array kStates{std::pair{MessageState::kPending, kPending},
                             std::pair{MessageState::kDelivered, kDelivered},
                             std::pair{MessageState::kGivenUp, kGivenUp}};

struct Head {
  MessageId id;
  std::string kind;
  base::Bytes body;
  std::int64_t attempts = 0;
};

Result<std::optional<Head>> next_pending(const Snapshot& snapshot, const WorkspaceId& workspace,
                                         const std::string& destination, MessageId after) {
  HF_TRY(auto row, snapshot.row<MessageId, std::string, base::Bytes, std::int64_t>(
                       Sql("SELECT id, kind, body, attempts FROM outbox_messages"
                           " WHERE workspace = $1 AND destination = $2 AND state = $3 AND id > $4"
                           " ORDER BY id LIMIT 1"),
                       workspace, destination, kPending, after));
  if (!row) return std::nullopt;
  return std::make_from_tuple<Head>(*std::move(row));
}

// Ends the delivery's lease, under a new fencing number, so that each lease is reported once; the destination
// is due again at the moment given.
Result<> release(Transaction& transaction, const Delivery& delivery, std::optional<Timestamp> due) {
  HF_TRY(const std::int64_t changed,
         transaction.execute(Sql("UPDATE outbox_queues SET due_at = $1, fence = fence + 1"
                                 " WHERE workspace = $2 AND destination = $3 AND fence = $4"),
                             due, delivery.workspace, delivery.destination, delivery.fence));
  if (changed == 1) return {};
  return base::fail(ErrorCode::kConflict,
                    fmt::format("lease {} of {} is over, so message {} is for another deliverer to report",
                                delivery.fence, delivery.destination, delivery.id.value()));
}

}  // namespace

Result<MessageId> Outbox::post(Transaction& transaction, const NewMessage& message) const {
  HF_CHECK(check_name("a message's workspace", message.workspace.value()));
  HF_CHECK(check_name("a message's destination", message.destination));
  HF_CHECK(check_name("a message's kind", message.kind));
  HF_CHECK(check_payload("a message's body", message.body));
  HF_TRY(const std::int64_t id, next_number(transaction, "message"));
  HF_CHECK(transaction.execute(
      Sql("INSERT INTO outbox_messages (workspace, id, destination, kind, body, state, attempts, last_error)"
          " VALUES ($1, $2, $3, $4, $5, $6, 0, '')"),
      message.workspace, id, message.destination, message.kind, message.body, kPending));
  HF_CHECK(transaction.execute(Sql("INSERT INTO outbox_queues (workspace, destination, due_at, fence)"
                                   " VALUES ($1, $2, $3, 0) ON CONFLICT (workspace, destination)"
                                   " DO UPDATE SET due_at = coalesce(outbox_queues.due_at, excluded.due_at)"),
                               message.workspace, message.destination, clock_->now()));
  return MessageId(id);
}

Result<std::optional<Delivery>> Outbox::lease(Transaction& transaction,
                                              std::chrono::microseconds duration) const {
  HF_ASSERT(duration.count() > 0);
  const Timestamp now = clock_->now();
  for (int i = 0; i < kMaxGivenUpAtOnce; ++i) {
    HF_TRY(auto due,
           transaction.returning<WorkspaceId, std::string, std::int64_t>(
               Sql("UPDATE outbox_queues SET fence = fence + 1, due_at = $1"
                   " WHERE (workspace, destination) = (SELECT workspace, destination FROM outbox_queues"
                   "   WHERE due_at <= $2 ORDER BY due_at, workspace, destination LIMIT 1)"
                   " RETURNING workspace, destination, fence"),
               now + duration, now));
    if (due.empty()) return std::nullopt;
    auto& [workspace, destination, fence] = due.front();
    HF_TRY(auto head, next_pending(transaction.view(), workspace, destination, MessageId(0)));
    if (!head) {
      return base::fail(ErrorCode::kDataCorrupt,
                        fmt::format("the outbox is due to {} but has no message for it", destination));
    }
    Delivery delivery{.workspace = std::move(workspace),
                      .destination = std::move(destination),
                      .id = head->id,
                      .kind = std::move(head->kind),
                      .body = std::move(head->body),
                      .attempt = head->attempts,
                      .fence = fence,
                      .deadline = now + duration};
    if (delivery.attempt >= policy_.max_attempts) {
      HF_CHECK(finish(transaction, delivery, kGivenUp,
                      "its deliverer stopped without a word on the last attempt"));
      continue;
    }
    ++delivery.attempt;
    HF_CHECK(
        transaction.execute(Sql("UPDATE outbox_messages SET attempts = $1 WHERE workspace = $2 AND id = $3"),
                            delivery.attempt, delivery.workspace, delivery.id));
    return delivery;
  }
  return std::nullopt;
}

Result<> Outbox::delivered(Transaction& transaction, const Delivery& delivery) const {
  return finish(transaction, delivery, kDelivered, std::nullopt);
}

Result<MessageState> Outbox::failed(Transaction& transaction, const Delivery& delivery,
                                    std::string_view error) const {
  if (delivery.attempt >= policy_.max_attempts) {
    HF_CHECK(finish(transaction, delivery, kGivenUp, kept_error(error)));
    return MessageState::kGivenUp;
  }
  HF_CHECK(release(transaction, delivery, clock_->now() + policy_.backoff.delay(delivery.attempt)));
  HF_CHECK(
      transaction.execute(Sql("UPDATE outbox_messages SET last_error = $1 WHERE workspace = $2 AND id = $3"),
                          kept_error(error), delivery.workspace, delivery.id));
  return MessageState::kPending;
}

Result<> Outbox::finish(Transaction& transaction, const Delivery& delivery, std::string_view state,
                        std::optional<std::string_view> error) const {
  const Timestamp now = clock_->now();
  HF_TRY(const auto next,
         next_pending(transaction.view(), delivery.workspace, delivery.destination, delivery.id));
  HF_CHECK(release(transaction, delivery, next ? std::optional(now) : std::nullopt));
  HF_CHECK(
      transaction.execute(Sql("UPDATE outbox_messages SET state = $1, last_error = coalesce($2, last_error),"
                              " finished_at = $3"
                              " WHERE workspace = $4 AND id = $5"),
                          state, error, now, delivery.workspace, delivery.id));
  return {};
}

Result<MessageStatus> Outbox::status(const Snapshot& snapshot, const WorkspaceId& workspace,
                                     MessageId id) const {
  HF_TRY(const auto row,
         snapshot.row<std::string, std::int64_t, std::string>(
             Sql("SELECT state, attempts, last_error FROM outbox_messages WHERE workspace = $1 AND id = $2"),
             workspace, id));
  if (!row) {
    return base::fail(ErrorCode::kNotFound,
                      fmt::format("there is no message {} in workspace {}", id.value(), workspace.value()));
  }
  const auto& [name, attempts, last_error] = *row;
  for (const auto& [state, text] : kStates) {
    if (text == name) return MessageStatus{.state = state, .attempts = attempts, .last_error = last_error};
  }
  return base::fail(ErrorCode::kDataCorrupt,
                    fmt::format("message {} has the unknown state \"{}\"", id.value(), name));
}

Result<std::vector<base::Bytes>> Outbox::newest_delivered(const Snapshot& snapshot,
                                                          const WorkspaceId& workspace, std::string_view kind,
                                                          std::int64_t limit) {
  HF_TRY(auto rows, snapshot.rows<base::Bytes>(Sql("SELECT body FROM outbox_messages"
                                                   " WHERE workspace = $1 AND kind = $2 AND state = $3"
                                                   " ORDER BY id DESC LIMIT $4"),
                                               workspace, kind, kDelivered, limit));
  std::vector<base::Bytes> bodies;
  bodies.reserve(rows.size());
  for (auto& [body] : rows) bodies.push_back(std::move(body));
  return bodies;
}

Result<std::int64_t> Outbox::forget(Transaction& transaction, Timestamp ended_before) const {
  return transaction.execute(Sql("DELETE FROM outbox_messages WHERE (workspace, id) IN"
                                 " (SELECT workspace, id FROM outbox_messages WHERE finished_at < $1 ORDER "
                                 "BY finished_at LIMIT $2)"),
                             ended_before, kMaxForgotten);
}

}  // namespace holdfast::store
