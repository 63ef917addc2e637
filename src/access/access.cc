#include "access/access.h"

#include <fmt/format.h>

#include <map>

#include "access/change.h"
#include "base/encoding.h"
#include "base/json.h"

namespace holdfast::access {
namespace {

using base::ErrorCode;
using base::MutexLock;
using base::Result;
using base::WorkspaceId;
using nlohmann::json;

constexpr std::size_t kIdBytes = 16;        // random
constexpr std::size_t kPasswordBytes = 15;  // random, of a one-time password: 20 characters
// Of assertions that no key signed: the first of each source, then fewer and fewer.
constexpr ThrottleLimits kRefusedAssertions{.free_failures = 10, .free_source_failures = 100};

// Of one caller in a minute recorded one by one; the walk of somebody who only tries doors is longer.
constexpr RefusalTally::Limits kRefusals{.in_full = 60};
constexpr int kUnauthorized = 401;
constexpr int kForbidden = 403;

Result<std::vector<Principal>> load_principals(const store::Snapshot& view) {
  HF_TRY(const auto rows, all_principals(view));
  HF_TRY(const auto memberships, all_memberships(view));
  std::map<std::pair<WorkspaceId, PrincipalId>, std::vector<PrincipalId>> groups;
  for (const MembershipRow& row : memberships) groups[{row.workspace, row.member}].push_back(row.group);
  std::vector<Principal> principals;
  principals.reserve(rows.size());
  for (const PrincipalRow& row : rows) {
    principals.push_back({.workspace = row.workspace,
                          .id = row.id,
                          .kind = row.kind,
                          .name = row.name,
                          .enabled = row.enabled,
                          .owner = row.owner,
                          .created_at = row.created_at,
                          .groups = std::move(groups[{row.workspace, row.id}])});
  }
  return principals;
}

}  // namespace

Result<std::unique_ptr<Access>> Access::open(const AccessParts& parts, AccessOptions options) {
  if (options.issuer.empty()) {
    return base::fail(ErrorCode::kInvalidArgument,
                      "the issuer, which services sign their assertions for, "
                      "must not be empty");
  }
  const base::Secret unknown(parts.random.take(kPasswordBytes));
  HF_TRY(auto nobody, crypto::PasswordHash::create(unknown, parts.random, options.password_cost));
  std::unique_ptr<Access> access(new Access(parts, std::move(options), std::move(nobody)));
  HF_CHECK(access->reload());
  return access;
}

Access::Access(const AccessParts& parts, AccessOptions options, crypto::PasswordHash nobody)
    : parts_(parts),
      options_(std::move(options)),
      nobody_(std::move(nobody)),
      passwords_(options_.throttle),
      refused_assertions_(kRefusedAssertions),
      refusals_(kRefusals),
      gate_(options_.password_gate) {}

Access::~Access() = default;

Result<> Access::reload() {
  HF_TRY(const store::Snapshot view, parts_.database.snapshot());
  HF_TRY(const std::int64_t at, generation(view));
  HF_TRY(auto principals, load_principals(view));
  HF_TRY(const auto stored, all_policies(view));
  std::vector<WrittenPolicy> policies;
  policies.reserve(stored.size());
  for (const PolicyRow& row : stored) policies.push_back({row.workspace, row.id, row.text});
  HF_TRY(const auto live, all_tokens(view, parts_.clock.now()));
  std::unordered_map<base::Digest, TokenFacts> tokens;
  for (const TokenRow& row : live) tokens.emplace(row.digest, row.facts);
  HF_TRY(auto fresh,
         Snapshot::make(at, std::move(principals), std::move(policies), TokenTable(std::move(tokens))));
  publish(std::move(fresh));
  return {};
}

void Access::publish(std::shared_ptr<const Snapshot> fresh) {
  const MutexLock lock(mutex_);
  if (fresh->generation() < needed_) return;
  needed_ = fresh->generation();
  snapshot_ = std::move(fresh);
}

void Access::outdate(std::int64_t generation) {
  const MutexLock lock(mutex_);
  needed_ = std::max(needed_, generation);
  if (snapshot_ != nullptr && snapshot_->generation() < needed_) snapshot_ = nullptr;
}

Result<> Access::put_in_force(std::int64_t generation, const base::Digest& digest, const TokenFacts& facts) {
  {
    const MutexLock lock(mutex_);
    if (snapshot_ != nullptr && snapshot_->generation() >= generation) return {};
    if (snapshot_ != nullptr && snapshot_->generation() == generation - 1) {
      snapshot_ = snapshot_->with_token(generation, digest, facts, parts_.clock.now());
      needed_ = generation;
      return {};
    }
  }
  return reload();  // others changed something in between
}

Result<std::shared_ptr<const Snapshot>> Access::snapshot() {
  {
    const MutexLock lock(mutex_);
    if (snapshot_ != nullptr) return snapshot_;
  }
  const auto read = reload();
  const MutexLock lock(mutex_);
  if (snapshot_ != nullptr) return snapshot_;
  return base::fail(ErrorCode::kUnavailable, "what principals may do could not be read after a change" +
                                                 (read ? std::string() : ": " + read.error().message));
}

Result<bool> Access::refresh() {
  HF_TRY(const auto current, snapshot());
  HF_TRY(const std::int64_t at, [this]() -> Result<std::int64_t> {
    HF_TRY(const store::Snapshot view, parts_.database.snapshot());
    return generation(view);
  }());
  if (at == current->generation()) return false;
  HF_CHECK(reload());
  return true;
}

Result<> Access::forget_ended() {
  HF_TRY(auto change, parts_.database.begin());
  HF_CHECK(access::forget_ended(change, parts_.clock.now()));
  return change.commit();
}

Result<Caller> Access::authenticate(std::string_view bearer, std::string_view audience) {
  HF_TRY(const auto current, snapshot());
  return current->authenticate(bearer, audience, parts_.clock.now());
}

Result<Caller> Access::local_operator(const WorkspaceId& workspace) {
  HF_TRY(const auto current, snapshot());
  return current->local_operator(workspace);
}

Result<Decided> Access::decide(const Caller& caller, Action action, const Resource& resource,
                               std::string_view source) {
  HF_TRY(const auto current, snapshot());
  return current->decide(caller, action, resource, {.now = parts_.clock.now(), .source = source});
}

Result<Authorised> Access::authorise(const Caller& caller, Action action, const Resource& resource,
                                     std::string_view source) {
  return authorise(caller, action, resource, source, json::object());
}

Result<Authorised> Access::authorise(const Caller& caller, Action action, const Resource& resource,
                                     std::string_view source, const json& details) {
  HF_TRY(const Decided decided, decide(caller, action, resource, source));
  HF_TRY(const Entry entry, decided.entry(details));
  if (!decided.allowed()) {
    HF_CHECK(record_refusal(entry, kForbidden));
    return decided.authorised();
  }
  auto receipt = info(action).writes ? parts_.recorder.record(entry) : parts_.recorder.note(entry);
  if (!receipt) return base::fail(receipt.error());
  return decided.authorised(*receipt);
}

Result<Decided> Access::permit(const Caller& caller, Action action, const Resource& resource) {
  HF_TRY(Decided decided, decide(caller, action, resource));
  if (decided.allowed()) return decided;
  HF_CHECK(refuse(decided));
  return base::fail(ErrorCode::kPermissionDenied, decided.why());
}

Result<> Access::refuse(const Decided& decided) {
  HF_TRY(const Entry entry, decided.entry());
  return record_refusal(entry, kForbidden);
}

Result<> Access::refuse_bearer(const WorkspaceId& workspace, std::string_view source,
                               const base::Error& why) {
  HF_TRY(std::string details, base::canonical_json({{"source", source}, {"cause", why.message}}));
  return record_refusal({.workspace = workspace,
                         .actor = "unknown:bearer",
                         .action = "authenticate",
                         .resource = "token",
                         .decision = "deny",
                         .details = std::move(details)},
                        kUnauthorized);
}

Result<> Access::record_refusal(const Entry& entry, int status) {
  const auto verdict =
      refusals_.take(fmt::format("{}/{}", entry.workspace.value(), entry.actor), status, parts_.clock.now());
  if (verdict.ended) HF_CHECK(note(*verdict.ended));
  if (verdict.in_full) HF_CHECK(parts_.recorder.record(entry));
  return {};
}

Result<> Access::note(const RefusalTally::Counted& counted) {
  json by_status = json::object();
  for (const auto& [status, count] : counted.by_status) by_status[std::to_string(status)] = count;
  HF_TRY(std::string details, base::canonical_json({{"from", counted.from.text()},
                                                    {"until", counted.until.text()},
                                                    {"further_refusals", by_status}}));
  const auto slash = counted.principal.find('/');  // no workspace's name holds one
  HF_CHECK(parts_.recorder.note({.workspace = WorkspaceId(counted.principal.substr(0, slash)),
                                 .actor = counted.principal.substr(slash + 1),
                                 .action = "refusal.count",
                                 .resource = "decisions",
                                 .decision = "deny",
                                 .details = std::move(details)}));
  return {};
}

Result<> Access::record_counts(Counts which) {
  const auto all = which == Counts::kAll ? refusals_.take_all() : refusals_.take_ended(parts_.clock.now());
  for (const auto& counted : all) HF_CHECK(note(counted));
  return {};
}

std::string Access::make_id() const { return base::hex_encode(parts_.random.take(kIdBytes)); }

base::Secret Access::make_password() const {
  base::Secret raw(kPasswordBytes);
  parts_.random.fill(raw.writable());
  std::string text = base::base64_encode(raw.reveal(), base::Base64::kUrl);
  base::Secret password = base::Secret::copy_of(base::as_bytes(text));
  base::wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  return password;
}

Result<crypto::PasswordHash> Access::hash(const base::Secret& password) {
  HF_TRY(const auto turn, gate_.enter());
  return crypto::PasswordHash::create(password, parts_.random, options_.password_cost);
}

namespace {

template <typename Row>
void claim(std::vector<audit::RowClaim>& claims, const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    RowName name = row.row_name();
    claims.push_back({.key = std::move(name.key), .receipt = row.receipt, .row = name.digest});
  }
}

}  // namespace

Result<std::vector<audit::RowClaim>> row_claims(const store::Snapshot& view, base::Timestamp now) {
  std::vector<audit::RowClaim> claims;
  HF_TRY(const auto principals, all_principals(view));
  HF_TRY(const auto memberships, all_memberships(view));
  HF_TRY(const auto passwords, all_passwords(view));
  HF_TRY(const auto keys, all_service_keys(view));
  HF_TRY(const auto policies, all_policies(view));
  HF_TRY(const auto tokens, all_tokens(view, now));
  claim(claims, principals);
  claim(claims, memberships);
  claim(claims, passwords);
  claim(claims, keys);
  claim(claims, policies);
  claim(claims, tokens);
  return claims;
}

}  // namespace holdfast::access
