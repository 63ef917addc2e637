#include "registry/test_looks.h"

#include <fmt/format.h>

#include <tuple>

#include <nlohmann/json.hpp>

#include "registry/row_record.h"

namespace holdfast::registry {

using base::Result;
using store::Sql;

namespace {

// All of what the row says.
audit::RowName name_row(const TestLook& look) {
  return audit::name_row(
      fmt::format("test_looks/{}/{}/{}", look.workspace.value(), look.dataset.hex(), look.number),
      {{"artefact", look.artefact.hex()},
       {"looked_at", look.looked_at.microseconds()},
       {"looked_by", look.looked_by}});
}

}  // namespace

Result<std::uint64_t> count_test_looks(const store::Snapshot& view, const base::WorkspaceId& workspace,
                                       const base::Digest& dataset) {
  HF_TRY(const auto found,
         view.row<std::int64_t>(
             Sql("SELECT coalesce(max(number), 0) FROM test_looks WHERE workspace = $1 AND dataset = $2"),
             workspace, dataset));
  return static_cast<std::uint64_t>(std::get<0>(*found));
}

Result<std::uint64_t> TestLooks::count(const access::Authorised& authorised, const base::Digest& dataset,
                                       const base::Digest& artefact) {
  const auto& caller = authorised.caller();
  HF_TRY(auto change, parts_.database.begin());
  HF_TRY(const std::uint64_t before, count_test_looks(change.view(), caller.workspace(), dataset));
  const TestLook look{.workspace = caller.workspace(),
                      .dataset = dataset,
                      .number = static_cast<std::int64_t>(before) + 1,
                      .artefact = artefact,
                      .looked_at = parts_.clock.now(),
                      .looked_by = caller.text()};
  HF_TRY(auto recorded, record_row(parts_.log, authorised, "test-part.look", name_row(look),
                                   {{"dataset", dataset.hex()}, {"number", look.number}}));
  HF_CHECK(change.execute(
      Sql("INSERT INTO test_looks (workspace, dataset, number, artefact, looked_at, looked_by, record_index,"
          " record) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"),
      look.workspace, look.dataset, look.number, look.artefact, look.looked_at, look.looked_by,
      static_cast<std::int64_t>(recorded.receipt().index), recorded.receipt().leaf));
  HF_CHECK(recorded.commit(change));
  return before + 1;
}

Result<std::uint64_t> TestLooks::until_now(const base::WorkspaceId& workspace,
                                           const base::Digest& dataset) const {
  HF_TRY(const auto snapshot, parts_.database.snapshot());
  return count_test_looks(snapshot, workspace, dataset);
}

Result<> claim_test_looks(const store::Snapshot& view, std::vector<audit::RowClaim>& claims) {
  using Key = std::tuple<base::WorkspaceId, base::Digest, std::int64_t>;
  const auto query = [&view](const Key& after) {
    const auto& [workspace, dataset, number] = after;
    return view.rows<base::WorkspaceId, base::Digest, std::int64_t, base::Digest, base::Timestamp,
                     std::string, std::int64_t, base::Digest>(
        Sql("SELECT workspace, dataset, number, artefact, looked_at, looked_by, record_index, record"
            " FROM test_looks WHERE (workspace, dataset, number) > ($1, $2, $3)"
            " ORDER BY workspace, dataset, number LIMIT $4"),
        workspace, dataset, number, audit::kClaimsPage);
  };
  return audit::claim_pages(Key(), query, [&claims](auto& row) -> Result<Key> {
    auto& [workspace, dataset, number, artefact, at, by, index, leaf] = row;
    const TestLook look{.workspace = workspace,
                        .dataset = dataset,
                        .number = number,
                        .artefact = artefact,
                        .looked_at = at,
                        .looked_by = by};
    claims.push_back(audit::claim_row(name_row(look), index, leaf));
    return Key(workspace, dataset, number);
  });
}

}  // namespace holdfast::registry
