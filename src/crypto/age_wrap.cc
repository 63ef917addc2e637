#include "crypto/age_wrap.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/encoding.h"
#include "crypto/aead.h"
#include "crypto/hmac.h"

namespace holdfast::crypto {

using base::Base64;
using base::Bytes;
using base::ByteView;
using base::ErrorCode;
using base::fail;
using base::Result;
using base::Secret;

namespace {

constexpr std::string_view kX25519Type = "X25519";
constexpr std::string_view kX25519Info = "age-encryption.org/v1/X25519";
constexpr std::string_view kScryptType = "scrypt";
constexpr std::string_view kScryptLabel = "age-encryption.org/v1/scrypt";
constexpr std::size_t kScryptSaltBytes = 16;
constexpr std::size_t kWrappedBytes = kAgeFileKeyBytes + kAeadTagBytes;

// Each wrap key is used once, so that age fixes the nonce.
constexpr AeadNonce kNonce{};

tl::unexpected<base::Error> malformed(std::string_view type, std::string_view why) {
  return fail(ErrorCode::kDataCorrupt,
              fmt::format("the header of the sealed file is damaged: its {} stanza {}", type, why));
}

Bytes wrap(Secret wrap_key, const Secret& file_key) {
  const auto key = AeadKey::create(AeadAlgorithm::kChaCha20Poly1305, std::move(wrap_key));
  return aead_seal(key.value(), kNonce, {}, file_key.reveal());
}

// Nothing when the wrap key is not the one.
std::optional<Secret> unwrap(Secret wrap_key, ByteView body) {
  const auto key = AeadKey::create(AeadAlgorithm::kChaCha20Poly1305, std::move(wrap_key));
  auto file_key = aead_open(key.value(), kNonce, {}, body);
  if (!file_key) return std::nullopt;
  return *std::move(file_key);
}

// age.md, "X25519 recipient stanza".
Secret x25519_wrap_key(const Secret& shared, const X25519Public& share, const X25519Public& recipient) {
  Bytes salt(share.begin(), share.end());
  base::append(salt, recipient);
  return hkdf_sha256(shared.reveal(), salt, base::as_bytes(kX25519Info), AeadKey::kSize);
}

Result<AgeStanza> wrap_to_recipient(const Secret& file_key, const AgeRecipient& recipient,
                                    base::RandomSource& random) {
  const auto ephemeral = X25519Private::generate(random);
  const auto shared = ephemeral.agree(recipient.point());
  if (!shared) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("{} is no usable public key", recipient.text()));
  }
  const X25519Public& share = ephemeral.public_key();
  return AgeStanza{
      .arguments = {std::string(kX25519Type), base::base64_encode(share, Base64::kRaw)},
      .body = wrap(x25519_wrap_key(*shared, share, recipient.point()), file_key),
  };
}

// age.md, "scrypt recipient stanza". Takes 2^work_factor KiB of memory.
Result<Secret> scrypt_wrap_key(const Secret& passphrase, ByteView salt, int work_factor) {
  constexpr std::uint64_t kBlockSize = 8;
  constexpr std::uint64_t kParallel = 1;
  const std::uint64_t n = 1ULL << work_factor;
  const std::uint64_t max_memory =
      128 * kBlockSize * (n + 64);  // RFC 7914, section 2, and room for OpenSSL's own
  Bytes labelled;
  base::append(labelled, kScryptLabel);
  base::append(labelled, salt);
  Secret key(AeadKey::kSize);
  const auto phrase = passphrase.reveal_text();
  ERR_set_mark();
  const int done = EVP_PBE_scrypt(phrase.data(), phrase.size(), labelled.data(), labelled.size(), n,
                                  kBlockSize, kParallel, max_memory, key.writable().data(), key.size());
  ERR_pop_to_mark();
  if (done == 1) return key;
  return fail(ErrorCode::kUnavailable,
              fmt::format("a passphrase at work factor {} takes {} KiB of memory, which is not to be had",
                          work_factor, n));
}

Result<AgeStanza> wrap_to_passphrase(const Secret& file_key, const AgePassphrase& passphrase,
                                     base::RandomSource& random) {
  if (passphrase.text.empty()) return fail(ErrorCode::kInvalidArgument, "the passphrase must not be empty");
  if (passphrase.work_factor < 1 || passphrase.work_factor > kMaxAgeWorkFactor) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("the work factor of a passphrase must be from 1 to {}", kMaxAgeWorkFactor));
  }
  const Bytes salt = random.take(kScryptSaltBytes);
  HF_TRY(Secret wrap_key, scrypt_wrap_key(passphrase.text, salt, passphrase.work_factor));
  return AgeStanza{
      .arguments = {std::string(kScryptType), base::base64_encode(salt, Base64::kRaw),
                    std::to_string(passphrase.work_factor)},
      .body = wrap(std::move(wrap_key), file_key),
  };
}

// What a stanza says; the body is that of the header.
struct X25519Stanza {
  X25519Public share{};
  ByteView body;
};
struct ScryptStanza {
  Bytes salt;
  int work_factor = 0;
  ByteView body;
};
struct KnownStanzas {
  std::vector<X25519Stanza> x25519;
  std::optional<ScryptStanza> scrypt;
};

Result<X25519Stanza> read_x25519(const AgeStanza& stanza) {
  X25519Stanza read{.body = stanza.body};
  if (stanza.arguments.size() != 2) return malformed(kX25519Type, "must have two arguments");
  const auto share = base::base64_decode(stanza.arguments[1], Base64::kRaw);
  if (!share || share->size() != read.share.size()) return malformed(kX25519Type, "has no share of 32 bytes");
  if (stanza.body.size() != kWrappedBytes) return malformed(kX25519Type, "has no body of 32 bytes");
  std::ranges::copy(*share, read.share.begin());
  return read;
}

Result<ScryptStanza> read_scrypt(const AgeStanza& stanza) {
  if (stanza.arguments.size() != 3) return malformed(kScryptType, "must have three arguments");
  auto salt = base::base64_decode(stanza.arguments[1], Base64::kRaw);
  if (!salt || salt->size() != kScryptSaltBytes) return malformed(kScryptType, "has no salt of 16 bytes");
  if (stanza.body.size() != kWrappedBytes) return malformed(kScryptType, "has no body of 32 bytes");
  const std::string& factor = stanza.arguments[2];
  if (factor[0] == '0' || !std::ranges::all_of(factor, [](char c) { return c >= '0' && c <= '9'; })) {
    return malformed(kScryptType, "has a work factor that is not a decimal number");
  }
  int work_factor = 0;
  const auto parsed = std::from_chars(factor.data(), factor.data() + factor.size(), work_factor);
  if (parsed.ec != std::errc() || work_factor > kMaxAgeWorkFactor) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("the sealed file asks for more work to try its passphrase than the {} allowed",
                            kMaxAgeWorkFactor));
  }
  return ScryptStanza{.salt = *std::move(salt), .work_factor = work_factor, .body = stanza.body};
}

Result<KnownStanzas> read_known(const AgeHeader& header) {
  KnownStanzas known;
  for (const auto& stanza : header.stanzas) {
    if (stanza.arguments[0] == kX25519Type) {
      HF_TRY(const X25519Stanza read, read_x25519(stanza));
      known.x25519.push_back(read);
    } else if (stanza.arguments[0] == kScryptType) {
      // A passphrase is taken to prove who sealed the file (age.md): nobody else may stand beside its holder.
      if (header.stanzas.size() != 1) return malformed(kScryptType, "is not alone");
      HF_TRY(known.scrypt, read_scrypt(stanza));
    }
  }
  return known;
}

tl::unexpected<base::Error> no_key_fits(const AgeHeader& header, const KnownStanzas& known,
                                        const AgeKeys& keys) {
  constexpr std::size_t kMaxTypeChars = 64;
  if (known.scrypt) {
    return fail(ErrorCode::kPermissionDenied, keys.passphrases.empty()
                                                  ? "the file is sealed with a passphrase: give it"
                                                  : "the passphrase does not open the file");
  }
  if (known.x25519.empty()) {
    return fail(
        ErrorCode::kUnsupported,
        fmt::format(
            "the file is sealed to recipients of the type {} alone, which can't be opened here; use age",
            header.stanzas[0].arguments[0].substr(0, kMaxTypeChars)));
  }
  if (keys.identities.empty()) {
    return fail(ErrorCode::kPermissionDenied,
                "the file is sealed to keys: give an identity (AGE-SECRET-KEY-1...)");
  }
  return fail(ErrorCode::kPermissionDenied,
              keys.identities.size() == 1
                  ? std::string("the identity given does not open the file: it is sealed to others")
                  : fmt::format("none of the {} identities given opens the file", keys.identities.size()));
}

}  // namespace

Result<std::vector<AgeStanza>> wrap_file_key(const Secret& file_key, const AgeRecipients& recipients,
                                             base::RandomSource& random) {
  std::vector<AgeStanza> stanzas;
  if (const auto* const passphrase = std::get_if<AgePassphrase>(&recipients)) {
    HF_TRY(AgeStanza stanza, wrap_to_passphrase(file_key, *passphrase, random));
    stanzas.push_back(std::move(stanza));
    return stanzas;
  }
  const auto& keys = std::get<std::vector<AgeRecipient>>(recipients);
  if (keys.empty()) return fail(ErrorCode::kInvalidArgument, "name a recipient (age1...) to seal a file to");
  if (keys.size() > kMaxAgeStanzas) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("a file can be sealed to {} recipients at most", kMaxAgeStanzas));
  }
  for (const auto& recipient : keys) {
    HF_TRY(AgeStanza stanza, wrap_to_recipient(file_key, recipient, random));
    stanzas.push_back(std::move(stanza));
  }
  return stanzas;
}

Result<Secret> unwrap_file_key(const AgeHeader& header, const AgeKeys& keys) {
  if (keys.identities.size() > kMaxAgeIdentities || keys.passphrases.size() > kMaxAgePassphrases) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("at most {} identities and {} passphrases can be tried", kMaxAgeIdentities,
                            kMaxAgePassphrases));
  }
  HF_TRY(const KnownStanzas known, read_known(header));
  if (known.scrypt) {
    for (const auto& passphrase : keys.passphrases) {
      HF_TRY(Secret wrap_key, scrypt_wrap_key(passphrase, known.scrypt->salt, known.scrypt->work_factor));
      if (auto file_key = unwrap(std::move(wrap_key), known.scrypt->body)) return *std::move(file_key);
    }
  }
  for (const auto& stanza : known.x25519) {
    for (const auto& identity : keys.identities) {
      HF_TRY(const Secret shared, identity.key().agree(stanza.share));
      Secret wrap_key = x25519_wrap_key(shared, stanza.share, identity.key().public_key());
      if (auto file_key = unwrap(std::move(wrap_key), stanza.body)) return *std::move(file_key);
    }
  }
  return no_key_fits(header, known, keys);
}

}  // namespace holdfast::crypto
