#include "audit/pending_rows.h"

#include <fmt/format.h>

#include <utility>

#include "base/log.h"

namespace holdfast::audit {

Record settled_record(const base::WorkspaceId& workspace, std::uint64_t record, bool done) {
  return {.workspace = workspace,
          .actor = "holdfast",
          .action = std::string(kSettleAction),
          .resource = fmt::format("record/{}", record),
          .decision = done ? "done" : "undone",
          .details = fmt::format(R"({{"about":{{"{}":{}}}}})", done ? "done" : "undone", record)};
}

PendingRows::PendingRows(Note note, base::WorkspaceId workspace, const Receipt& receipt)
    : note_(std::move(note)), workspace_(std::move(workspace)), receipt_(receipt) {}

PendingRows::PendingRows(PendingRows&& other) noexcept
    : note_(std::exchange(other.note_, nullptr)),
      workspace_(std::move(other.workspace_)),
      receipt_(other.receipt_) {}

PendingRows& PendingRows::operator=(PendingRows&& other) noexcept {
  std::swap(note_, other.note_);
  std::swap(workspace_, other.workspace_);
  std::swap(receipt_, other.receipt_);
  return *this;
}

PendingRows::~PendingRows() { settle(false); }

base::Result<> PendingRows::commit(store::Transaction& transaction) {
  auto committed = transaction.commit();
  if (!committed && committed.error().code == base::ErrorCode::kIo) {
    note_ = nullptr;
  } else {
    settle(committed.has_value());
  }
  return committed;
}

// Where it can't be written, the next start tells from the rows what became of them, and says so.
void PendingRows::settle(bool done) {
  if (!note_) return;
  const auto noted = std::exchange(note_, nullptr)(settled_record(workspace_, receipt_.index, done));
  if (noted) return;
  base::log(base::LogLevel::kWarning, "rows-not-settled",
            {{"record", fmt::to_string(receipt_.index)},
             {"done", done ? "yes" : "no"},
             {"why", noted.error().message}});
}

}  // namespace holdfast::audit
