#include "access/tokens.h"

#include <fmt/format.h>

#include <algorithm>

#include "access/principal.h"
#include "base/encoding.h"
#include "crypto/sha256.h"

namespace holdfast::access {
namespace {

using base::Digest;
using base::ErrorCode;
using base::Result;

constexpr std::string_view kEndpointPrefix = "endpoint:";
constexpr std::size_t kTokenTextBytes = kTokenPrefix.size() + (kTokenBytes * 8 + 5) / 6;

std::size_t part_of(const Digest& digest) { return digest.bytes()[0]; }

}  // namespace

std::string endpoint_audience(std::string_view endpoint) {
  return fmt::format("{}{}", kEndpointPrefix, endpoint);
}

Result<> check_audience(std::string_view audience) {
  if (audience == kApiAudience) return {};
  const bool printable =
      std::all_of(audience.begin(), audience.end(), [](char c) { return c > ' ' && c < '\x7F'; });
  if (audience.starts_with(kEndpointPrefix) && audience.size() > kEndpointPrefix.size() &&
      audience.size() <= kMaxAudienceBytes && printable) {
    return {};
  }
  return base::fail(ErrorCode::kInvalidArgument,
                    "a token's audience is \"api\", or \"endpoint:\" and the name of an endpoint");
}

base::Secret make_token(base::RandomSource& random) {
  base::Secret raw(kTokenBytes);
  random.fill(raw.writable());
  std::string random_part = base::base64_encode(raw.reveal(), base::Base64::kUrl);
  base::Secret token(kTokenTextBytes);
  const auto rest = std::copy(kTokenPrefix.begin(), kTokenPrefix.end(), token.writable().begin());
  std::copy(random_part.begin(), random_part.end(), rest);
  base::wipe({reinterpret_cast<std::uint8_t*>(random_part.data()), random_part.size()});
  return token;
}

Result<Digest> token_digest(std::string_view bearer) {
  if (bearer.size() != kTokenTextBytes || !bearer.starts_with(kTokenPrefix)) {
    return base::fail(
        ErrorCode::kUnauthenticated,
        "this is no access token of Holdfast; sign in to get one, and send it as a bearer token");
  }
  return crypto::sha256(base::as_bytes(bearer));
}

TokenTable::TokenTable(std::unordered_map<Digest, TokenFacts> tokens) {
  std::array<Part, kParts> split;
  for (auto& [digest, facts] : tokens) split[part_of(digest)].emplace(digest, std::move(facts));
  for (std::size_t i = 0; i < kParts; ++i) {
    if (!split[i].empty()) parts_[i] = std::make_shared<const Part>(std::move(split[i]));
  }
}

const TokenFacts* TokenTable::find(const Digest& digest) const {
  const auto& part = parts_[part_of(digest)];
  if (part == nullptr) return nullptr;
  const auto found = part->find(digest);
  return found == part->end() ? nullptr : &found->second;
}

TokenTable TokenTable::with(const Digest& digest, TokenFacts facts, base::Timestamp now) const {
  TokenTable table = *this;
  auto& place = table.parts_[part_of(digest)];
  Part part = place == nullptr ? Part() : *place;
  std::erase_if(part, [now](const auto& known) { return known.second.expires <= now; });
  part.insert_or_assign(digest, std::move(facts));
  place = std::make_shared<const Part>(std::move(part));
  return table;
}

std::size_t TokenTable::size() const {
  std::size_t count = 0;
  for (const auto& part : parts_) count += part == nullptr ? 0 : part->size();
  return count;
}

}  // namespace holdfast::access
