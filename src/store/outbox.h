#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "store/backoff.h"
#include "store/bounds.h"
#include "store/database.h"

// Messages to the outside, committed with the change that they tell of: webhooks, tickets, commits to Git.
// Messages to one destination of a workspace go out one after the other in the order of their posting;
// destinations do not wait for each other. A message goes out at least once: one whose deliverer stopped
// without a word goes out again, with the same id, by which the receiver knows it.

namespace holdfast::store {

using MessageId = base::Strong<struct MessageIdTag, std::int64_t>;

struct NewMessage {
  base::WorkspaceId workspace;
  std::string destination;  // whose order is kept: an address or a name of one
  std::string kind;
  base::Bytes body;  // sealed by the caller if it holds what must not lie open
};

// A message in the hands of a deliverer, who holds its destination by a lease.
struct Delivery {
  base::WorkspaceId workspace;
  std::string destination;
  MessageId id;
  std::string kind;
  base::Bytes body;
  std::int64_t attempt = 0;  // 1 for the first
  std::int64_t fence = 0;    // rises with each lease of this destination
  base::Timestamp deadline;  // until when the lease holds
};

enum class MessageState { kPending, kDelivered, kGivenUp };

struct MessageStatus {
  MessageState state = MessageState::kPending;
  std::int64_t attempts = 0;
  std::string last_error;  // empty where none failed
};

struct OutboxPolicy {
  Backoff backoff;
  std::int64_t max_attempts = 20;  // of one message, before it is given up and the next one's turn comes
};

// Holds no state but its parameters; used by any number of threads.
class Outbox {
 public:
  // The clock is kept alive by the caller.
  explicit Outbox(const base::Clock& clock, const OutboxPolicy& policy = {})
      : clock_(&clock), policy_(policy) {}

  // kInvalidArgument for an empty name or one over its bound, kLimitExceeded for a body over
  // kMaxPayloadBytes.
  base::Result<MessageId> post(Transaction& transaction, const NewMessage& message) const;

  // The next message of the destination that is due longest, leased until `duration` from now; nothing where
  // none is due. Messages whose deliverer stopped on the last attempt are given up on the way.
  base::Result<std::optional<Delivery>> lease(Transaction& transaction,
                                              std::chrono::microseconds duration) const;

  // Both are refused with kConflict once the lease was reported, or another deliverer has taken the
  // destination over.
  base::Result<> delivered(Transaction& transaction, const Delivery& delivery) const;
  // kPending where the message is tried again after the backoff, else kGivenUp. Keeps the error's text.
  base::Result<MessageState> failed(Transaction& transaction, const Delivery& delivery,
                                    std::string_view error) const;

  // kNotFound for a message that never was or is forgotten.
  base::Result<MessageStatus> status(const Snapshot& snapshot, const base::WorkspaceId& workspace,
                                     MessageId id) const;

  // The bodies of the newest messages of this kind that were delivered and are not forgotten, the newest
  // first, at most `limit` of them.
  static base::Result<std::vector<base::Bytes>> newest_delivered(const Snapshot& snapshot,
                                                                 const base::WorkspaceId& workspace,
                                                                 std::string_view kind, std::int64_t limit);

  // Drops up to kMaxForgotten messages that were delivered or given up before the moment; gives the count.
  base::Result<std::int64_t> forget(Transaction& transaction, base::Timestamp ended_before) const;

 private:
  base::Result<> finish(Transaction& transaction, const Delivery& delivery, std::string_view state,
                        std::optional<std::string_view> error) const;

  const base::Clock* clock_;
  OutboxPolicy policy_;
};

}  // namespace holdfast::store
