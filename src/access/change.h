#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "access/access.h"
#include "access/rows.h"
#include "audit/pending_rows.h"

namespace holdfast::access {

// Who signs in, or tries to: what a record says of it when there is no decision by policy.
struct Access::Attempted {
  base::WorkspaceId workspace;
  std::string actor;
  std::string action;
  std::string name;
  std::string source;
  PrincipalId principal;  // empty where it is nobody
  [[nodiscard]] Entry entry(bool allowed) const;
  [[nodiscard]] nlohmann::json details() const;
};

// One change, from its record to its being in force. First name the rows that it makes and removes, then take
// the receipt by record(), then write the rows with it, then commit. Without commit nothing happened, and the
// log says so (audit/pending_rows.h).
class Access::Change {
 public:
  static base::Result<Change> begin(Access& access);
  // For what was decided a moment ago: decided again where something changed meanwhile, here or in another
  // process, since from here on nobody else can change anything.
  static base::Result<Change> begin(Access& access, const Decided& decided);

  [[nodiscard]] store::Transaction& rows() { return transaction_; }
  [[nodiscard]] const store::Snapshot& view() const { return transaction_.view(); }

  void makes(const RowName& row) { named_[row.key] = row.digest.hex(); }
  void removes(const RowName& row) { named_[row.key] = nullptr; }

  base::Result<Receipt> record(const Decided& decided, nlohmann::json about = nlohmann::json::object());
  base::Result<Receipt> record(const Attempted& attempt, nlohmann::json about = nlohmann::json::object());

  // All tokens of the principal, which erase_tokens() removes.
  void ends_tokens(const base::WorkspaceId& workspace, const PrincipalId& principal) {
    named_[all_tokens_key(workspace, principal)] = nullptr;
  }

  // Tells the change feed that `subject` is not what it was, commits, and puts the change in force.
  base::Result<> commit(const base::WorkspaceId& workspace, std::string_view kind, std::string_view subject);
  // The same for one new token, which needs no look at everything else.
  base::Result<> commit(const TokenRow& token);

 private:
  Change(Access& access, store::Transaction transaction)
      : access_(&access), transaction_(std::move(transaction)) {}
  base::Result<Receipt> record(const Entry& entry);
  base::Result<std::int64_t> finish(const base::WorkspaceId& workspace, std::string_view kind,
                                    std::string_view subject);

  Access* access_;
  store::Transaction transaction_;
  std::optional<audit::PendingRows> pending_;
  nlohmann::json named_ = nlohmann::json::object();
};

// A password of a person who proved to know it, and the attempt that was let through for it.
struct Access::Checked {
  PrincipalRow person;
  PasswordRow password;
  Attempted attempt;
};

}  // namespace holdfast::access
