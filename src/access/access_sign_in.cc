#include <fmt/format.h>

#include <algorithm>

#include "access/access.h"
#include "access/assertion.h"
#include "access/change.h"
#include "access/vocabulary.h"
#include "base/json.h"
#include "crypto/sha256.h"

namespace holdfast::access {
namespace {

using base::ErrorCode;
using base::Result;
using base::WorkspaceId;
using nlohmann::json;

constexpr std::size_t kMaxSourceBytes = 64;
constexpr std::size_t kMinPasswordBytes = 12;
constexpr std::string_view kSignIn = "signIn";
constexpr std::string_view kChangePassword = "changePassword";

// What each refused person is told, whatever the reason: the log has the reason.
tl::unexpected<base::Error> refuse_person() {
  return base::fail(ErrorCode::kUnauthenticated, "the name or the password is wrong");
}

Result<> check_source(std::string_view source) {
  const bool printable =
      std::all_of(source.begin(), source.end(), [](char c) { return c > ' ' && c < '\x7F'; });
  if (!source.empty() && source.size() <= kMaxSourceBytes && printable) return {};
  return base::fail(ErrorCode::kInvalidArgument, "a sign-in must say which address it comes from");
}

Result<> check_request(const PasswordSignIn& request) {
  HF_CHECK(check_workspace_name(request.workspace));
  HF_CHECK(check_principal_name(request.name));
  HF_CHECK(check_source(request.source));
  HF_CHECK(check_audience(request.audience));
  if (request.password.size() <= crypto::kMaxPasswordBytes) return {};
  return base::fail(ErrorCode::kInvalidArgument,
                    fmt::format("a password has at most {} bytes", crypto::kMaxPasswordBytes));
}

// Length is what counts (NIST SP 800-63B, section 5.1.1); no rules about kinds of characters.
Result<> check_strength(const base::Secret& password, std::string_view name) {
  const std::string_view text = password.reveal_text();
  const auto weak = [](std::string why) { return base::fail(ErrorCode::kInvalidArgument, std::move(why)); };
  if (text.size() < kMinPasswordBytes || text.size() > crypto::kMaxPasswordBytes) {
    return weak(fmt::format("a password has {} to {} bytes; a few words in a row are easy to remember",
                            kMinPasswordBytes, crypto::kMaxPasswordBytes));
  }
  if (text.find_first_not_of(text.front()) == std::string_view::npos) {
    return weak("a password must not be one character over and over");
  }
  if (text == name) return weak("a password must not be the name");
  return {};
}

std::string actor_of(const WorkspaceId& workspace, Kind kind, const PrincipalId& id) {
  return principal_entity(workspace, kind, id).text();
}

std::string_view cause_of(bool is_known, bool has_password, bool is_right, bool is_enabled) {
  if (!is_known) return "there is no such person";
  if (!has_password) return "the person has no password";
  if (!is_right) return "the password is wrong";
  return is_enabled ? "" : "the person is disabled";
}

}  // namespace

Result<Receipt> Access::record(const Attempted& attempt, bool allowed, const json& details) {
  Entry entry = attempt.entry(allowed);
  HF_TRY(entry.details, base::canonical_json(details));
  return parts_.recorder.record(entry);
}

Result<Access::Checked> Access::check_password(const PasswordSignIn& request, std::string_view action) {
  HF_CHECK(check_request(request));
  HF_TRY(Throttle::Attempt admitted,
         passwords_.admit(fmt::format("{}/{}", request.workspace.value(), request.name), request.source,
                          parts_.clock.now()));
  std::optional<PrincipalRow> person;
  std::optional<PasswordRow> stored;
  {
    HF_TRY(const store::Snapshot view, parts_.database.snapshot());
    HF_TRY(person, find_principal(view, request.workspace, Kind::kPerson, request.name));
    if (person) {
      HF_TRY(stored, find_password(view, request.workspace, person->id));
    }
  }
  crypto::PasswordHash expected = nobody_;
  if (stored) {
    HF_TRY(expected, crypto::PasswordHash::parse(stored->hash));
  }
  bool is_right = false;
  {
    HF_TRY(const auto turn, gate_.enter());
    HF_TRY(is_right, expected.matches(request.password));
  }
  Attempted attempt{.workspace = request.workspace,
                    .actor = person ? actor_of(request.workspace, Kind::kPerson, person->id)
                                    : fmt::format("unknown:{}", request.name),
                    .action = std::string(action),
                    .name = std::string(request.name),
                    .source = std::string(request.source),
                    .principal = person ? person->id : PrincipalId()};
  const std::string_view cause =
      cause_of(person.has_value(), stored.has_value(), is_right, person && person->enabled);
  if (cause.empty()) {
    admitted.succeeded();
    return Checked{*std::move(person), *std::move(stored), std::move(attempt)};
  }
  admitted.failed(parts_.clock.now());
  json details = attempt.details();
  details["cause"] = cause;
  details["refused_before"] = admitted.refused_before();
  HF_CHECK(record(attempt, false, details));
  return refuse_person();
}

Result<IssuedToken> Access::issue(Change& change, const Attempted& attempt, std::string_view audience,
                                  std::chrono::seconds life) {
  const base::Timestamp now = parts_.clock.now();
  HF_TRY(const std::int64_t live, count_tokens(change.view(), attempt.workspace, attempt.principal, now));
  if (live >= kMaxTokensOfPrincipal) {
    return base::fail(ErrorCode::kLimitExceeded,
                      fmt::format("{} holds {} live tokens already; use one until it expires, or sign out",
                                  attempt.name, live));
  }
  base::Secret token = make_token(parts_.random);
  TokenRow row{.facts = {.workspace = attempt.workspace,
                         .principal = attempt.principal,
                         .id = TokenId(make_id()),
                         .audience = std::string(audience),
                         .expires = now + life},
               .digest = crypto::sha256(token.reveal())};
  change.makes(row.row_name());
  HF_TRY(row.receipt, change.record(attempt, {{"audience", audience}, {"token", row.facts.id.value()}}));
  HF_CHECK(access::forget_ended(change.rows(), now));
  HF_CHECK(insert(change.rows(), row));
  HF_CHECK(change.commit(row));
  return IssuedToken{.token = std::move(token),
                     .id = row.facts.id,
                     .principal = row.facts.principal,
                     .expires = row.facts.expires};
}

Result<IssuedToken> Access::sign_in(const PasswordSignIn& request) {
  HF_TRY(const Checked checked, check_password(request, kSignIn));
  if (checked.password.one_time) {
    json details = checked.attempt.details();
    details["cause"] = "the password works once, to set another";
    HF_CHECK(record(checked.attempt, false, details));
    return base::fail(ErrorCode::kPermissionDenied,
                      "this password works once, to set another: change it, then sign in with the new one");
  }
  HF_TRY(Change change, Change::begin(*this));
  HF_TRY(const auto person, find_principal(change.view(), request.workspace, checked.person.id));
  HF_TRY(const auto stored, find_password(change.view(), request.workspace, checked.person.id));
  if (!person || !person->enabled || !stored || stored->hash != checked.password.hash) return refuse_person();
  return issue(change, checked.attempt, request.audience, options_.person_token_life);
}

Result<> Access::refuse_expired(const Checked& checked) {
  const auto& expires = checked.password.expires;
  if (!expires || parts_.clock.now() < *expires) return {};
  json details = checked.attempt.details();
  details["cause"] = "the one-time password has expired";
  HF_CHECK(record(checked.attempt, false, details));
  return base::fail(ErrorCode::kPermissionDenied,
                    fmt::format("this one-time password expired at {}; an administrator, or whoever runs the "
                                "server, makes another with `holdfast person reset {}`",
                                expires->text(), checked.attempt.name));
}

Result<> Access::change_password(const PasswordSignIn& current, const base::Secret& password) {
  HF_CHECK(check_strength(password, current.name));
  HF_TRY(const Checked checked, check_password(current, kChangePassword));
  HF_CHECK(refuse_expired(checked));
  if (base::constant_time_equal(password.reveal(), current.password.reveal())) {
    return base::fail(ErrorCode::kInvalidArgument, "the new password is the old one");
  }
  HF_TRY(const auto hashed, hash(password));
  HF_TRY(Change change, Change::begin(*this));
  HF_TRY(const auto stored, find_password(change.view(), current.workspace, checked.person.id));
  if (!stored || stored->hash != checked.password.hash) return refuse_person();
  PasswordRow row{.workspace = current.workspace, .principal = checked.person.id, .hash = hashed.text()};
  change.makes(row.row_name());
  change.ends_tokens(current.workspace, checked.person.id);
  HF_TRY(row.receipt, change.record(checked.attempt));
  HF_CHECK(replace(change.rows(), row));
  HF_CHECK(erase_tokens(change.rows(), current.workspace, checked.person.id));
  return change.commit(current.workspace, "credential", checked.person.id.value());
}

Result<> Access::refuse_assertion(const AssertionSignIn& request, const base::Error& why) {
  const base::Timestamp now = parts_.clock.now();
  auto admitted = refused_assertions_.admit("", request.source, now);
  if (!admitted) return base::fail(ErrorCode::kUnauthenticated, why.message);  // counted for the next record
  admitted->failed(now);
  const Attempted attempt{.workspace = request.workspace,
                          .actor = "unknown:assertion",
                          .action = std::string(kSignIn),
                          .name = "assertion",
                          .source = std::string(request.source),
                          .principal = {}};
  json details = attempt.details();
  details["cause"] = why.message;
  details["refused_before"] = admitted->refused_before();
  HF_CHECK(record(attempt, false, details));
  return base::fail(ErrorCode::kUnauthenticated, why.message);
}

namespace {

struct ProvenService {
  PrincipalRow service;
  std::vector<ServiceKeyRow> keys;
};

Result<ProvenService> prove(const store::Snapshot& view, const WorkspaceId& workspace, const Jwt& token,
                            std::string_view issuer, base::Timestamp now) {
  HF_TRY(const auto found, find_principal(view, workspace, PrincipalId(token.subject)));
  ProvenService proven;
  std::vector<ServiceKey> keys;
  if (found && found->kind == Kind::kService) {
    proven.service = *found;
    HF_TRY(proven.keys, service_keys(view, workspace, found->id));
    for (const ServiceKeyRow& row : proven.keys) {
      HF_TRY(const auto key, crypto::PublicKey::from_der(row.public_key));
      keys.push_back({.id = row.key_id, .key = key});
    }
  }
  HF_CHECK(check_assertion(token, token.subject, issuer, keys, now));
  if (!proven.service.enabled) {
    return base::fail(ErrorCode::kUnauthenticated, "the assertion is refused: the service is disabled");
  }
  return proven;
}

bool same_keys(const std::vector<ServiceKeyRow>& a, const std::vector<ServiceKeyRow>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const ServiceKeyRow& x, const ServiceKeyRow& y) { return x.key_id == y.key_id; });
}

}  // namespace

Result<IssuedToken> Access::sign_in(const AssertionSignIn& request) {
  HF_CHECK(check_workspace_name(request.workspace));
  HF_CHECK(check_source(request.source));
  HF_CHECK(check_audience(request.audience));
  const auto refuse = [&](const base::Error& why) -> tl::unexpected<base::Error> {
    auto recorded = refuse_assertion(request, why);
    return base::fail(recorded ? why : std::move(recorded).error());
  };
  const auto token = parse_jwt(request.assertion);
  if (!token) return refuse(token.error());
  const base::Timestamp now = parts_.clock.now();
  Result<ProvenService> proven = [&]() -> Result<ProvenService> {
    HF_TRY(const store::Snapshot view, parts_.database.snapshot());
    return prove(view, request.workspace, *token, options_.issuer, now);
  }();
  if (!proven)
    return proven.error().code == ErrorCode::kUnauthenticated ? refuse(proven.error())
                                                              : base::fail(std::move(proven).error());

  HF_TRY(Change change, Change::begin(*this));
  const PrincipalId id = proven->service.id;
  HF_TRY(const auto service, find_principal(change.view(), request.workspace, id));
  HF_TRY(const auto keys, service_keys(change.view(), request.workspace, id));
  if (!service || !service->enabled || !same_keys(keys, proven->keys)) {
    return base::fail(ErrorCode::kConflict, "the service was changed meanwhile; sign in again");
  }
  const auto expires = base::Timestamp::from_microseconds(token->expires * 1'000'000);
  if (const auto used = use_assertion(change.rows(), request.workspace, id,
                                      crypto::sha256(base::as_bytes(token->id)), expires, now);
      !used) {
    return used.error().code == ErrorCode::kAlreadyExists
               ? refuse({ErrorCode::kUnauthenticated, used.error().message})
               : base::fail(used.error());
  }
  const Attempted attempt{.workspace = request.workspace,
                          .actor = actor_of(request.workspace, Kind::kService, id),
                          .action = std::string(kSignIn),
                          .name = service->name,
                          .source = std::string(request.source),
                          .principal = id};
  return issue(change, attempt, request.audience, options_.service_token_life);
}

Result<> Access::sign_out(const Caller& caller) {
  if (caller.is_local_operator()) {
    return base::fail(ErrorCode::kInvalidArgument, "the local operator holds no token to sign out of");
  }
  HF_TRY(Change change, Change::begin(*this));
  HF_TRY(const auto held, tokens_of(change.view(), caller.workspace(), caller.id()));
  const auto own = std::find_if(held.begin(), held.end(),
                                [&caller](const TokenRow& row) { return row.digest == *caller.token_; });
  if (own == held.end()) return {};  // ended already
  change.removes(own->row_name());
  HF_CHECK(change.record({.workspace = caller.workspace(),
                          .actor = caller.text(),
                          .action = "signOut",
                          .name = caller.name(),
                          .source = {},
                          .principal = caller.id()}));
  HF_CHECK(erase(change.rows(), *own));
  return change.commit(caller.workspace(), "token", own->facts.id.value());
}

}  // namespace holdfast::access
