#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "access/decision.h"
#include "access/mandate.h"
#include "access/tokens.h"
#include "policy/authorizer.h"
#include "policy/entity.h"

namespace holdfast::access {

// A policy of a workspace beside those that come with Holdfast.
struct WrittenPolicy {
  base::WorkspaceId workspace;
  std::string id;
  std::string text;
};

// How a request came.
struct Circumstances {
  base::Timestamp now;
  std::string_view source = {};  // the address it came from, where there is one: "10.0.0.7"
};

// Principals with their groups, policies and tokens as they were at one moment. Immutable and swapped whole:
// hold one for a request, ask for a new one for the next. Runs no SQL.
class Snapshot {
 public:
  // Who holds the token. kUnauthenticated for an unknown, expired or revoked token, one that is for another
  // audience, and one of a principal that is disabled.
  [[nodiscard]] base::Result<Caller> authenticate(std::string_view bearer, std::string_view audience,
                                                  base::Timestamp now) const;
  // Whoever speaks over the server's own Unix socket as the server's own user. kNotFound before bootstrap.
  [[nodiscard]] base::Result<Caller> local_operator(const base::WorkspaceId& workspace) const;
  // Whoever left the mandate, for work that is done for them now. It holds no right by that: what the mandate
  // is for is decided again. kPermissionDenied once it has expired, or who left it is gone.
  [[nodiscard]] base::Result<Caller> caller_by(const Mandate& mandate, base::Timestamp now) const;

  // Deny by default; a forbid beats every permit; for an action that writes, any error in a policy denies.
  // Denied too: a caller whose token has ended or who was disabled meanwhile, and another workspace's
  // resource. The local operator's writePolicy is decided by the policies that come with Holdfast alone, so
  // that a written policy can always be taken back.
  [[nodiscard]] Decided decide(const Caller& caller, Action action, const Resource& resource,
                               const Circumstances& circumstances) const;

  [[nodiscard]] const Principal* find(const base::WorkspaceId& workspace, const PrincipalId& id) const;
  [[nodiscard]] const Principal* find(const base::WorkspaceId& workspace, Kind kind,
                                      std::string_view name) const;
  // In order of kind and name.
  [[nodiscard]] std::vector<const Principal*> principals(const base::WorkspaceId& workspace) const;
  [[nodiscard]] std::int64_t generation() const { return generation_; }

 private:
  friend class Access;  // which alone makes them: whoever could, could make callers and proofs too
  // kDataCorrupt where a policy does not parse or validate any more, or a membership names nobody.
  static base::Result<std::shared_ptr<const Snapshot>> make(std::int64_t generation,
                                                            std::vector<Principal> principals,
                                                            std::vector<WrittenPolicy> policies,
                                                            TokenTable tokens);
  // This one with one more token.
  [[nodiscard]] std::shared_ptr<const Snapshot> with_token(std::int64_t generation,
                                                           const base::Digest& digest, TokenFacts facts,
                                                           base::Timestamp now) const;

  struct Known;
  struct Space;
  struct Directory;
  Snapshot(std::int64_t generation, std::shared_ptr<const Directory> directory, TokenTable tokens)
      : generation_(generation), directory_(std::move(directory)), tokens_(std::move(tokens)) {}
  [[nodiscard]] const Known* known(const base::WorkspaceId& workspace, const PrincipalId& id) const;
  [[nodiscard]] static Caller caller_of(const Principal& principal);
  // Why no policy need be asked; empty where they decide.
  [[nodiscard]] std::string refusal(const Caller& caller, Action action, const Resource& resource,
                                    base::Timestamp now) const;

  std::int64_t generation_;
  std::shared_ptr<const Directory> directory_;  // shared with the snapshots that differ in tokens alone
  TokenTable tokens_;
};

}  // namespace holdfast::access
