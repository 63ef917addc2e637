#include "registry/statement.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "crypto/dsse.h"

namespace holdfast::registry {

using base::ErrorCode;
using base::fail;
using base::Result;
using nlohmann::json;

namespace {

constexpr std::string_view kStatementType = "https://in-toto.io/Statement/v1";

tl::unexpected<base::Error> fail_statement(std::string_view what) {
  return fail(ErrorCode::kDataCorrupt, "this envelope holds no statement of evidence: " + std::string(what));
}

}  // namespace

Result<std::string> sign_statement(const Statement& statement, const crypto::PrivateKey& key) {
  HF_TRY(json predicate, base::parse_json(statement.predicate_json));
  if (!predicate.is_object()) return fail(ErrorCode::kInvalidArgument, "a predicate is a JSON object");
  const json value{
      {"_type", kStatementType},
      {"subject",
       json::array({{{"name", statement.subject_name}, {"digest", {{"sha256", statement.subject.hex()}}}}})},
      {"predicateType", statement.predicate_type},
      {"predicate", std::move(predicate)}};
  HF_TRY(const std::string text, base::canonical_json(value));
  return crypto::DsseEnvelope::sign(std::string(kStatementPayloadType), base::Bytes(text.begin(), text.end()),
                                    key)
      .write();
}

Result<Statement> open_statement(std::string_view envelope, std::span<const crypto::PublicKey> trusted) {
  HF_TRY(const auto sealed, crypto::DsseEnvelope::parse(envelope));
  HF_TRY(const auto payload, sealed.verify(kStatementPayloadType, trusted));
  HF_TRY(const json value, base::parse_json(base::as_text(payload.bytes())));
  if (!value.is_object() || !value.contains("_type") || value["_type"] != kStatementType)
    return fail_statement("_type");
  const auto subjects = value.find("subject");
  if (subjects == value.end() || !subjects->is_array() || subjects->size() != 1 ||
      !subjects->front().is_object()) {
    return fail_statement("subject is not exactly one");
  }
  const json& subject = subjects->front();
  const auto name = subject.find("name");
  const auto digest = subject.find("digest");
  if (name == subject.end() || !name->is_string()) return fail_statement("subject.name");
  if (digest == subject.end() || !digest->is_object() || !digest->contains("sha256") ||
      !(*digest)["sha256"].is_string()) {
    return fail_statement("subject.digest.sha256");
  }
  const auto type = value.find("predicateType");
  if (type == value.end() || !type->is_string()) return fail_statement("predicateType");
  const auto predicate = value.find("predicate");
  if (predicate == value.end() || !predicate->is_object()) return fail_statement("predicate");
  HF_TRY(const auto subject_digest, base::Digest::from_hex((*digest)["sha256"].get<std::string>()));
  return Statement{.subject_name = name->get<std::string>(),
                   .subject = subject_digest,
                   .predicate_type = type->get<std::string>(),
                   .predicate_json = predicate->dump()};
}

}  // namespace holdfast::registry
