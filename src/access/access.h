#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "access/decision.h"
#include "access/password_gate.h"
#include "access/recorder.h"
#include "access/refusal_tally.h"
#include "access/snapshot.h"
#include "access/throttle.h"
#include "access/tokens.h"
#include "audit/row_history.h"
#include "base/mutex.h"
#include "base/random.h"
#include "base/secret.h"
#include "crypto/password.h"
#include "crypto/sign.h"
#include "store/database.h"

// Identity and decisions: who calls, and what they may do. Every change is decided, recorded and made in one
// transaction, and is in force when the call returns. Thread-safe; calls that change something or check a
// password block, so they belong on a bounded pool. The request path uses snapshot() and runs no SQL.

namespace holdfast::access {

// The tables of this module, for Database::open.
store::ModuleMigrations access_migrations();
// Every row that carries a record and has not ended by now, for audit::RowHistory. Rows whose key begins with
// kEndingRows end without a record: that they would was recorded when they were made.
base::Result<std::vector<audit::RowClaim>> row_claims(const store::Snapshot& view, base::Timestamp now);
inline constexpr std::string_view kEndingRows = "access_tokens/";

struct AccessOptions {
  std::string issuer;  // our own name, which a service's assertion has as its only audience
  crypto::Argon2Cost password_cost = {};
  PasswordGateLimits password_gate = {};
  ThrottleLimits throttle = {};
  std::chrono::seconds person_token_life = std::chrono::hours(1);
  std::chrono::seconds service_token_life = std::chrono::minutes(15);
  std::chrono::seconds one_time_life = std::chrono::hours(24);  // of a one-time password
};

// Where things come from; the caller keeps them alive.
struct AccessParts {
  store::Database& database;
  Recorder& recorder;
  const base::Clock& clock;
  base::RandomSource& random;  // thread-safe
};

// A password that works once and for a while, to set another. Shown to a person, never kept in clear.
struct OneTimePassword {
  PrincipalId principal;
  std::string name;
  base::Secret password;
  base::Timestamp expires;
};

struct IssuedToken {
  base::Secret token;
  TokenId id;
  PrincipalId principal;
  base::Timestamp expires;
};

struct PasswordSignIn {
  base::WorkspaceId workspace;
  std::string_view name;
  const base::Secret& password;
  std::string_view source;  // the address it came from; of an IPv6 address its /64
  std::string_view audience = kApiAudience;
};

struct AssertionSignIn {
  base::WorkspaceId workspace;
  std::string_view assertion;  // a JWT (RFC 7523, section 3)
  std::string_view source;
  std::string_view audience;
};

struct NewService {
  std::string_view name;
  std::optional<PrincipalId> owner = std::nullopt;  // a person of the same workspace
};

class Access {
 public:
  // kDataCorrupt where what is stored can't be decided by.
  static base::Result<std::unique_ptr<Access>> open(const AccessParts& parts, AccessOptions options);
  Access(const Access&) = delete;
  Access& operator=(const Access&) = delete;
  ~Access();

  // --- deciding ---

  // What is in force. kUnavailable where it could not be read after a change: better none than an old one.
  [[nodiscard]] base::Result<std::shared_ptr<const Snapshot>> snapshot();
  // Takes over what another process changed; true if there was something.
  base::Result<bool> refresh();
  // Drops from the tables a bounded number of tokens and assertions that have ended: they give nothing to
  // anybody any more, and the log keeps what they were. For work that is done from time to time.
  base::Result<> forget_ended();

  base::Result<Caller> authenticate(std::string_view bearer, std::string_view audience);
  // The caller answers for it that the peer is this process's own user. Every decision it takes is recorded
  // under its name.
  base::Result<Caller> local_operator(const base::WorkspaceId& workspace);

  // Recorded before the answer: durably if the action writes, else as a note; of a denial see refuse().
  // kPermissionDenied with the reason.
  base::Result<Authorised> authorise(const Caller& caller, Action action, const Resource& resource,
                                     std::string_view source = {});
  base::Result<Authorised> authorise(const Caller& caller, Action action, const Resource& resource,
                                     std::string_view source, const nlohmann::json& details);
  // The decision alone: the caller records Decided::entry(), or calls refuse(), before it answers.
  base::Result<Decided> decide(const Caller& caller, Action action, const Resource& resource,
                               std::string_view source = {});
  // Records a denial durably; from some number in a minute on, the further ones of the same caller are
  // counted, so that nobody fills the log by asking for what they don't get.
  base::Result<> refuse(const Decided& decided);
  // The same of a bearer token that nobody holds: a sign of one that was stolen, or guessed.
  base::Result<> refuse_bearer(const base::WorkspaceId& workspace, std::string_view source,
                               const base::Error& why);
  // Records what was only counted: of those minutes that have ended, or of all.
  enum class Counts { kEnded, kAll };
  base::Result<> record_counts(Counts which);

  // --- signing in ---

  // The same answer, after the same work, for an unknown name, a wrong password and a disabled person
  // (kUnauthenticated); kLimitExceeded where this source has to wait; kPermissionDenied for a one-time
  // password, which change_password() takes.
  base::Result<IssuedToken> sign_in(const PasswordSignIn& request);
  base::Result<IssuedToken> sign_in(const AssertionSignIn& request);
  // Errors as sign_in; kInvalidArgument for a new password that is too weak; kPermissionDenied for a one-time
  // password that has expired. Ends all tokens of the person.
  base::Result<> change_password(const PasswordSignIn& current, const base::Secret& password);
  // The caller's own token.
  base::Result<> sign_out(const Caller& caller);

  // --- administering: each is an action that is decided, see actions.h ---

  // In an empty workspace: its groups, the local operator and one administrator. kAlreadyExists afterwards.
  base::Result<OneTimePassword> bootstrap(const base::WorkspaceId& workspace,
                                          std::string_view administrator_name);

  base::Result<OneTimePassword> create_person(const Caller& caller, std::string_view name);
  base::Result<PrincipalId> create_service(const Caller& caller, const NewService& service);
  base::Result<PrincipalId> create_group(const Caller& caller, std::string_view name);
  // Its tokens end with it. kConflict for the local operator, and for the last other administrator, whom the
  // local operator alone may shut out, since it stays: so does remove_member() of that group.
  base::Result<> set_enabled(const Caller& caller, const PrincipalId& id, bool enabled);
  base::Result<> add_member(const Caller& caller, const PrincipalId& group, const PrincipalId& member);
  base::Result<> remove_member(const Caller& caller, const PrincipalId& group, const PrincipalId& member);
  base::Result<std::vector<Principal>> list_principals(const Caller& caller);

  base::Result<OneTimePassword> reset_password(const Caller& caller, const PrincipalId& person);
  // A service's public key: Ed25519 or ECDSA P-256. The algorithm of its assertions is the key's. Up to
  // kMaxServiceKeys, so that one can follow another. Gives the key's id, which an assertion may name as kid.
  base::Result<std::string> add_service_key(const Caller& caller, const PrincipalId& service,
                                            const crypto::PublicKey& key);
  base::Result<> remove_service_key(const Caller& caller, const PrincipalId& service,
                                    std::string_view key_id);
  // The live tokens of a principal, and the ids of a service's keys.
  base::Result<std::vector<TokenFacts>> list_tokens(const Caller& caller, const PrincipalId& principal);
  base::Result<std::vector<std::string>> list_service_keys(const Caller& caller, const PrincipalId& service);
  base::Result<> revoke_token(const Caller& caller, const TokenId& token);
  base::Result<> revoke_tokens(const Caller& caller, const PrincipalId& principal);

  // --- policies ---

  // One Cedar policy, checked against the schema, in place of the one written under this id before.
  // kInvalidArgument says the line and what is wrong; an id is 1 to 128 of the characters of a principal's
  // name.
  base::Result<> write_policy(const Caller& caller, std::string_view id, std::string_view text);
  base::Result<> remove_policy(const Caller& caller, std::string_view id);
  base::Result<std::vector<WrittenPolicy>> list_policies(const Caller& caller);
  // Permits the principal (or, of a group, its members) the action on the resource; gives the policy's id,
  // which revoke_grant() takes; that of the grant that says the same, where there is one.
  base::Result<std::string> grant(const Caller& caller, const PrincipalId& principal, Action action,
                                  const Resource& resource);
  base::Result<> revoke_grant(const Caller& caller, std::string_view policy_id);

 private:
  class Change;
  struct Checked;
  struct Attempted;
  struct FirstPassword {
    crypto::PasswordHash hash;
    base::Timestamp expires;
  };
  Access(const AccessParts& parts, AccessOptions options, crypto::PasswordHash nobody);

  base::Result<> reload();
  void publish(std::shared_ptr<const Snapshot> fresh) HF_EXCLUDES(mutex_);
  // No snapshot from before this generation is in force any more.
  void outdate(std::int64_t generation) HF_EXCLUDES(mutex_);
  base::Result<> put_in_force(std::int64_t generation, const base::Digest& digest, const TokenFacts& facts);

  // decide(), with a denial recorded and returned as the error.
  base::Result<Decided> permit(const Caller& caller, Action action, const Resource& resource);
  base::Result<Receipt> record(const Attempted& attempt, bool allowed, const nlohmann::json& details);
  base::Result<> record_refusal(const Entry& entry, int status);
  base::Result<> note(const RefusalTally::Counted& counted);
  base::Result<Checked> check_password(const PasswordSignIn& request, std::string_view action);
  base::Result<> refuse_expired(const Checked& checked);
  base::Result<> refuse_assertion(const AssertionSignIn& request, const base::Error& why);
  base::Result<IssuedToken> issue(Change& change, const Attempted& attempt, std::string_view audience,
                                  std::chrono::seconds life);
  base::Result<crypto::PasswordHash> hash(const base::Secret& password);
  [[nodiscard]] base::Secret make_password() const;
  [[nodiscard]] std::string make_id() const;
  // To be asked within a change. kConflict where nobody but the local operator would be left.
  base::Result<> keep_an_administrator(const Caller& caller, const PrincipalId& without);
  base::Result<> make_principal(const Caller& caller, const PrincipalId& id, Kind kind, std::string_view name,
                                const std::optional<PrincipalId>& owner,
                                const std::optional<FirstPassword>& password);
  base::Result<> add_policy(const Decided& decided, const Caller& caller, std::string_view id, bool grant,
                            std::string_view text);
  base::Result<> drop_policy(const Decided& decided, const Caller& caller, std::string_view id, bool grant);

  AccessParts parts_;
  AccessOptions options_;
  crypto::PasswordHash nobody_;  // checked where there is no person, for the same time
  Throttle passwords_;
  Throttle refused_assertions_;  // bounds their records, not the services
  RefusalTally refusals_;
  PasswordGate gate_;
  base::Mutex mutex_;
  std::shared_ptr<const Snapshot> snapshot_ HF_GUARDED_BY(mutex_);  // null: could not be read
  std::int64_t needed_ HF_GUARDED_BY(mutex_) = 0;                   // the generation that it must have
};

}  // namespace holdfast::access
