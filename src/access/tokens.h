#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "access/principal.h"
#include "base/digest.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"

// Access tokens: 256 random bits, "hft_" and 43 characters of base64url. Opaque rather than signed: what a
// token is good for is looked up in the snapshot at each use, so that taking it back works at once, without a
// list of what was taken back; there is no algorithm to confuse and no key to steal. Only the SHA-256 of a
// token is kept: from 256 random bits nothing is guessed, so a slow or keyed hash would add nothing, and the
// look-up by digest tells a timing attacker nothing of any token.

namespace holdfast::access {

using TokenId = base::Strong<struct TokenIdTag, std::string>;  // names a token without being one

inline constexpr std::string_view kTokenPrefix = "hft_";  // so that scanners for leaked secrets know it
inline constexpr std::size_t kTokenBytes = 32;
inline constexpr std::size_t kMaxAudienceBytes = 200;
inline constexpr std::int64_t kMaxTokensOfPrincipal = 1'000;  // live at once
inline constexpr std::string_view kApiAudience = "api";

// "endpoint:<name>".
std::string endpoint_audience(std::string_view endpoint);
// "api", or "endpoint:" and a name; kInvalidArgument otherwise.
base::Result<> check_audience(std::string_view audience);

base::Secret make_token(base::RandomSource& random);
// The digest under which a token is known. kUnauthenticated for what can't be one.
base::Result<base::Digest> token_digest(std::string_view bearer);

struct TokenFacts {
  base::WorkspaceId workspace;
  PrincipalId principal;
  TokenId id;
  std::string audience;
  base::Timestamp expires;
};

// Tokens by digest. Immutable; a table with one more shares all but one part in kParts with this one.
class TokenTable {
 public:
  TokenTable() = default;
  explicit TokenTable(std::unordered_map<base::Digest, TokenFacts> tokens);

  [[nodiscard]] const TokenFacts* find(const base::Digest& digest) const;  // null when it is not known
  // Drops what has expired by `now` from the part that changes.
  [[nodiscard]] TokenTable with(const base::Digest& digest, TokenFacts facts, base::Timestamp now) const;
  [[nodiscard]] std::size_t size() const;

 private:
  static constexpr std::size_t kParts = 256;
  using Part = std::unordered_map<base::Digest, TokenFacts>;
  std::array<std::shared_ptr<const Part>, kParts> parts_;  // shared between tables; null where empty
};

}  // namespace holdfast::access
