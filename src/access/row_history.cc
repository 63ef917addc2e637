#include "access/row_history.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace holdfast::access {
namespace {

using base::ErrorCode;
using base::Result;
using nlohmann::json;

// Expired tokens and their rows go without a record: that they end was recorded when they were made.
constexpr std::string_view kMayGo = "access_tokens/";

tl::unexpected<base::Error> corrupt(std::string why) {
  return base::fail(ErrorCode::kDataCorrupt, std::move(why));
}

}  // namespace

Result<> RowHistory::add(const Receipt& receipt, std::string_view details) {
  if (details.empty()) return {};
  const auto parsed = base::parse_json(details);
  if (!parsed || !parsed->is_object()) {
    return corrupt(fmt::format("the details of record {} are no JSON object", receipt.index));
  }
  const auto about = parsed->find("about");
  if (about == parsed->end() || !about->is_object()) return {};
  const auto rows = about->find("rows");
  if (rows == about->end() || !rows->is_object()) return {};
  for (const auto& [key, value] : rows->items()) {
    Known known{.receipt = receipt, .row = std::nullopt};
    if (value.is_string()) {
      HF_TRY(known.row, base::Digest::from_hex(value.get_ref<const std::string&>()));
    } else if (!value.is_null()) {
      return corrupt(fmt::format("record {} names the row {} without a digest", receipt.index, key));
    }
    if (key.ends_with('/')) {
      HF_CHECK(remove_all(key, known));
    } else {
      rows_.insert_or_assign(key, known);
    }
  }
  return {};
}

Result<> RowHistory::remove_all(std::string_view beginning, const Known& removed) {
  if (removed.row) {
    return corrupt(
        fmt::format("record {} gives one digest to many rows, {}", removed.receipt.index, beginning));
  }
  for (auto row = rows_.lower_bound(beginning); row != rows_.end() && row->first.starts_with(beginning);
       ++row) {
    row->second = removed;
  }
  return {};
}

Result<> RowHistory::check(const std::vector<RowClaim>& claims) const {
  std::map<std::string_view, const RowClaim*> present;
  for (const RowClaim& claim : claims) present.emplace(claim.key, &claim);
  for (const auto& [key, claim] : present) {
    const auto known = rows_.find(key);
    if (known == rows_.end()) return corrupt(fmt::format("no record in the log made the row {}", key));
    const auto& [receipt, row] = known->second;
    if (!row) {
      return corrupt(
          fmt::format("the row {} was removed by record {}, and is there again", key, receipt.index));
    }
    if (*row != claim->row || receipt.leaf != claim->receipt.leaf || receipt.index != claim->receipt.index) {
      return corrupt(fmt::format("the row {} is not as record {} left it", key, receipt.index));
    }
  }
  for (const auto& [key, known] : rows_) {
    if (known.row && !present.contains(key) && !key.starts_with(kMayGo)) {
      return corrupt(fmt::format("the row {}, which record {} made, is gone", key, known.receipt.index));
    }
  }
  return {};
}

}  // namespace holdfast::access
