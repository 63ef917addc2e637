#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/x25519.h"

// The keys of age (github.com/C2SP/C2SP/blob/main/age.md, "The X25519 recipient type"): what a file is sealed
// to, and what it is unsealed with. Immutable values; thread-safe. Messages never repeat the text of a key.

namespace holdfast::crypto {

// A public key: "age1...".
class AgeRecipient {
 public:
  // kInvalidArgument for what is mistyped, kLimitExceeded past kMaxBech32Chars (crypto/bech32.h),
  // kUnsupported, with the name of the kind, for keys of SSH, of a plugin, and of the post-quantum kind,
  // which OpenSSL 3.0 lacks.
  static base::Result<AgeRecipient> parse(std::string_view text);

  [[nodiscard]] std::string text() const;
  [[nodiscard]] const X25519Public& point() const { return point_; }

  friend bool operator==(const AgeRecipient&, const AgeRecipient&) = default;

 private:
  friend class AgeIdentity;
  explicit AgeRecipient(const X25519Public& point) : point_(point) {}
  X25519Public point_;
};

// A private key: "AGE-SECRET-KEY-1...".
class AgeIdentity {
 public:
  static AgeIdentity generate(base::RandomSource& random);
  // Errors as AgeRecipient::parse().
  static base::Result<AgeIdentity> parse(std::string_view text);

  [[nodiscard]] base::Secret text() const;
  [[nodiscard]] AgeRecipient recipient() const { return AgeRecipient(key_.public_key()); }
  [[nodiscard]] const X25519Private& key() const { return key_; }

 private:
  explicit AgeIdentity(X25519Private key) : key_(std::move(key)) {}
  X25519Private key_;
};

inline constexpr std::size_t kMaxAgeIdentities = 64;
inline constexpr std::size_t kMaxAgePassphrases = 4;
inline constexpr std::size_t kMaxIdentityFileBytes = 64UL << 10;

// The text of an identity file as age-keygen writes it: one identity a line; empty lines and lines that begin
// with # are left out. Errors as AgeIdentity::parse() with the number of the line; kInvalidArgument for a
// file without any, kLimitExceeded past kMaxAgeIdentities.
base::Result<std::vector<AgeIdentity>> parse_age_identities(std::string_view text);
// The same from a file of at most kMaxIdentityFileBytes; errors name the file.
base::Result<std::vector<AgeIdentity>> read_age_identities(const std::filesystem::path& path);

// A passphrase, and how much work it is to try one: scrypt takes 2^work_factor KiB of memory.
struct AgePassphrase {
  base::Secret text;
  int work_factor = 18;  // 1 to kMaxAgeWorkFactor
};
inline constexpr int kMaxAgeWorkFactor = 22;

// To whom a file is sealed: to keys (one to kMaxAgeStanzas, age_header.h), or to a passphrase alone.
using AgeRecipients = std::variant<std::vector<AgeRecipient>, AgePassphrase>;

// What a file may be unsealed with: at most kMaxAgeIdentities and kMaxAgePassphrases. Each passphrase is
// tried at the work factor that the file names.
struct AgeKeys {
  std::vector<AgeIdentity> identities;
  std::vector<base::Secret> passphrases;
};

}  // namespace holdfast::crypto
