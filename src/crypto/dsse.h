#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/result.h"
#include "crypto/sign.h"

// Dead Simple Signing Envelope, version 1 (github.com/secure-systems-lab/dsse: protocol.md, envelope.md). An
// envelope's payload is out of reach until verify() has given a VerifiedPayload. Plain values.

namespace holdfast::crypto {

inline constexpr std::size_t kMaxDsseBytes = 64UL << 20;  // of the JSON text
inline constexpr std::size_t kMaxDsseSignatures = 16;
inline constexpr std::size_t kMaxDsseKeys = 16;

// What is signed: "DSSEv1 <length> <type> <length> <payload>" (protocol.md, PAE).
base::Bytes dsse_pre_authentication(std::string_view payload_type, base::ByteView payload);

struct DsseSignature {
  std::string key_id;  // a hint of the sender's, not authenticated
  base::Bytes signature;
};

class VerifiedPayload {
 public:
  [[nodiscard]] const std::string& type() const { return type_; }
  [[nodiscard]] const base::Bytes& bytes() const { return bytes_; }
  // Ids of the keys that signed it, each once, in the order of the envelope.
  [[nodiscard]] const std::vector<base::Digest>& signers() const { return signers_; }

 private:
  friend class DsseEnvelope;
  VerifiedPayload(std::string type, base::Bytes bytes, std::vector<base::Digest> signers)
      : type_(std::move(type)), bytes_(std::move(bytes)), signers_(std::move(signers)) {}
  std::string type_;
  base::Bytes bytes_;
  std::vector<base::Digest> signers_;
};

class DsseEnvelope {
 public:
  // Signed with `key`, whose id is the key id. The type is a media type or URI, as protocol.md asks:
  // printable ASCII.
  static DsseEnvelope sign(std::string payload_type, base::Bytes payload, const PrivateKey& key);
  // Strict: the members payload, payloadType and signatures, of each signature sig and perhaps keyid, and no
  // other. kDataCorrupt for another shape, kLimitExceeded over the bounds above.
  static base::Result<DsseEnvelope> parse(std::string_view json);
  static base::Result<DsseEnvelope> from_json(const nlohmann::json& value);

  // At most kMaxDsseSignatures in all: kLimitExceeded.
  base::Result<> add_signature(const PrivateKey& key);

  [[nodiscard]] const std::string& payload_type() const { return payload_type_; }
  [[nodiscard]] const std::vector<DsseSignature>& signatures() const { return signatures_; }

  [[nodiscard]] std::string write() const;
  [[nodiscard]] nlohmann::json to_json() const;

  // The payload, once `threshold` different keys of `trusted` have signed it as `expected_type` (protocol.md,
  // Multi-signature Verification: signatures by others are passed over). kUnauthenticated where fewer have,
  // kInvalidArgument for another type, for a threshold below 1 and for more than kMaxDsseKeys keys.
  [[nodiscard]] base::Result<VerifiedPayload> verify(std::string_view expected_type,
                                                     std::span<const PublicKey> trusted,
                                                     std::size_t threshold = 1) const;

 private:
  DsseEnvelope(std::string payload_type, base::Bytes payload)
      : payload_type_(std::move(payload_type)), payload_(std::move(payload)) {}
  void append(const PrivateKey& key);

  std::string payload_type_;
  base::Bytes payload_;
  std::vector<DsseSignature> signatures_;
};

}  // namespace holdfast::crypto
