#include "trust/statement.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "inspect/signing_bundle.h"

namespace holdfast::trust {

using base::ErrorCode;
using base::fail;
using base::Result;
using nlohmann::json;

namespace {

constexpr std::string_view kStatementType = "https://in-toto.io/Statement/v1";

tl::unexpected<base::Error> no_statement(std::string_view why) {
  return fail(ErrorCode::kDataCorrupt, fmt::format("it is no in-toto statement: {}", why));
}

// None where it has no SHA-256: the framework leaves the digests' algorithms open.
Result<std::optional<Subject>> parse_subject(const json& value) {
  if (!value.is_object()) return no_statement("a subject is no object");
  Subject subject;
  if (const auto name = value.find("name"); name != value.end() && name->is_string()) {
    subject.name = name->get<std::string>();
  }
  const auto digests = value.find("digest");
  if (digests == value.end() || !digests->is_object()) return std::optional<Subject>();
  const auto digest = digests->find("sha256");
  if (digest == digests->end()) return std::optional<Subject>();
  if (!digest->is_string()) return no_statement("a subject's sha256 is no text");
  auto parsed = base::Digest::from_hex(digest->get<std::string>());
  if (!parsed) return no_statement("a subject's sha256 is no digest");
  subject.digest = *parsed;
  return std::optional(std::move(subject));
}

Result<SealedStatement> parse_one(std::string_view text, const std::string& origin) {
  HF_TRY(const json value, base::parse_json(text, {.max_bytes = kMaxStatementFileBytes, .max_depth = 16}));
  if (value.is_object() && value.contains("mediaType")) {
    HF_TRY(auto bundle, inspect::parse_bundle(text));
    return SealedStatement{.origin = origin,
                           .envelope = std::move(bundle.envelope),
                           .certificates = std::move(bundle.certificates)};
  }
  HF_TRY(auto envelope, crypto::DsseEnvelope::from_json(value));
  return SealedStatement{.origin = origin, .envelope = std::move(envelope), .certificates = {}};
}

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

}  // namespace

Result<std::string> write_statement(const AttestedStatement& statement) {
  if (statement.subjects.empty()) {
    return fail(ErrorCode::kInvalidArgument, "a statement is about one artefact at least");
  }
  HF_TRY(json predicate, base::parse_json(statement.predicate_json));
  if (!predicate.is_object()) return fail(ErrorCode::kInvalidArgument, "a predicate is a JSON object");
  json subjects = json::array();
  for (const auto& [name, digest] : statement.subjects) {
    subjects.push_back({{"name", name}, {"digest", {{"sha256", digest.hex()}}}});
  }
  return base::canonical_json({{"_type", kStatementType},
                               {"subject", std::move(subjects)},
                               {"predicateType", statement.predicate_type},
                               {"predicate", std::move(predicate)}});
}

Result<std::string> attest(const AttestedStatement& statement, const crypto::PrivateKey& key,
                           std::span<const crypto::Certificate> certificates) {
  HF_TRY(const std::string payload, write_statement(statement));
  auto envelope = crypto::DsseEnvelope::sign(std::string(kStatementPayloadType),
                                             base::Bytes(payload.begin(), payload.end()), key);
  if (certificates.empty()) return envelope.write();
  return inspect::write_bundle({.key_hint = {},
                                .certificates = {certificates.begin(), certificates.end()},
                                .envelope = std::move(envelope)});
}

Result<AttestedStatement> parse_statement(base::ByteView payload) {
  HF_TRY(const json value,
         base::parse_json(base::as_text(payload), {.max_bytes = kMaxStatementFileBytes, .max_depth = 64}));
  if (!value.is_object() || !value.contains("_type") || value["_type"] != kStatementType) {
    return no_statement(fmt::format("its _type is not {}", kStatementType));
  }
  const auto subjects = value.find("subject");
  if (subjects == value.end() || !subjects->is_array() || subjects->size() > kMaxSubjects) {
    return no_statement("its subject is no list that can be read");
  }
  AttestedStatement statement;
  for (const json& element : *subjects) {
    HF_TRY(auto subject, parse_subject(element));
    if (subject) statement.subjects.push_back(*std::move(subject));
  }
  if (statement.subjects.empty()) return no_statement("it is about nothing with a SHA-256");
  const auto type = value.find("predicateType");
  if (type == value.end() || !type->is_string()) return no_statement("it has no predicateType");
  statement.predicate_type = type->get<std::string>();
  const auto predicate = value.find("predicate");
  if (predicate == value.end() || !predicate->is_object()) return no_statement("its predicate is no object");
  statement.predicate_json = predicate->dump();
  return statement;
}

Result<std::vector<SealedStatement>> parse_sealed_statements(std::string_view text,
                                                             const std::string& origin) {
  if (text.size() > kMaxStatementFileBytes) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("{}: a file of statements has at most {} bytes", origin, kMaxStatementFileBytes));
  }
  std::vector<SealedStatement> statements;
  auto whole = parse_one(text, origin);
  if (whole) {
    statements.push_back(*std::move(whole));
    return statements;
  }
  // One a line: then the file as a whole is no JSON.
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (is_blank(line)) continue;
    auto one = parse_one(line, fmt::format("{}:{}", origin, number));
    // What is wrong with a file of one statement is what is wrong with it as a whole.
    if (!one && statements.empty()) return fail(std::move(whole).error().within(origin));
    if (!one) return fail(std::move(one).error().within(fmt::format("{}:{}", origin, number)));
    if (statements.size() == kMaxStatements) {
      return fail(ErrorCode::kLimitExceeded,
                  fmt::format("{} holds over {} statements", origin, kMaxStatements));
    }
    statements.push_back(*std::move(one));
  }
  if (statements.empty()) return fail(std::move(whole).error().within(origin));
  return statements;
}

}  // namespace holdfast::trust
