#pragma once

#include <functional>
#include <string_view>

#include "audit/log.h"
#include "audit/record.h"
#include "base/result.h"
#include "store/database.h"

namespace holdfast::audit {

inline constexpr std::string_view kSettleAction = "rows.settle";

// The record that says what became of the changes of an earlier one (row_history.h).
Record settled_record(const base::WorkspaceId& workspace, std::uint64_t record, bool done);

// Rows whose record is written and which a transaction is about to hold. It ends in commit(), or by its
// destruction, which says that nothing was changed: so it is destroyed before the transaction, or committed
// with it. Used by one thread.
class PendingRows {
 public:
  // Where the second record goes, accepted on return and durable soon after.
  using Note = std::function<base::Result<Receipt>(const Record&)>;

  PendingRows(Note note, base::WorkspaceId workspace, const Receipt& receipt);
  PendingRows(PendingRows&& other) noexcept;
  PendingRows& operator=(PendingRows&& other) noexcept;
  ~PendingRows();

  [[nodiscard]] const Receipt& receipt() const { return receipt_; }  // for the rows to carry
  // The transaction's error; where it leaves open what a restart finds, so does the log.
  base::Result<> commit(store::Transaction& transaction);

 private:
  void settle(bool done);
  Note note_;  // empty once it is settled
  base::WorkspaceId workspace_;
  Receipt receipt_;
};

}  // namespace holdfast::audit
