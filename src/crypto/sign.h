#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/result.h"
#include "base/secret.h"

// Signatures: ECDSA on the NIST curves, each with the digest of its strength (FIPS 186-5), and Ed25519 (RFC
// 8032). Nothing else is read, so that a weak key can't be. Keys are immutable values: copies share one key
// of OpenSSL, and every function may be called from several threads.

namespace holdfast::crypto {

enum class KeyAlgorithm {
  kEcdsaP256,  // with SHA-256
  kEcdsaP384,  // with SHA-384
  kEcdsaP521,  // with SHA-512
  kEd25519,
};

std::string_view to_string(KeyAlgorithm algorithm);  // "ecdsa-p256" .. "ed25519"

struct KeyHandle;  // OpenSSL's side

class PublicKey {
 public:
  // Exactly one block PUBLIC KEY (SubjectPublicKeyInfo). kUnsupported for an algorithm or curve that is none
  // of the above, kInvalidArgument for what is no key.
  static base::Result<PublicKey> from_pem(std::string_view pem);
  // A SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7) and nothing after it.
  static base::Result<PublicKey> from_der(base::ByteView spki);
  // The 32 bytes of RFC 8032, section 5.1.5.
  static base::Result<PublicKey> from_ed25519(base::ByteView point);

  [[nodiscard]] KeyAlgorithm algorithm() const;
  [[nodiscard]] std::string to_pem() const;
  [[nodiscard]] base::Bytes to_der() const;
  // The 32 bytes that from_ed25519 takes; kUnsupported for another algorithm.
  [[nodiscard]] base::Result<base::Bytes> to_ed25519() const;
  // The key's name: SHA-256 of to_der().
  [[nodiscard]] base::Digest id() const;

  // kDataCorrupt unless the holder of the private key signed exactly these bytes. ECDSA signatures are DER
  // (RFC 3279, section 2.2.3), Ed25519's 64 bytes.
  [[nodiscard]] base::Result<> verify(base::ByteView message, base::ByteView signature) const;

  friend bool operator==(const PublicKey& a, const PublicKey& b) { return a.id() == b.id(); }

  [[nodiscard]] const KeyHandle& handle() const { return *key_; }

 private:
  explicit PublicKey(std::shared_ptr<const KeyHandle> key) : key_(std::move(key)) {}
  std::shared_ptr<const KeyHandle> key_;
};

class PrivateKey {
 public:
  // From OpenSSL's own generator, which the kernel seeds. Aborts where that has nothing to give.
  static PrivateKey generate(KeyAlgorithm algorithm);
  // One block PRIVATE KEY (PKCS #8) or EC PRIVATE KEY (SEC 1). Never asks for a passphrase: kUnsupported for
  // an encrypted key, with the command that decrypts it, and for other algorithms and curves.
  static base::Result<PrivateKey> from_pem(std::string_view pem);
  // The 32 bytes of RFC 8032, section 5.1.5.
  static base::Result<PrivateKey> from_ed25519_seed(base::ByteView seed);

  [[nodiscard]] KeyAlgorithm algorithm() const { return public_key_.algorithm(); }
  [[nodiscard]] const PublicKey& public_key() const { return public_key_; }
  [[nodiscard]] base::Secret to_pem() const;  // PKCS #8, not encrypted

  // As PublicKey::verify takes it. ECDSA's differs from call to call. Aborts where OpenSSL's generator fails.
  [[nodiscard]] base::Bytes sign(base::ByteView message) const;

  [[nodiscard]] const KeyHandle& handle() const { return *key_; }

 private:
  PrivateKey(std::shared_ptr<const KeyHandle> key, PublicKey public_key)
      : key_(std::move(key)), public_key_(std::move(public_key)) {}
  static base::Result<PrivateKey> adopt(std::shared_ptr<const KeyHandle> key);

  std::shared_ptr<const KeyHandle> key_;
  PublicKey public_key_;
};

}  // namespace holdfast::crypto
