#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/aead.h"
#include "crypto/password.h"

// The key under which all others are wrapped. It lies outside the state folder, so that a copy of that folder
// is ciphertext where it matters.

namespace holdfast::keys {

inline constexpr std::size_t kMaxMasterKeyFileBytes = 4096;

// Where a key comes from a passphrase: kept beside the wrapped keys, and no secret.
struct Derivation {
  base::Bytes salt;
  crypto::Argon2Cost cost;

  friend bool operator==(const Derivation& a, const Derivation& b) {
    return a.salt == b.salt && a.cost.memory_kib == b.cost.memory_kib && a.cost.passes == b.cost.passes &&
           a.cost.lanes == b.cost.lanes;
  }
};

class MasterKey {
 public:
  // The text of a master key: lines that begin with # are left out; the one other line is
  // "holdfast-master-key-1:" and the key, 32 bytes in unpadded base64url. Errors never repeat the text.
  static base::Result<MasterKey> parse(std::string_view text);

  // A file that its owner alone can read or write (kPermissionDenied otherwise), outside `state_folder`
  // (kInvalidArgument), links followed.
  static base::Result<MasterKey> from_file(const std::filesystem::path& file,
                                           const std::filesystem::path& state_folder);
  // Makes such a file, durable on return; kAlreadyExists where there is one, since keys may be wrapped by it.
  // Folders on the way are not made.
  static base::Result<> generate_file(const std::filesystem::path& file,
                                      const std::filesystem::path& state_folder, base::RandomSource& random);

  // With the salt and cost kept in `keys_folder`; on first use a new salt and `cost`, which KeyStore::open()
  // keeps there. kInvalidArgument where the keys in it are wrapped by no passphrase, or for an empty one.
  static base::Result<MasterKey> from_passphrase(const base::Secret& passphrase,
                                                 const std::filesystem::path& keys_folder,
                                                 base::RandomSource& random,
                                                 const crypto::Argon2Cost& cost = {});

  // The text of a master key as a credential of systemd (systemd.exec(5), LoadCredential=):
  // $CREDENTIALS_DIRECTORY/<name>. kNotFound where the service was given none.
  static base::Result<MasterKey> from_credential(std::string_view name);

  [[nodiscard]] const crypto::AeadKey& key() const { return key_; }
  [[nodiscard]] const std::optional<Derivation>& derivation() const { return derivation_; }

 private:
  MasterKey(crypto::AeadKey key, std::optional<Derivation> derivation)
      : key_(std::move(key)), derivation_(std::move(derivation)) {}
  crypto::AeadKey key_;
  std::optional<Derivation> derivation_;
};

}  // namespace holdfast::keys
