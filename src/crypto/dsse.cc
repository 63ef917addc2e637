#include "crypto/dsse.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "base/assert.h"
#include "base/encoding.h"
#include "base/json.h"

namespace holdfast::crypto {

using base::Bytes;
using base::ByteView;
using base::Digest;
using base::ErrorCode;
using base::fail;
using base::Result;
using nlohmann::json;

namespace {

constexpr int kMaxDepth = 4;
constexpr std::size_t kMaxTextBytes = 1024;            // of a payload type or key id
constexpr std::size_t kMaxSignatureBytes = 8UL << 10;  // post-quantum ones come close to 5 KiB

tl::unexpected<base::Error> malformed(std::string_view why) {
  return fail(ErrorCode::kDataCorrupt, fmt::format("the DSSE envelope is malformed: {}", why));
}

// Refuses members outside `known`.
Result<> check_members(const json& object, std::span<const std::string_view> known) {
  if (!object.is_object()) return malformed("it or one of its signatures is no object");
  for (const auto& [name, value] : object.items()) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return malformed(fmt::format("it has an unknown member \"{}\"", name.substr(0, 80)));
    }
  }
  return {};
}

Result<std::string> text_member(const json& object, const char* name) {
  const auto member = object.find(name);
  if (member == object.end() || !member->is_string())
    return malformed(fmt::format("\"{}\" is no text", name));
  return member->get<std::string>();
}

// Either alphabet, padded (envelope.md, Standard JSON envelope).
Result<Bytes> base64_member(const json& object, const char* name) {
  HF_TRY(std::string text, text_member(object, name));
  if (text.find_first_of("+/") == std::string::npos) {
    std::replace(text.begin(), text.end(), '-', '+');
    std::replace(text.begin(), text.end(), '_', '/');
  }
  auto bytes = base::base64_decode(text);
  if (!bytes) return malformed(fmt::format("\"{}\" is not base64", name));
  return *std::move(bytes);
}

Result<DsseSignature> parse_signature(const json& value) {
  constexpr std::array<std::string_view, 2> kMembers{"keyid", "sig"};
  HF_CHECK(check_members(value, kMembers));
  DsseSignature signature;
  // Null stands for an absent member in protobuf's JSON mapping, and some write it.
  if (value.contains("keyid") && !value["keyid"].is_null()) {
    HF_TRY(signature.key_id, text_member(value, "keyid"));
  }
  HF_TRY(signature.signature, base64_member(value, "sig"));
  if (signature.key_id.size() > kMaxTextBytes || signature.signature.size() > kMaxSignatureBytes) {
    return fail(ErrorCode::kLimitExceeded, "a signature or key id of the DSSE envelope is too long");
  }
  return signature;
}

}  // namespace

Bytes dsse_pre_authentication(std::string_view payload_type, ByteView payload) {
  Bytes encoding;
  base::append(encoding, fmt::format("DSSEv1 {} {} {} ", payload_type.size(), payload_type, payload.size()));
  base::append(encoding, payload);
  return encoding;
}

DsseEnvelope DsseEnvelope::sign(std::string payload_type, Bytes payload, const PrivateKey& key) {
  const auto printable = [](char c) { return c > ' ' && c <= '~'; };
  HF_ASSERT(!payload_type.empty() && payload_type.size() <= kMaxTextBytes);
  HF_ASSERT(std::all_of(payload_type.begin(), payload_type.end(), printable));
  DsseEnvelope envelope(std::move(payload_type), std::move(payload));
  envelope.append(key);
  return envelope;
}

Result<DsseEnvelope> DsseEnvelope::parse(std::string_view json_text) {
  auto value = base::parse_json(json_text, {.max_bytes = kMaxDsseBytes, .max_depth = kMaxDepth});
  if (!value) return fail(std::move(value).error().within("the DSSE envelope"));
  return from_json(*value);
}

Result<DsseEnvelope> DsseEnvelope::from_json(const json& value) {
  constexpr std::array<std::string_view, 3> kMembers{"payload", "payloadType", "signatures"};
  HF_CHECK(check_members(value, kMembers));
  HF_TRY(std::string type, text_member(value, "payloadType"));
  if (type.empty() || type.size() > kMaxTextBytes) return malformed("its payloadType is empty or too long");
  HF_TRY(Bytes payload, base64_member(value, "payload"));
  DsseEnvelope envelope(std::move(type), std::move(payload));
  const auto signatures = value.find("signatures");
  if (signatures == value.end() || !signatures->is_array() || signatures->empty()) {
    return malformed("\"signatures\" is no list of one or more");
  }
  if (signatures->size() > kMaxDsseSignatures) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("the DSSE envelope has more than {} signatures", kMaxDsseSignatures));
  }
  for (const json& element : *signatures) {
    HF_TRY(DsseSignature signature, parse_signature(element));
    envelope.signatures_.push_back(std::move(signature));
  }
  return envelope;
}

Result<> DsseEnvelope::add_signature(const PrivateKey& key) {
  if (signatures_.size() >= kMaxDsseSignatures) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("a DSSE envelope takes at most {} signatures", kMaxDsseSignatures));
  }
  append(key);
  return {};
}

void DsseEnvelope::append(const PrivateKey& key) {
  signatures_.push_back({.key_id = key.public_key().id().hex(),
                         .signature = key.sign(dsse_pre_authentication(payload_type_, payload_))});
}

json DsseEnvelope::to_json() const {
  json signatures = json::array();
  for (const DsseSignature& signature : signatures_) {
    signatures.push_back({{"keyid", signature.key_id}, {"sig", base::base64_encode(signature.signature)}});
  }
  return {{"payload", base::base64_encode(payload_)},
          {"payloadType", payload_type_},
          {"signatures", std::move(signatures)}};
}

std::string DsseEnvelope::write() const { return to_json().dump(); }

Result<VerifiedPayload> DsseEnvelope::verify(std::string_view expected_type,
                                             std::span<const PublicKey> trusted,
                                             std::size_t threshold) const {
  if (threshold < 1 || trusted.size() > kMaxDsseKeys) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("verification takes a threshold of 1 or more and at most {} keys", kMaxDsseKeys));
  }
  if (payload_type_ != expected_type) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("the envelope holds a payload of type {}, not {}", payload_type_, expected_type));
  }
  const Bytes encoding = dsse_pre_authentication(payload_type_, payload_);
  std::vector<Digest> signers;
  for (const DsseSignature& signature : signatures_) {
    for (const PublicKey& key : trusted) {
      const Digest id = key.id();
      if (std::find(signers.begin(), signers.end(), id) != signers.end()) continue;
      if (key.verify(encoding, signature.signature)) signers.push_back(id);
    }
  }
  if (signers.size() < threshold) {
    return fail(
        ErrorCode::kUnauthenticated,
        fmt::format("{} of the {} needed trusted keys signed this payload", signers.size(), threshold));
  }
  return VerifiedPayload(payload_type_, payload_, std::move(signers));
}

}  // namespace holdfast::crypto
