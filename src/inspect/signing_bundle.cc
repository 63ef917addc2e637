#include "inspect/signing_bundle.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

#include <nlohmann/json.hpp>

#include "base/encoding.h"
#include "base/json.h"
#include "crypto/sha256.h"

namespace holdfast::inspect {

using base::ErrorCode;
using base::fail;
using base::Result;
using crypto::Certificate;
using nlohmann::json;

namespace {

constexpr std::string_view kMediaType = "application/vnd.dev.sigstore.bundle.v0.3+json";
constexpr int kMaxDepth = 8;

tl::unexpected<base::Error> malformed(std::string_view why) {
  return fail(ErrorCode::kDataCorrupt, fmt::format("the signature bundle is malformed: {}", why));
}

tl::unexpected<base::Error> from_service() {
  return fail(
      ErrorCode::kUnsupported,
      "the signature bundle is of a Sigstore service; verify it with its own tool, or sign with a key or a "
      "certificate chain");
}

Result<> check_members(const json& object, std::string_view where,
                       std::initializer_list<std::string_view> known) {
  if (!object.is_object()) return malformed(fmt::format("{} is no object", where));
  for (const auto& [name, value] : object.items()) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return malformed(fmt::format("{} has an unknown member \"{}\"", where, name.substr(0, 80)));
    }
  }
  return {};
}

// Null stands for an absent member in protobuf's JSON mapping.
bool present(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && !found->is_null();
}

Result<std::vector<Certificate>> parse_chain(const json& chain) {
  HF_CHECK(check_members(chain, "x509CertificateChain", {"certificates"}));
  const auto list = chain.find("certificates");
  if (list == chain.end() || !list->is_array() || list->empty()) return malformed("it has no certificates");
  if (list->size() > kMaxBundleCertificates) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("the signature bundle has more than {} certificates", kMaxBundleCertificates));
  }
  std::vector<Certificate> certificates;
  for (const json& element : *list) {
    HF_CHECK(check_members(element, "a certificate", {"rawBytes"}));
    const auto raw = element.find("rawBytes");
    if (raw == element.end() || !raw->is_string()) return malformed("a certificate has no rawBytes");
    const auto der = base::base64_decode(raw->get_ref<const std::string&>());
    if (!der) return malformed("a certificate is not base64");
    HF_TRY(Certificate certificate, Certificate::from_der(*der));
    certificates.push_back(std::move(certificate));
  }
  return certificates;
}

Result<std::string> parse_key_hint(const json& key) {
  // rawBytes and keyDetails: releases before 1.1. The tool passes over them, and so do we: keys come from
  // outside.
  HF_CHECK(check_members(key, "publicKey", {"hint", "rawBytes", "keyDetails"}));
  if (!present(key, "hint")) return std::string();
  if (!key["hint"].is_string()) return malformed("the hint of its publicKey is no text");
  return key["hint"].get<std::string>();
}

// Fills the hint or the certificates.
Result<> parse_material(const json& material, SigningBundle& bundle) {
  HF_CHECK(check_members(
      material, "verificationMaterial",
      {"publicKey", "x509CertificateChain", "certificate", "tlogEntries", "timestampVerificationData"}));
  if (present(material, "certificate")) return from_service();
  if (present(material, "tlogEntries")) {
    const json& entries = material["tlogEntries"];
    if (!entries.is_array()) return malformed("tlogEntries is no list");
    if (!entries.empty()) return from_service();
  }
  if (present(material, "timestampVerificationData")) {
    // Proves when it was signed, which we do not ask; its content is left to who does.
    HF_CHECK(check_members(material["timestampVerificationData"], "timestampVerificationData",
                           {"rfc3161Timestamps"}));
  }
  const bool has_key = present(material, "publicKey");
  if (has_key == present(material, "x509CertificateChain")) {
    return malformed("it names not exactly one of a publicKey and an x509CertificateChain");
  }
  if (has_key) {
    HF_TRY(bundle.key_hint, parse_key_hint(material["publicKey"]));
  } else {
    HF_TRY(bundle.certificates, parse_chain(material["x509CertificateChain"]));
  }
  return {};
}

}  // namespace

std::string key_hint(const crypto::PublicKey& key) {
  return crypto::sha256(base::as_bytes(key.to_pem())).hex();
}

Result<SigningBundle> parse_bundle(std::string_view text) {
  auto parsed = base::parse_json(text, {.max_bytes = kMaxBundleBytes, .max_depth = kMaxDepth});
  if (!parsed && parsed.error().code == ErrorCode::kLimitExceeded) return fail(std::move(parsed).error());
  if (!parsed) return malformed(parsed.error().message);
  const json& root = *parsed;
  HF_CHECK(
      check_members(root, "it", {"mediaType", "verificationMaterial", "dsseEnvelope", "messageSignature"}));
  if (!present(root, "mediaType") || root["mediaType"] != kMediaType) {
    return malformed(fmt::format("its mediaType is not {}", kMediaType));
  }
  if (present(root, "messageSignature") || !present(root, "dsseEnvelope")) {
    return malformed("it has no dsseEnvelope, or a messageSignature beside it");
  }
  if (!present(root, "verificationMaterial")) return malformed("it has no verificationMaterial");
  HF_TRY(auto envelope, crypto::DsseEnvelope::from_json(root["dsseEnvelope"]));
  // sigstore_bundle.proto, Bundle.dsse_envelope.
  if (envelope.signatures().size() != 1) return malformed("its envelope has not exactly one signature");
  SigningBundle bundle{.key_hint = {}, .certificates = {}, .envelope = std::move(envelope)};
  HF_CHECK(parse_material(root["verificationMaterial"], bundle));
  return bundle;
}

std::string write_bundle(const SigningBundle& bundle) {
  json material = {{"tlogEntries", json::array()}};
  if (bundle.certificates.empty()) {
    material["publicKey"] = {{"hint", bundle.key_hint}};
  } else {
    json certificates = json::array();
    for (const Certificate& certificate : bundle.certificates) {
      certificates.push_back({{"rawBytes", base::base64_encode(certificate.der())}});
    }
    material["x509CertificateChain"] = {{"certificates", std::move(certificates)}};
  }
  const json root = {{"mediaType", kMediaType},
                     {"verificationMaterial", std::move(material)},
                     {"dsseEnvelope", bundle.envelope.to_json()}};
  return root.dump();
}

}  // namespace holdfast::inspect
