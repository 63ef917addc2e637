#include "access/rows.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "crypto/sha256.h"

namespace holdfast::access {
namespace {

using base::Bytes;
using base::Digest;
using base::ErrorCode;
using base::Result;
using base::Timestamp;
using base::WorkspaceId;
using nlohmann::json;
using store::Sql;
using store::Transaction;
using View = store::Snapshot;
using audit::name_row;

constexpr std::int64_t kPage = 500;             // rows read at once: of policies, half of a result's bound
constexpr std::int64_t kForgottenAtOnce = 100;  // of tokens, and of assertions

std::int64_t index_of(const Receipt& receipt) { return static_cast<std::int64_t>(receipt.index); }
Receipt receipt_of(std::int64_t index, const Digest& leaf) {
  return {.index = static_cast<std::uint64_t>(index), .leaf = leaf};
}

Result<> require_one(const Result<std::int64_t>& changed, ErrorCode code, const char* why) {
  if (!changed) return base::fail(changed.error());
  if (*changed == 1) return {};
  return base::fail(code, why);
}

using PrincipalColumns =
    std::tuple<WorkspaceId, PrincipalId, std::string, std::string, bool, std::optional<PrincipalId>,
               std::int64_t, Timestamp, std::int64_t, Digest>;

Result<PrincipalRow> read(PrincipalColumns columns) {
  auto& [workspace, id, kind, name, enabled, owner, version, created_at, index, leaf] = columns;
  const auto known = kind_of(kind);
  if (!known) {
    return base::fail(ErrorCode::kDataCorrupt,
                      fmt::format("the database has a principal of the unknown kind \"{}\"", kind));
  }
  return PrincipalRow{.workspace = std::move(workspace),
                      .id = std::move(id),
                      .kind = *known,
                      .name = std::move(name),
                      .enabled = enabled,
                      .owner = std::move(owner),
                      .version = version,
                      .created_at = created_at,
                      .receipt = receipt_of(index, leaf)};
}

using MembershipColumns = std::tuple<WorkspaceId, PrincipalId, PrincipalId, std::int64_t, Digest>;
Result<MembershipRow> read(MembershipColumns columns) {
  auto& [workspace, group, member, index, leaf] = columns;
  return MembershipRow{std::move(workspace), std::move(group), std::move(member), receipt_of(index, leaf)};
}

using PasswordColumns =
    std::tuple<WorkspaceId, PrincipalId, std::string, bool, std::optional<Timestamp>, std::int64_t, Digest>;
Result<PasswordRow> read(PasswordColumns columns) {
  auto& [workspace, principal, hash, one_time, expires, index, leaf] = columns;
  return PasswordRow{.workspace = std::move(workspace),
                     .principal = std::move(principal),
                     .hash = std::move(hash),
                     .one_time = one_time,
                     .expires = expires,
                     .receipt = receipt_of(index, leaf)};
}

using ServiceKeyColumns = std::tuple<WorkspaceId, PrincipalId, std::string, Bytes, std::int64_t, Digest>;
Result<ServiceKeyRow> read(ServiceKeyColumns columns) {
  auto& [workspace, principal, key_id, key, index, leaf] = columns;
  return ServiceKeyRow{std::move(workspace), std::move(principal), std::move(key_id), std::move(key),
                       receipt_of(index, leaf)};
}

using PolicyColumns = std::tuple<WorkspaceId, std::string, bool, std::string, std::int64_t, Digest>;
Result<PolicyRow> read(PolicyColumns columns) {
  auto& [workspace, id, grant, text, index, leaf] = columns;
  return PolicyRow{std::move(workspace), std::move(id), grant, std::move(text), receipt_of(index, leaf)};
}

using TokenColumns =
    std::tuple<WorkspaceId, TokenId, Digest, PrincipalId, std::string, Timestamp, std::int64_t, Digest>;
Result<TokenRow> read(TokenColumns columns) {
  auto& [workspace, id, digest, principal, audience, expires, index, leaf] = columns;
  return TokenRow{
      .facts = {std::move(workspace), std::move(principal), std::move(id), std::move(audience), expires},
      .digest = digest,
      .receipt = receipt_of(index, leaf)};
}

template <typename Columns>
struct Reader;
template <typename... Columns>
struct Reader<std::tuple<Columns...>> {
  using Row = typename decltype(read(std::declval<std::tuple<Columns...>>()))::value_type;

  template <typename... Values>
  static Result<std::vector<Row>> rows(const View& view, Sql sql, const Values&... values) {
    HF_TRY(auto found, view.rows<Columns...>(sql, values...));
    std::vector<Row> rows;
    rows.reserve(found.size());
    for (auto& columns : found) {
      HF_TRY(Row row, read(std::move(columns)));
      rows.push_back(std::move(row));
    }
    return rows;
  }

  template <typename... Values>
  static Result<std::optional<Row>> row(const View& view, Sql sql, const Values&... values) {
    HF_TRY(auto found, rows(view, sql, values...));
    if (found.empty()) return std::nullopt;
    return std::move(found.front());
  }

  // `sql` asks for the rows after a key, in its order; `next(last row)` runs it for the next page.
  template <typename First, typename Next>
  static Result<std::vector<Row>> pages(const First& first, const Next& next) {
    HF_TRY(std::vector<Row> all, first());
    std::size_t page = all.size();
    while (page == static_cast<std::size_t>(kPage)) {
      HF_TRY(auto more, next(all.back()));
      page = more.size();
      std::move(more.begin(), more.end(), std::back_inserter(all));
    }
    return all;
  }
};

}  // namespace

std::string all_tokens_key(const WorkspaceId& workspace, const PrincipalId& principal) {
  return fmt::format("access_tokens/{}/{}/", workspace.value(), principal.value());
}

RowName PrincipalRow::row_name() const {
  return name_row(fmt::format("principals/{}/{}", workspace.value(), id.value()),
                  {{"kind", to_string(kind)},
                   {"name", name},
                   {"enabled", enabled},
                   {"owner", owner ? json(owner->value()) : json()},
                   {"version", version},
                   {"created_at", created_at.microseconds()}});
}

RowName MembershipRow::row_name() const {
  return name_row(fmt::format("memberships/{}/{}/{}", workspace.value(), group.value(), member.value()),
                  json::object());
}

RowName PasswordRow::row_name() const {
  json contents{{"hash", hash}, {"one_time", one_time}};
  if (expires) contents["expires"] = expires->microseconds();
  return name_row(fmt::format("passwords/{}/{}", workspace.value(), principal.value()), std::move(contents));
}

RowName ServiceKeyRow::row_name() const {
  return name_row(fmt::format("service_keys/{}/{}/{}", workspace.value(), principal.value(), key_id),
                  {{"public_key", crypto::sha256(public_key).hex()}});
}

RowName PolicyRow::row_name() const {
  return name_row(fmt::format("access_policies/{}/{}", workspace.value(), id),
                  {{"grant", grant}, {"text", text}});
}

RowName TokenRow::row_name() const {
  return name_row(
      fmt::format("{}{}", all_tokens_key(facts.workspace, facts.principal), facts.id.value()),
      {{"digest", digest.hex()}, {"audience", facts.audience}, {"expires", facts.expires.microseconds()}});
}

Result<> insert(Transaction& change, const PrincipalRow& row) {
  HF_CHECK(change.execute(
      Sql("INSERT INTO principals (workspace, id, kind, name, enabled, owner, version, created_at,"
          " record_index, record) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"),
      row.workspace, row.id, to_string(row.kind), row.name, row.enabled, row.owner, row.version,
      row.created_at, index_of(row.receipt), row.receipt.leaf));
  return {};
}

Result<> insert(Transaction& change, const MembershipRow& row) {
  HF_CHECK(change.execute(Sql("INSERT INTO memberships (workspace, group_id, member, record_index, record)"
                              " VALUES ($1, $2, $3, $4, $5)"),
                          row.workspace, row.group, row.member, index_of(row.receipt), row.receipt.leaf));
  return {};
}

Result<> insert(Transaction& change, const ServiceKeyRow& row) {
  HF_CHECK(change.execute(
      Sql("INSERT INTO service_keys (workspace, principal, key_id, public_key, record_index, record)"
          " VALUES ($1, $2, $3, $4, $5, $6)"),
      row.workspace, row.principal, row.key_id, row.public_key, index_of(row.receipt), row.receipt.leaf));
  return {};
}

Result<> insert(Transaction& change, const PolicyRow& row) {
  HF_CHECK(
      change.execute(Sql("INSERT INTO access_policies (workspace, id, is_grant, text, record_index, record)"
                         " VALUES ($1, $2, $3, $4, $5, $6)"),
                     row.workspace, row.id, row.grant, row.text, index_of(row.receipt), row.receipt.leaf));
  return {};
}

Result<> insert(Transaction& change, const TokenRow& row) {
  HF_CHECK(change.execute(
      Sql("INSERT INTO access_tokens (workspace, id, digest, principal, audience, expires_at, record_index,"
          " record) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"),
      row.facts.workspace, row.facts.id, row.digest, row.facts.principal, row.facts.audience,
      row.facts.expires, index_of(row.receipt), row.receipt.leaf));
  return {};
}

Result<> replace(Transaction& change, const PasswordRow& row) {
  HF_CHECK(change.execute(
      Sql("INSERT INTO passwords (workspace, principal, hash, one_time, expires_at, record_index, record)"
          " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (workspace, principal) DO UPDATE SET"
          " hash = excluded.hash, one_time = excluded.one_time, expires_at = excluded.expires_at,"
          " record_index = excluded.record_index, record = excluded.record"),
      row.workspace, row.principal, row.hash, row.one_time, row.expires, index_of(row.receipt),
      row.receipt.leaf));
  return {};
}

Result<> update(Transaction& change, const PrincipalRow& row) {
  return require_one(
      change.execute(Sql("UPDATE principals SET enabled = $3, version = $4, record_index = $5, record = $6"
                         " WHERE workspace = $1 AND id = $2 AND version = $4 - 1"),
                     row.workspace, row.id, row.enabled, row.version, index_of(row.receipt),
                     row.receipt.leaf),
      ErrorCode::kConflict, "somebody else changed this principal first; read it again");
}

Result<> erase(Transaction& change, const MembershipRow& row) {
  return require_one(
      change.execute(Sql("DELETE FROM memberships WHERE workspace = $1 AND group_id = $2 AND member = $3"),
                     row.workspace, row.group, row.member),
      ErrorCode::kNotFound, "it is no member of this group");
}

Result<> erase(Transaction& change, const ServiceKeyRow& row) {
  return require_one(
      change.execute(Sql("DELETE FROM service_keys WHERE workspace = $1 AND principal = $2 AND key_id = $3"),
                     row.workspace, row.principal, row.key_id),
      ErrorCode::kNotFound, "the service has no such key");
}

Result<> erase(Transaction& change, const PolicyRow& row) {
  return require_one(change.execute(Sql("DELETE FROM access_policies WHERE workspace = $1 AND id = $2"),
                                    row.workspace, row.id),
                     ErrorCode::kNotFound, "there is no such policy");
}

Result<> erase(Transaction& change, const TokenRow& row) {
  return require_one(change.execute(Sql("DELETE FROM access_tokens WHERE workspace = $1 AND id = $2"),
                                    row.facts.workspace, row.facts.id),
                     ErrorCode::kNotFound, "there is no such token");
}

Result<> erase_tokens(Transaction& change, const WorkspaceId& workspace, const PrincipalId& principal) {
  HF_CHECK(change.execute(Sql("DELETE FROM access_tokens WHERE workspace = $1 AND principal = $2"), workspace,
                          principal));
  return {};
}

Result<std::optional<PrincipalRow>> find_principal(const View& view, const WorkspaceId& workspace,
                                                   const PrincipalId& id) {
  return Reader<PrincipalColumns>::row(
      view,
      Sql("SELECT workspace, id, kind, name, enabled, owner, version, created_at, record_index, record"
          " FROM principals WHERE workspace = $1 AND id = $2"),
      workspace, id);
}

Result<std::optional<PrincipalRow>> find_principal(const View& view, const WorkspaceId& workspace, Kind kind,
                                                   std::string_view name) {
  return Reader<PrincipalColumns>::row(
      view,
      Sql("SELECT workspace, id, kind, name, enabled, owner, version, created_at, record_index, record"
          " FROM principals WHERE workspace = $1 AND kind = $2 AND name = $3"),
      workspace, to_string(kind), name);
}

Result<std::optional<MembershipRow>> find_membership(const View& view, const WorkspaceId& workspace,
                                                     const PrincipalId& group, const PrincipalId& member) {
  return Reader<MembershipColumns>::row(
      view,
      Sql("SELECT workspace, group_id, member, record_index, record FROM memberships"
          " WHERE workspace = $1 AND group_id = $2 AND member = $3"),
      workspace, group, member);
}

Result<std::optional<PasswordRow>> find_password(const View& view, const WorkspaceId& workspace,
                                                 const PrincipalId& principal) {
  return Reader<PasswordColumns>::row(
      view,
      Sql("SELECT workspace, principal, hash, one_time, expires_at, record_index, record FROM passwords"
          " WHERE workspace = $1 AND principal = $2"),
      workspace, principal);
}

Result<std::vector<ServiceKeyRow>> service_keys(const View& view, const WorkspaceId& workspace,
                                                const PrincipalId& principal) {
  return Reader<ServiceKeyColumns>::rows(
      view,
      Sql("SELECT workspace, principal, key_id, public_key, record_index, record FROM service_keys"
          " WHERE workspace = $1 AND principal = $2 ORDER BY key_id"),
      workspace, principal);
}

Result<std::optional<PolicyRow>> find_policy(const View& view, const WorkspaceId& workspace,
                                             std::string_view id) {
  return Reader<PolicyColumns>::row(
      view,
      Sql("SELECT workspace, id, is_grant, text, record_index, record FROM access_policies"
          " WHERE workspace = $1 AND id = $2"),
      workspace, id);
}

Result<std::vector<TokenRow>> tokens_of(const View& view, const WorkspaceId& workspace,
                                        const PrincipalId& principal) {
  return Reader<TokenColumns>::rows(
      view,
      Sql("SELECT workspace, id, digest, principal, audience, expires_at, record_index, record"
          " FROM access_tokens WHERE workspace = $1 AND principal = $2 ORDER BY id"),
      workspace, principal);
}

Result<std::optional<TokenRow>> find_token(const View& view, const WorkspaceId& workspace,
                                           const TokenId& id) {
  return Reader<TokenColumns>::row(
      view,
      Sql("SELECT workspace, id, digest, principal, audience, expires_at, record_index, record"
          " FROM access_tokens WHERE workspace = $1 AND id = $2"),
      workspace, id);
}

Result<std::int64_t> count_tokens(const View& view, const WorkspaceId& workspace,
                                  const PrincipalId& principal, Timestamp live_at) {
  HF_TRY(const auto row, view.row<std::int64_t>(Sql("SELECT count(*) FROM access_tokens WHERE workspace = $1"
                                                    " AND principal = $2 AND expires_at > $3"),
                                                workspace, principal, live_at));
  return row ? std::get<0>(*row) : 0;
}

Result<std::int64_t> count_policies(const View& view, const WorkspaceId& workspace) {
  HF_TRY(const auto row,
         view.row<std::int64_t>(Sql("SELECT count(*) FROM access_policies WHERE workspace = $1"), workspace));
  return row ? std::get<0>(*row) : 0;
}

Result<std::int64_t> count_memberships(const View& view, const WorkspaceId& workspace,
                                       const PrincipalId& member) {
  HF_TRY(const auto row,
         view.row<std::int64_t>(Sql("SELECT count(*) FROM memberships WHERE workspace = $1 AND member = $2"),
                                workspace, member));
  return row ? std::get<0>(*row) : 0;
}

Result<std::vector<PrincipalRow>> all_principals(const View& view) {
  using Read = Reader<PrincipalColumns>;
  const auto after = [&view](const WorkspaceId& workspace, const PrincipalId& id) {
    return Read::rows(
        view,
        Sql("SELECT workspace, id, kind, name, enabled, owner, version, created_at, record_index, record"
            " FROM principals WHERE (workspace, id) > ($1, $2) ORDER BY workspace, id LIMIT $3"),
        workspace, id, kPage);
  };
  return Read::pages([&] { return after(WorkspaceId(), PrincipalId()); },
                     [&](const PrincipalRow& last) { return after(last.workspace, last.id); });
}

Result<std::vector<MembershipRow>> all_memberships(const View& view) {
  using Read = Reader<MembershipColumns>;
  const auto after = [&view](const MembershipRow& last) {
    return Read::rows(
        view,
        Sql("SELECT workspace, group_id, member, record_index, record FROM memberships"
            " WHERE (workspace, member, group_id) > ($1, $2, $3) ORDER BY workspace, member, group_id"
            " LIMIT $4"),
        last.workspace, last.member, last.group, kPage);
  };
  return Read::pages([&] { return after(MembershipRow{}); }, after);
}

Result<std::vector<PasswordRow>> all_passwords(const View& view) {
  using Read = Reader<PasswordColumns>;
  const auto after = [&view](const WorkspaceId& workspace, const PrincipalId& principal) {
    return Read::rows(
        view,
        Sql("SELECT workspace, principal, hash, one_time, expires_at, record_index, record FROM passwords"
            " WHERE (workspace, principal) > ($1, $2) ORDER BY workspace, principal LIMIT $3"),
        workspace, principal, kPage);
  };
  return Read::pages([&] { return after(WorkspaceId(), PrincipalId()); },
                     [&](const PasswordRow& last) { return after(last.workspace, last.principal); });
}

Result<std::vector<ServiceKeyRow>> all_service_keys(const View& view) {
  using Read = Reader<ServiceKeyColumns>;
  const auto after = [&view](const ServiceKeyRow& last) {
    return Read::rows(
        view,
        Sql("SELECT workspace, principal, key_id, public_key, record_index, record FROM service_keys"
            " WHERE (workspace, principal, key_id) > ($1, $2, $3) ORDER BY workspace, principal, key_id"
            " LIMIT $4"),
        last.workspace, last.principal, last.key_id, kPage);
  };
  return Read::pages([&] { return after(ServiceKeyRow{}); }, after);
}

Result<std::vector<PolicyRow>> all_policies(const View& view) {
  using Read = Reader<PolicyColumns>;
  const auto after = [&view](const WorkspaceId& workspace, std::string_view id) {
    return Read::rows(view,
                      Sql("SELECT workspace, id, is_grant, text, record_index, record FROM access_policies"
                          " WHERE (workspace, id) > ($1, $2) ORDER BY workspace, id LIMIT $3"),
                      workspace, id, kPage);
  };
  return Read::pages([&] { return after(WorkspaceId(), ""); },
                     [&](const PolicyRow& last) { return after(last.workspace, last.id); });
}

Result<std::vector<TokenRow>> all_tokens(const View& view, Timestamp live_at) {
  using Read = Reader<TokenColumns>;
  const auto after = [&view, live_at](const WorkspaceId& workspace, const TokenId& id) {
    return Read::rows(
        view,
        Sql("SELECT workspace, id, digest, principal, audience, expires_at, record_index, record"
            " FROM access_tokens WHERE (workspace, id) > ($1, $2) AND expires_at > $3"
            " ORDER BY workspace, id LIMIT $4"),
        workspace, id, live_at, kPage);
  };
  return Read::pages([&] { return after(WorkspaceId(), TokenId()); },
                     [&](const TokenRow& last) { return after(last.facts.workspace, last.facts.id); });
}

Result<> forget_ended(Transaction& change, Timestamp before) {
  HF_CHECK(change.execute(
      Sql("DELETE FROM access_tokens WHERE (workspace, id) IN"
          " (SELECT workspace, id FROM access_tokens WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)"),
      before, kForgottenAtOnce));
  HF_CHECK(
      change.execute(Sql("DELETE FROM used_assertions WHERE (workspace, service, assertion) IN"
                         " (SELECT workspace, service, assertion FROM used_assertions WHERE expires_at <= $1"
                         " ORDER BY expires_at LIMIT $2)"),
                     before, kForgottenAtOnce));
  return {};
}

Result<> use_assertion(Transaction& change, const WorkspaceId& workspace, const PrincipalId& service,
                       const Digest& jti, Timestamp until, Timestamp now) {
  HF_TRY(const std::int64_t added,
         change.execute(Sql("INSERT INTO used_assertions (workspace, service, assertion, expires_at)"
                            " VALUES ($1, $2, $3, $4) ON CONFLICT (workspace, service, assertion)"
                            " DO UPDATE SET expires_at = excluded.expires_at"
                            " WHERE used_assertions.expires_at <= $5"),
                        workspace, service, jti, until, now));
  if (added == 1) return {};
  return base::fail(ErrorCode::kAlreadyExists,
                    "the assertion was used before; sign a new one with its own jti");
}

Result<std::int64_t> next_generation(Transaction& change) {
  HF_TRY(const auto rows,
         change.returning<std::int64_t>(
             Sql("UPDATE access_generation SET value = value + 1 WHERE name = 'access' RETURNING value")));
  if (rows.size() != 1) {
    return base::fail(ErrorCode::kDataCorrupt, "the database lacks the row of access_generation");
  }
  return std::get<0>(rows.front());
}

Result<std::int64_t> generation(const View& view) {
  HF_TRY(const auto row,
         view.row<std::int64_t>(Sql("SELECT value FROM access_generation WHERE name = 'access'")));
  if (row) return std::get<0>(*row);
  return base::fail(ErrorCode::kDataCorrupt, "the database lacks the row of access_generation");
}

}  // namespace holdfast::access
