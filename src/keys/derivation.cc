#include "keys/derivation.h"

#include <limits>

#include <nlohmann/json.hpp>

#include "base/encoding.h"
#include "base/file.h"
#include "base/json.h"
#include "crypto/envelope.h"

namespace holdfast::keys {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using nlohmann::json;

constexpr int kVersion = 1;
constexpr std::string_view kCheckContext = "master";  // no key's full name: those have two slashes
constexpr std::string_view kCheckText = "holdfast master key check";
constexpr base::JsonLimits kLimits{.max_bytes = kMaxMasterFileBytes, .max_depth = 4};

Result<base::Bytes> bytes_at(const json& object, const char* member) {
  const auto found = object.find(member);
  if (found == object.end() || !found->is_string()) {
    return fail(ErrorCode::kDataCorrupt, std::string("it has no text \"") + member + "\"");
  }
  auto bytes = base::base64_decode(found->get_ref<const std::string&>());
  if (!bytes) return fail(ErrorCode::kDataCorrupt, std::string("its \"") + member + "\" is no base64");
  return *std::move(bytes);
}

Result<std::uint32_t> number_at(const json& object, const char* member) {
  const auto found = object.find(member);
  if (found == object.end() || !found->is_number_unsigned() ||
      found->get<std::uint64_t>() > std::numeric_limits<std::uint32_t>::max()) {
    return fail(ErrorCode::kDataCorrupt, std::string("it has no number \"") + member + "\"");
  }
  return found->get<std::uint32_t>();
}

Result<Derivation> derivation_of(const json& object) {
  if (!object.is_object()) return fail(ErrorCode::kDataCorrupt, "its \"argon2id\" is no object");
  Derivation derivation;
  HF_TRY(derivation.salt, bytes_at(object, "salt"));
  HF_TRY(derivation.cost.memory_kib, number_at(object, "memory_kib"));
  HF_TRY(derivation.cost.passes, number_at(object, "passes"));
  HF_TRY(derivation.cost.lanes, number_at(object, "lanes"));
  return derivation;
}

Result<base::Timestamp> time_of(const json& value) {
  auto parsed = value.is_string() ? base::Timestamp::parse(value.get_ref<const std::string&>())
                                  : Result<base::Timestamp>(fail(ErrorCode::kInvalidArgument, "no text"));
  if (!parsed) return fail(ErrorCode::kDataCorrupt, "its \"since\" is no time");
  return *parsed;
}

}  // namespace

std::string format_master_file(const MasterFile& file) {
  json object{{"version", kVersion}, {"check", base::base64_encode(file.check)}};
  if (file.derivation) {
    object["argon2id"] = {{"salt", base::base64_encode(file.derivation->salt)},
                          {"memory_kib", file.derivation->cost.memory_kib},
                          {"passes", file.derivation->cost.passes},
                          {"lanes", file.derivation->cost.lanes}};
  }
  if (file.since) object["since"] = file.since->text();
  return object.dump(2) + "\n";
}

Result<MasterFile> parse_master_file(std::string_view text) {
  auto parsed = base::parse_json(text, kLimits);
  if (!parsed || !parsed->is_object()) return fail(ErrorCode::kDataCorrupt, "it is no JSON object");
  const json& object = *parsed;
  HF_TRY(const auto version, number_at(object, "version"));
  if (version != kVersion) {
    return fail(ErrorCode::kUnsupported, "it was written by a later version of Holdfast");
  }
  MasterFile file;
  HF_TRY(file.check, bytes_at(object, "check"));
  if (const auto found = object.find("argon2id"); found != object.end()) {
    HF_TRY(file.derivation, derivation_of(*found));
  }
  if (const auto found = object.find("since"); found != object.end()) {
    HF_TRY(file.since, time_of(*found));
  }
  return file;
}

Result<std::optional<MasterFile>> read_master_file(const std::filesystem::path& folder) {
  const auto path = folder / kMasterFile;
  auto bytes = base::read_file(path, kMaxMasterFileBytes);
  if (!bytes && bytes.error().code == ErrorCode::kNotFound) return std::optional<MasterFile>();
  if (!bytes) return fail(std::move(bytes).error());
  auto file = parse_master_file(base::as_text(*bytes));
  if (!file) return fail(std::move(file).error().within(path.string()));
  return std::optional<MasterFile>(*std::move(file));
}

MasterFile master_file_of(const MasterKey& master, base::Timestamp now, base::RandomSource& random) {
  return {.derivation = master.derivation(),
          .check = crypto::seal_envelope(master.key(), kCheckContext, base::as_bytes(kCheckText), random),
          .since = now};
}

Result<bool> fits(const MasterFile& file, const MasterKey& master) {
  const auto opened = crypto::open_envelope(master.key(), kCheckContext, file.check);
  if (!opened && opened.error().code == ErrorCode::kUnsupported) return fail(opened.error());
  return opened && opened->reveal_text() == kCheckText;
}

}  // namespace holdfast::keys
