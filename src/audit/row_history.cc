#include "audit/row_history.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "crypto/sha256.h"

namespace holdfast::audit {
namespace {

using base::ErrorCode;
using base::Result;
using nlohmann::json;

tl::unexpected<base::Error> corrupt(std::string why) {
  return base::fail(ErrorCode::kDataCorrupt, std::move(why));
}

// The member "about" of a record's details; null where there is none.
Result<json> about_of(const Receipt& receipt, std::string_view details) {
  if (details.empty()) return json();
  auto parsed = base::parse_json(details);
  if (!parsed || !parsed->is_object()) {
    return corrupt(fmt::format("the details of record {} are no JSON object", receipt.index));
  }
  const auto about = parsed->find("about");
  return about == parsed->end() || !about->is_object() ? json() : std::move(*about);
}

Result<> compare_row(const RowClaim& claim, const Receipt& receipt, const std::optional<base::Digest>& row) {
  if (!row) {
    return corrupt(
        fmt::format("the row {} was removed by record {}, and is there again", claim.key, receipt.index));
  }
  if (claim.receipt == receipt && claim.row == *row) return {};
  return corrupt(fmt::format("the row {} is not as record {} left it: {}", claim.key, receipt.index,
                             claim.receipt == receipt ? std::string("it was changed")
                             : claim.receipt.index < receipt.index
                                 ? fmt::format("it was put back to an older record, {}", claim.receipt.index)
                                 : fmt::format("it names another record, {}", claim.receipt.index)));
}

}  // namespace

// Contents are a module's own texts and integers, which canonical JSON takes; one that were not UTF-8 would
// have no digest, and so match no record.
RowName name_row(std::string key, json contents) {
  contents["row"] = key;
  const auto text = base::canonical_json(contents);
  return {.key = std::move(key), .digest = text ? crypto::sha256(base::as_bytes(*text)) : base::Digest()};
}

json named_rows(const std::vector<RowName>& made) {
  json rows = json::object();
  for (const RowName& row : made) rows[row.key] = row.digest.hex();
  return rows;
}

RowClaim claim_row(RowName name, std::int64_t record_index, const base::Digest& record) {
  return {.key = std::move(name.key),
          .receipt = {.index = static_cast<std::uint64_t>(record_index), .leaf = record},
          .row = name.digest};
}

Result<> RowHistory::add(const Receipt& receipt, std::string_view details) {
  HF_TRY(const json about, about_of(receipt, details));
  if (about.is_null()) return {};
  settle(receipt.index, about);
  const auto rows = about.find("rows");
  if (rows == about.end() || !rows->is_object() || rows->empty()) return {};
  Pending pending{.record = receipt.index, .before = {}};
  for (const auto& [key, value] : rows->items()) {
    Known known{.receipt = receipt, .row = std::nullopt};
    if (value.is_string()) {
      HF_TRY(known.row, base::Digest::from_hex(value.get_ref<const std::string&>()));
    } else if (!value.is_null()) {
      return corrupt(fmt::format("record {} names the row {} without a digest", receipt.index, key));
    }
    HF_CHECK(add_row(key, known, pending));
  }
  pending_.push_back(std::move(pending));
  return {};
}

Result<> RowHistory::add_row(const std::string& key, const Known& known, Pending& pending) {
  if (!key.ends_with('/')) {
    const auto before = rows_.find(key);
    pending.before.emplace(key, before == rows_.end() ? std::nullopt : std::optional(before->second));
    rows_.insert_or_assign(key, known);
    return {};
  }
  if (known.row) {
    return corrupt(fmt::format("record {} gives one digest to many rows, {}", known.receipt.index, key));
  }
  for (auto row = rows_.lower_bound(key); row != rows_.end() && row->first.starts_with(key); ++row) {
    pending.before.emplace(row->first, row->second);
    row->second = known;
  }
  return {};
}

void RowHistory::settle(std::uint64_t mark, const json& about) {
  for (const bool done : {true, false}) {
    const auto said = about.find(done ? "done" : "undone");
    if (said == about.end() || !said->is_number_unsigned()) continue;
    // The rows may have been read before it was done; what is undone was never there.
    if (done && mark >= options_.read_at) continue;
    const auto found = std::ranges::find(pending_, said->get<std::uint64_t>(), &Pending::record);
    if (found == pending_.end()) continue;
    const Pending settled = std::move(*found);
    pending_.erase(found);
    if (!done) take_back(settled, pending_, rows_);
  }
}

// Only what no later record has changed since; where one has, its own past is corrected.
void RowHistory::take_back(const Pending& pending, std::vector<Pending>& later, Rows& rows) {
  for (const auto& [key, before] : pending.before) {
    const auto now = rows.find(key);
    if (now != rows.end() && now->second.receipt.index == pending.record) {
      if (before) {
        now->second = *before;
      } else {
        rows.erase(now);
      }
    }
    for (Pending& other : later) {
      const auto past = other.before.find(key);
      if (past != other.before.end() && past->second && past->second->receipt.index == pending.record) {
        past->second = before;
      }
    }
  }
}

Result<> RowHistory::read(const Log& log) {
  for (std::uint64_t from = 0;;) {
    HF_TRY(const auto records, log.read(from, Log::kMaxRead));
    if (records.empty()) return {};
    for (const auto& record : records) {
      if (record.body == BodyState::kOpen) HF_CHECK(add(record.receipt, record.record.details));
    }
    from += records.size();
  }
}

Result<Unsettled> RowHistory::check(const std::vector<RowClaim>& claims) const {
  Unsettled unsettled;
  for (const Pending& pending : pending_) unsettled.done.push_back(pending.record);
  const auto whole = compare(rows_, claims);
  if (whole) return unsettled;
  // Changes are made one after the other, so what a process did not come to is the last of them.
  Rows rows = rows_;
  std::vector<Pending> pending = pending_;
  while (!pending.empty()) {
    const Pending last = std::move(pending.back());
    pending.pop_back();
    take_back(last, pending, rows);
    unsettled.done.pop_back();
    unsettled.undone.push_back(last.record);
    if (compare(rows, claims)) return unsettled;
  }
  return base::fail(whole.error());
}

Result<> RowHistory::compare(const Rows& rows, const std::vector<RowClaim>& claims) const {
  std::map<std::string_view, const RowClaim*> present;
  for (const RowClaim& claim : claims) present.emplace(claim.key, &claim);
  for (const auto& [key, claim] : present) {
    const auto known = rows.find(key);
    if (known == rows.end()) return corrupt(fmt::format("no record in the log made the row {}", key));
    HF_CHECK(compare_row(*claim, known->second.receipt, known->second.row));
  }
  for (const auto& [key, known] : rows) {
    const bool may_go = std::ranges::any_of(
        options_.may_go, [&key](const std::string& beginning) { return key.starts_with(beginning); });
    if (known.row && !may_go && !present.contains(key)) {
      return corrupt(fmt::format("the row {}, which record {} made, is gone", key, known.receipt.index));
    }
  }
  return {};
}

Result<> check_claim(const Log& log, const RowClaim& claim) {
  HF_TRY(const auto records, log.read(claim.receipt.index, 1));
  if (records.empty() || records.front().body != BodyState::kOpen) {
    return corrupt(fmt::format("no record in the log made the row {}", claim.key));
  }
  const StoredRecord& made = records.front();
  HF_TRY(const json about, about_of(made.receipt, made.record.details));
  const json::json_pointer place = json::json_pointer() / "rows" / claim.key;
  std::optional<base::Digest> row;
  if (about.contains(place) && about.at(place).is_string()) {
    HF_TRY(row, base::Digest::from_hex(about.at(place).get_ref<const std::string&>()));
  }
  if (!row) return corrupt(fmt::format("record {} did not make the row {}", claim.receipt.index, claim.key));
  return compare_row(claim, made.receipt, row);
}

}  // namespace holdfast::audit
