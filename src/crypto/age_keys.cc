#include "crypto/age_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/file.h"
#include "base/secret_file.h"
#include "crypto/bech32.h"

namespace holdfast::crypto {

using base::ErrorCode;
using base::fail;
using base::Result;
using base::Secret;

namespace {

constexpr std::string_view kRecipientPrefix = "age";
constexpr std::string_view kIdentityPrefix = "AGE-SECRET-KEY-";
constexpr std::string_view kIdentityPrefixLower = "age-secret-key-";

tl::unexpected<base::Error> unsupported(std::string_view what) {
  return fail(ErrorCode::kUnsupported,
              fmt::format("{} is not supported here: use an X25519 key, as `age-keygen` makes it", what));
}

// Why a text that is no X25519 key might still be one of age's.
tl::unexpected<base::Error> explain_recipient(std::string_view prefix) {
  if (prefix == "age1pq") return unsupported("a post-quantum recipient (age1pq1...)");
  if (prefix.starts_with("age1")) return unsupported("a recipient of an age plugin (age1<plugin>1...)");
  if (prefix == kIdentityPrefix) {
    return fail(ErrorCode::kInvalidArgument,
                "this is a private key (AGE-SECRET-KEY-1...), where its public key (age1...) is asked for");
  }
  return fail(ErrorCode::kInvalidArgument, "a recipient must begin with age1");
}

tl::unexpected<base::Error> explain_identity(std::string_view prefix) {
  if (prefix == "AGE-SECRET-KEY-PQ-") return unsupported("a post-quantum identity (AGE-SECRET-KEY-PQ-1...)");
  if (prefix.starts_with("AGE-PLUGIN-")) return unsupported("an identity of an age plugin (AGE-PLUGIN-...)");
  if (prefix == kRecipientPrefix) {
    return fail(ErrorCode::kInvalidArgument,
                "this is a public key (age1...), where the private key (AGE-SECRET-KEY-1...) is asked for");
  }
  return fail(ErrorCode::kInvalidArgument, "an identity must begin with AGE-SECRET-KEY-1, in upper case");
}

}  // namespace

Result<AgeRecipient> AgeRecipient::parse(std::string_view text) {
  if (text.starts_with("ssh-") || text.starts_with("ecdsa-")) return unsupported("an SSH public key");
  HF_TRY(const Bech32 decoded, bech32_decode(text));
  if (decoded.prefix != kRecipientPrefix) return explain_recipient(decoded.prefix);
  X25519Public point{};
  if (decoded.data.size() != point.size()) {
    return fail(ErrorCode::kInvalidArgument, "a recipient (age1...) must be of 32 bytes");
  }
  std::ranges::copy(decoded.data.reveal(), point.begin());
  return AgeRecipient(point);
}

std::string AgeRecipient::text() const { return bech32_encode(kRecipientPrefix, point_); }

AgeIdentity AgeIdentity::generate(base::RandomSource& random) {
  return AgeIdentity(X25519Private::generate(random));
}

Result<AgeIdentity> AgeIdentity::parse(std::string_view text) {
  if (text.starts_with("-----BEGIN AGE ENCRYPTED FILE") || text.starts_with("age-encryption.org/")) {
    return fail(ErrorCode::kUnsupported, "the identity file is itself sealed: unseal it first");
  }
  if (text.starts_with("-----BEGIN")) return unsupported("an SSH or PEM private key");
  HF_TRY(const Bech32 decoded, bech32_decode(text));
  if (decoded.prefix != kIdentityPrefix) return explain_identity(decoded.prefix);
  auto key = X25519Private::create(decoded.data);
  if (!key) return fail(ErrorCode::kInvalidArgument, "an identity (AGE-SECRET-KEY-1...) must be of 32 bytes");
  return AgeIdentity(*std::move(key));
}

Secret AgeIdentity::text() const {
  std::string text = bech32_encode(kIdentityPrefixLower, key_.scalar().reveal());
  Secret upper(text.size());
  std::ranges::transform(text, upper.writable().begin(),
                         [](unsigned char c) { return static_cast<std::uint8_t>(std::toupper(c)); });
  base::wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  return upper;
}

Result<std::vector<AgeIdentity>> parse_age_identities(std::string_view text) {
  std::vector<AgeIdentity> identities;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    if (identities.size() == kMaxAgeIdentities) {
      return fail(ErrorCode::kLimitExceeded,
                  fmt::format("line {}: more than {} identities in one file", number, kMaxAgeIdentities));
    }
    auto identity = AgeIdentity::parse(line);
    if (!identity) return fail(std::move(identity).error().within(fmt::format("line {}", number)));
    identities.push_back(*std::move(identity));
  }
  if (identities.empty()) {
    return fail(ErrorCode::kInvalidArgument, "there is no identity (AGE-SECRET-KEY-1...) in it");
  }
  return identities;
}

Result<std::vector<AgeIdentity>> read_age_identities(const std::filesystem::path& path) {
  HF_TRY(const Secret text, base::read_secret_file(path, kMaxIdentityFileBytes));
  auto identities = parse_age_identities(text.reveal_text());
  if (!identities) return fail(std::move(identities).error().within(path.string()));
  return identities;
}

}  // namespace holdfast::crypto
