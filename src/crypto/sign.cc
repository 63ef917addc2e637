#include "crypto/sign.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "crypto/pem.h"
#include "crypto/sha256.h"
#include "crypto/sign_handle.h"

namespace holdfast::crypto {

using base::Bytes;
using base::ByteView;
using base::Digest;
using base::ErrorCode;
using base::fail;
using base::Result;
using base::Secret;

namespace {

using Key = Owned<EVP_PKEY, EVP_PKEY_free>;
using Context = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;
using Pkcs8 = Owned<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;

constexpr std::size_t kMaxKeyDerBytes = 16UL << 10;
constexpr std::size_t kEd25519KeyBytes = 32;

struct Profile {
  KeyAlgorithm algorithm;
  std::string_view name;
  const char* group;   // OpenSSL's name of the curve; null for Ed25519
  const char* digest;  // FIPS 186-5, section 6.1.1: at least as strong as the curve
};

constexpr std::array kProfiles{
    Profile{KeyAlgorithm::kEcdsaP256, "ecdsa-p256", "prime256v1", "SHA256"},
    Profile{KeyAlgorithm::kEcdsaP384, "ecdsa-p384", "secp384r1", "SHA384"},
    Profile{KeyAlgorithm::kEcdsaP521, "ecdsa-p521", "secp521r1", "SHA512"},
    Profile{KeyAlgorithm::kEd25519, "ed25519", nullptr, nullptr},
};

const Profile& profile(KeyAlgorithm algorithm) { return kProfiles.at(static_cast<std::size_t>(algorithm)); }

// OpenSSL leaves its reasons in a queue of the thread, where a later caller would take them for its own.
tl::unexpected<base::Error> unsupported(std::string_view what) {
  ERR_clear_error();
  return fail(
      ErrorCode::kUnsupported,
      fmt::format(
          "a key of the kind {} is not accepted; use ECDSA on P-256, P-384 or P-521, or Ed25519, e.g. "
          "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out PRIVATE.pem",
          what));
}

tl::unexpected<base::Error> malformed(std::string_view what) {
  ERR_clear_error();
  return fail(ErrorCode::kInvalidArgument, fmt::format("the {} key is malformed", what));
}

Result<KeyAlgorithm> algorithm_of(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "ED25519") == 1) return KeyAlgorithm::kEd25519;
  if (EVP_PKEY_is_a(key, "EC") != 1) return unsupported(EVP_PKEY_get0_type_name(key));
  int spelled_out = 0;
  EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &spelled_out);
  if (spelled_out != 0) return unsupported("EC with a curve of its own (explicit parameters)");
  std::array<char, 64> group{};
  if (EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) != 1)
    return unsupported("EC, unnamed curve");
  const auto* found = std::find_if(kProfiles.begin(), kProfiles.end(), [&](const Profile& candidate) {
    return candidate.group != nullptr && std::string_view(candidate.group) == group.data();
  });
  if (found == kProfiles.end()) return unsupported(fmt::format("EC on the curve {}", group.data()));
  return found->algorithm;
}

// Takes over what a decoder gave: null, or a key whose numbers nobody has checked yet.
Result<std::shared_ptr<const KeyHandle>> accept(Key key, std::string_view what, int (*check)(EVP_PKEY_CTX*)) {
  ERR_clear_error();
  if (key == nullptr) return malformed(what);
  HF_TRY(const KeyAlgorithm algorithm, algorithm_of(key.get()));
  if (algorithm != KeyAlgorithm::kEd25519) {  // any 32 bytes are an Ed25519 key
    const Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
        EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
    HF_ASSERT(context != nullptr);
    if (check(context.get()) != 1) return malformed(what);
  }
  return std::make_shared<const KeyHandle>(key.release(), algorithm);
}

Result<PemBlock> only_block(std::string_view pem, std::string_view what, auto&& wanted) {
  HF_TRY(auto blocks, parse_pem(pem));
  std::erase_if(blocks,
                [](const PemBlock& block) { return block.label == "EC PARAMETERS"; });  // openssl ecparam
  if (blocks.size() != 1 || !wanted(blocks.front().label)) {
    return fail(
        ErrorCode::kInvalidArgument,
        fmt::format("this is no {} key: expected one PEM block, \"-----BEGIN {} KEY-----\"{}", what,
                    what == "public" ? "PUBLIC" : "PRIVATE",
                    blocks.empty() ? std::string() : fmt::format(", found {}", blocks.front().label)));
  }
  return std::move(blocks.front());
}

}  // namespace

KeyHandle::~KeyHandle() { EVP_PKEY_free(pkey); }

std::string_view to_string(KeyAlgorithm algorithm) { return profile(algorithm).name; }
const char* digest_name(KeyAlgorithm algorithm) { return profile(algorithm).digest; }

Result<PublicKey> PublicKey::from_pem(std::string_view pem) {
  HF_TRY(const PemBlock block,
         only_block(pem, "public", [](std::string_view label) { return label == "PUBLIC KEY"; }));
  return from_der(block.der.reveal());
}

Result<PublicKey> PublicKey::from_der(ByteView spki) {
  if (spki.size() > kMaxKeyDerBytes) return malformed("public");
  const std::uint8_t* at = spki.data();
  Key key(d2i_PUBKEY(nullptr, &at, static_cast<long>(spki.size())));
  if (at != spki.data() + spki.size()) return malformed("public");
  HF_TRY(auto handle, accept(std::move(key), "public", EVP_PKEY_public_check));
  return PublicKey(std::move(handle));
}

Result<PublicKey> PublicKey::from_ed25519(ByteView point) {
  if (point.size() != kEd25519KeyBytes) return malformed("public Ed25519");
  Key key(EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, point.data(), point.size()));
  HF_TRY(auto handle, accept(std::move(key), "public Ed25519", EVP_PKEY_public_check));
  return PublicKey(std::move(handle));
}

KeyAlgorithm PublicKey::algorithm() const { return key_->algorithm; }

std::string PublicKey::to_pem() const { return std::string(write_pem("PUBLIC KEY", to_der()).reveal_text()); }

Bytes PublicKey::to_der() const {
  const int size = i2d_PUBKEY(key_->pkey, nullptr);
  HF_ASSERT(size > 0);
  Bytes der(static_cast<std::size_t>(size));
  std::uint8_t* at = der.data();
  HF_ASSERT(i2d_PUBKEY(key_->pkey, &at) == size);
  return der;
}

Result<Bytes> PublicKey::to_ed25519() const {
  if (algorithm() != KeyAlgorithm::kEd25519) {
    return fail(ErrorCode::kUnsupported,
                fmt::format("an Ed25519 key is needed here, and this one is {}", to_string(algorithm())));
  }
  Bytes point(kEd25519KeyBytes);
  std::size_t size = point.size();
  HF_ASSERT(EVP_PKEY_get_raw_public_key(key_->pkey, point.data(), &size) == 1 && size == point.size());
  return point;
}

Digest PublicKey::id() const { return sha256(to_der()); }

Result<> PublicKey::verify(ByteView message, ByteView signature) const {
  const Context context(EVP_MD_CTX_new());
  HF_ASSERT(context != nullptr && EVP_DigestVerifyInit_ex(context.get(), nullptr, digest_name(algorithm()),
                                                          nullptr, nullptr, key_->pkey, nullptr) == 1);
  if (EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) !=
      1) {
    ERR_clear_error();
    return fail(ErrorCode::kDataCorrupt,
                fmt::format("the signature does not match the content and the key {}", id().hex()));
  }
  return {};
}

PrivateKey PrivateKey::generate(KeyAlgorithm algorithm) {
  const char* group = profile(algorithm).group;
  EVP_PKEY* key = group == nullptr ? EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")
                                   : EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", group);
  HF_ASSERT(key != nullptr);
  auto made = adopt(std::make_shared<const KeyHandle>(key, algorithm));
  HF_ASSERT(made.has_value());
  return *std::move(made);
}

Result<PrivateKey> PrivateKey::from_pem(std::string_view pem) {
  HF_TRY(const PemBlock block, only_block(pem, "private", [](std::string_view label) {
           return label == "PRIVATE KEY" || label == "EC PRIVATE KEY";
         }));
  const ByteView der = block.der.reveal();
  if (der.size() > kMaxKeyDerBytes) return malformed("private");
  const std::uint8_t* at = der.data();
  Key key;
  if (block.label == "EC PRIVATE KEY") {
    key.reset(d2i_PrivateKey(EVP_PKEY_EC, nullptr, &at, static_cast<long>(der.size())));
  } else {
    const Pkcs8 info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(der.size())));
    if (info != nullptr) key.reset(EVP_PKCS82PKEY(info.get()));
  }
  if (at != der.data() + der.size()) return malformed("private");
  HF_TRY(auto handle, accept(std::move(key), "private", EVP_PKEY_check));
  return adopt(std::move(handle));
}

Result<PrivateKey> PrivateKey::from_ed25519_seed(ByteView seed) {
  if (seed.size() != kEd25519KeyBytes) return malformed("private Ed25519");
  Key key(EVP_PKEY_new_raw_private_key_ex(nullptr, "ED25519", nullptr, seed.data(), seed.size()));
  HF_TRY(auto handle, accept(std::move(key), "private Ed25519", EVP_PKEY_check));
  return adopt(std::move(handle));
}

Result<PrivateKey> PrivateKey::adopt(std::shared_ptr<const KeyHandle> key) {
  std::uint8_t* der = nullptr;
  const int size = i2d_PUBKEY(key->pkey, &der);
  if (size <= 0) return malformed("private");
  auto public_key = PublicKey::from_der(ByteView(der, static_cast<std::size_t>(size)));
  OPENSSL_free(der);
  if (!public_key) return fail(std::move(public_key).error());
  return PrivateKey(std::move(key), *std::move(public_key));
}

Secret PrivateKey::to_pem() const {
  const Pkcs8 info(EVP_PKEY2PKCS8(key_->pkey));
  HF_ASSERT(info != nullptr);
  const int size = i2d_PKCS8_PRIV_KEY_INFO(info.get(), nullptr);
  HF_ASSERT(size > 0);
  Secret der(static_cast<std::size_t>(size));
  std::uint8_t* at = der.writable().data();
  HF_ASSERT(i2d_PKCS8_PRIV_KEY_INFO(info.get(), &at) == size);
  return write_pem("PRIVATE KEY", der.reveal());
}

Bytes PrivateKey::sign(ByteView message) const {
  const Context context(EVP_MD_CTX_new());
  HF_ASSERT(context != nullptr && EVP_DigestSignInit_ex(context.get(), nullptr, digest_name(algorithm()),
                                                        nullptr, nullptr, key_->pkey, nullptr) == 1);
  std::size_t size = 0;
  HF_ASSERT(EVP_DigestSign(context.get(), nullptr, &size, message.data(), message.size()) == 1);
  Bytes signature(size);
  HF_ASSERT(EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) == 1);
  signature.resize(size);  // ECDSA's DER is often shorter than its bound
  return signature;
}

}  // namespace holdfast::crypto
