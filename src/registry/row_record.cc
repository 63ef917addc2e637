#include "registry/row_record.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "crypto/sha256.h"

namespace holdfast::registry {

using base::ErrorCode;
using base::fail;
using base::Result;
using nlohmann::json;

namespace {

Result<> check_claim(const audit::Log& log, const RowClaim& claim) {
  const auto wrong = [&claim](std::string_view what) {
    return fail(ErrorCode::kDataCorrupt,
                fmt::format("the row {} of {} is not what the log says: {}", claim.key, claim.table, what));
  };
  HF_TRY(const auto records, log.read(claim.receipt.index, 1));
  if (records.empty()) return wrong(fmt::format("there is no record {}", claim.receipt.index));
  const auto& record = records.front();
  if (record.receipt.leaf != claim.receipt.leaf) {
    return wrong(fmt::format("record {} is another one", claim.receipt.index));
  }
  if (record.body != audit::BodyState::kOpen) return {};
  HF_TRY(const json details, base::parse_json(record.record.details));
  const auto row = details.find("row");
  if (row == details.end() || !row->is_string() || row->get<std::string>() != claim.row.hex()) {
    return wrong(fmt::format("record {} was made for other contents", claim.receipt.index));
  }
  return {};
}

}  // namespace

Result<base::Digest> row_digest(std::string_view table, const json& row) {
  HF_TRY(const std::string text, base::canonical_json(json{{"table", table}, {"row", row}}));
  return crypto::sha256(base::as_bytes(text));
}

Result<audit::Receipt> record_row(audit::Log& log, const access::Authorised& authorised,
                                  std::string_view what, const base::Digest& row, const json& details) {
  json full = details;
  full["row"] = row.hex();
  if (authorised.receipt()) full["decided_in"] = authorised.receipt()->index;
  HF_TRY(std::string text, base::canonical_json(full));
  return log.append({.workspace = authorised.caller().workspace(),
                     .actor = authorised.caller().text(),
                     .action = std::string(what),
                     .resource = authorised.resource().text(),
                     .decision = "done",
                     .details = std::move(text)});
}

Result<> check_claims(const audit::Log& log, const std::vector<RowClaim>& claims) {
  for (const auto& claim : claims) HF_CHECK(check_claim(log, claim));
  return {};
}

}  // namespace holdfast::registry
