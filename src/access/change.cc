#include "access/change.h"

#include "base/json.h"
#include "base/log.h"

namespace holdfast::access {

using base::Result;
using nlohmann::json;

Entry Access::Attempted::entry(bool allowed) const {
  return {.workspace = workspace,
          .actor = actor,
          .action = action,
          .resource = actor,
          .decision = allowed ? "allow" : "deny",
          .details = {}};
}

json Access::Attempted::details() const { return {{"name", name}, {"source", source}}; }

Result<Access::Change> Access::Change::begin(Access& access) {
  HF_TRY(store::Transaction transaction, access.parts_.database.begin());
  return Change(access, std::move(transaction));
}

Result<Access::Change> Access::Change::begin(Access& access, const Decided& decided) {
  HF_TRY(Change change, begin(access));
  HF_TRY(const std::int64_t at, generation(change.view()));
  if (at == decided.generation()) return change;
  HF_CHECK(access.reload());
  HF_CHECK(access.permit(decided.caller(), decided.action(), decided.resource()));
  return change;
}

Result<Receipt> Access::Change::record(const Decided& decided, json about) {
  about["rows"] = named_;
  HF_TRY(const Entry entry, decided.entry(about));
  return record(entry);
}

Result<Receipt> Access::Change::record(const Attempted& attempt, json about) {
  about["rows"] = named_;
  json details = attempt.details();
  details["about"] = std::move(about);
  Entry entry = attempt.entry(true);
  HF_TRY(entry.details, base::canonical_json(details));
  return record(entry);
}

Result<Receipt> Access::Change::record(const Entry& entry) {
  Recorder& recorder = access_->parts_.recorder;
  HF_TRY(const Receipt receipt, recorder.record(entry));
  if (named_.empty()) return receipt;
  pending_.emplace([&recorder](const Entry& settled) { return recorder.note(settled); }, entry.workspace,
                   receipt);
  return receipt;
}

Result<std::int64_t> Access::Change::finish(const base::WorkspaceId& workspace, std::string_view kind,
                                            std::string_view subject) {
  HF_CHECK(transaction_.next_change(workspace, kind, subject));
  HF_TRY(const std::int64_t generation, next_generation(transaction_));
  HF_CHECK(pending_ ? pending_->commit(transaction_) : transaction_.commit());
  return generation;
}

Result<> Access::Change::commit(const base::WorkspaceId& workspace, std::string_view kind,
                                std::string_view subject) {
  HF_TRY(const std::int64_t generation, finish(workspace, kind, subject));
  // The change is made, whatever comes now. Where it can't be read back, nothing is in force until it can.
  if (const auto read = access_->reload(); !read) access_->outdate(generation);
  return {};
}

Result<> Access::Change::commit(const TokenRow& token) {
  HF_TRY(const std::int64_t generation, finish(token.facts.workspace, "token", token.facts.id.value()));
  if (const auto read = access_->put_in_force(generation, token.digest, token.facts); !read) {
    access_->outdate(generation);
  }
  return {};
}

}  // namespace holdfast::access
