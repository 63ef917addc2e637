#include "audit/record.h"

#include <fmt/format.h>

#include <array>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "crypto/envelope.h"
#include "crypto/sha256.h"

namespace holdfast::audit {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using nlohmann::json;

constexpr std::size_t kSaltBytes = 32;
constexpr std::string_view kRecordDomain = "holdfast audit record 1\n";
constexpr std::string_view kBodyDomain = "holdfast audit body 1\n";
constexpr std::size_t kMaxPlainBytes = 64UL << 10;

base::Digest commitment_of(base::ByteView plain) {
  crypto::Sha256 hash;
  hash.update(base::as_bytes(kRecordDomain));
  hash.update(plain);
  return hash.finish();
}

std::string context_of(const base::WorkspaceId& workspace, std::uint64_t index) {
  const auto name = body_key_name(workspace, index);
  return fmt::format("{}/{}/{}/{}", name.workspace.value(), name.purpose, name.subject, index);
}

Result<json> parse_details(const std::string& details) {
  if (details.size() > kMaxDetailsBytes) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("the details of an audit record are over {} bytes", kMaxDetailsBytes));
  }
  if (details.empty()) return json::object();
  auto parsed = base::parse_json(details, {.max_bytes = kMaxDetailsBytes, .max_depth = 16});
  if (!parsed) return fail(std::move(parsed).error().within("the details of an audit record"));
  if (!parsed->is_object())
    return fail(ErrorCode::kInvalidArgument, "the details of an audit record are no object");
  return parsed;
}

Result<> check_length(std::string_view field, const std::string& text) {
  if (text.size() <= kMaxFieldBytes) return {};
  return fail(ErrorCode::kLimitExceeded,
              fmt::format("the {} of an audit record is over {} bytes", field, kMaxFieldBytes));
}

tl::unexpected<base::Error> no_record() {
  return fail(ErrorCode::kDataCorrupt, "the body opens, but it is no audit record");
}

Result<std::string> text_at(const json& object, const char* member) {
  const auto found = object.find(member);
  if (found == object.end() || !found->is_string()) return no_record();
  return found->get<std::string>();
}

}  // namespace

Result<OpenedBody> read_plain_body(base::ByteView plain) {
  if (plain.size() < kSaltBytes) return no_record();
  auto parsed = base::parse_json(base::as_text(plain.subspan(kSaltBytes)), {.max_bytes = kMaxPlainBytes});
  if (!parsed || !parsed->is_object()) return no_record();
  const json& object = *parsed;
  OpenedBody opened;
  HF_TRY(opened.record.actor, text_at(object, "actor"));
  HF_TRY(opened.record.action, text_at(object, "action"));
  HF_TRY(opened.record.resource, text_at(object, "resource"));
  HF_TRY(opened.record.decision, text_at(object, "decision"));
  HF_TRY(auto workspace, text_at(object, "workspace"));
  opened.record.workspace = base::WorkspaceId(std::move(workspace));
  const auto at = object.find("at");
  const auto details = object.find("details");
  if (at == object.end() || !at->is_number_integer() || details == object.end() || !details->is_object()) {
    return no_record();
  }
  opened.time = base::Timestamp::from_microseconds(at->get<std::int64_t>());
  if (!details->empty()) opened.record.details = details->dump();
  opened.commitment = commitment_of(plain);
  return opened;
}

Result<Prepared> prepare(const Record& record, base::Timestamp now, base::RandomSource& random) {
  HF_CHECK(keys::full_name(body_key_name(record.workspace, 0)));
  HF_CHECK(check_length("actor", record.actor));
  HF_CHECK(check_length("action", record.action));
  HF_CHECK(check_length("resource", record.resource));
  HF_CHECK(check_length("decision", record.decision));
  HF_TRY(json details, parse_details(record.details));
  json object = json::object();
  object["action"] = record.action;
  object["actor"] = record.actor;
  object["at"] = now.microseconds();
  object["decision"] = record.decision;
  object["details"] = std::move(details);
  object["resource"] = record.resource;
  object["workspace"] = record.workspace.value();
  auto text = base::canonical_json(object);
  if (!text) return fail(std::move(text).error().within("an audit record"));
  base::Bytes plain(kSaltBytes);
  plain.reserve(kSaltBytes + text->size());
  random.fill(plain);
  base::append(plain, *text);
  const auto commitment = commitment_of(plain);
  return Prepared{
      .workspace = record.workspace, .plain = base::Secret(std::move(plain)), .commitment = commitment};
}

keys::KeyName body_key_name(const base::WorkspaceId& workspace, std::uint64_t index) {
  return {
      .workspace = workspace, .purpose = "log", .subject = fmt::format("bodies-{}", index / kRecordsPerKey)};
}

base::Bytes seal_body(const Prepared& record, std::uint64_t index, const crypto::AeadKey& key,
                      base::RandomSource& random) {
  return crypto::seal_envelope(key, context_of(record.workspace, index), record.plain.reveal(), random);
}

Result<base::Secret> open_plain_body(base::ByteView body, const base::WorkspaceId& workspace,
                                     std::uint64_t index, const crypto::AeadKey& key) {
  return crypto::open_envelope(key, context_of(workspace, index), body);
}

Result<OpenedBody> open_body(base::ByteView body, const base::WorkspaceId& workspace, std::uint64_t index,
                             const crypto::AeadKey& key) {
  HF_TRY(const auto plain, open_plain_body(body, workspace, index, key));
  HF_TRY(auto opened, read_plain_body(plain.reveal()));
  if (opened.record.workspace != workspace) return no_record();
  return opened;
}

base::Digest sealed_digest(const base::WorkspaceId& workspace, base::ByteView body) {
  crypto::Sha256 hash;
  hash.update(base::as_bytes(kBodyDomain));
  hash.update(base::as_bytes(workspace.value()));
  hash.update(base::as_bytes("\n"));
  hash.update(body);
  return hash.finish();
}

base::Bytes make_entry(const base::Digest& commitment, const base::Digest& sealed) {
  base::Bytes entry;
  entry.reserve(kEntryBytes);
  base::append(entry, commitment.bytes());
  base::append(entry, sealed.bytes());
  return entry;
}

}  // namespace holdfast::audit
