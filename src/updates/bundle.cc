#include "updates/bundle.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/json.h"
#include "crypto/dsse.h"
#include "crypto/sha256.h"
#include "formats/tar.h"

namespace holdfast::updates {

using base::ErrorCode;
using base::fail;
using base::Result;
using nlohmann::json;

namespace {

constexpr std::string_view kPayloadType = "application/vnd.in-toto+json";
constexpr std::string_view kStatementType = "https://in-toto.io/Statement/v1";
constexpr std::size_t kMaxNameBytes = 99;  // ustar's field, with its end
constexpr std::size_t kMaxKindBytes = 40;
constexpr std::size_t kBlock = 512;
constexpr std::size_t kPiece = 64UL << 10;

tl::unexpected<base::Error> corrupt(std::string_view why) {
  return fail(ErrorCode::kDataCorrupt, fmt::format("it is no bundle of Holdfast's: {}", why));
}

bool is_name(std::string_view name) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/";
  if (name.empty() || name.size() > kMaxNameBytes || name == kStatementFile) return false;
  if (name.find_first_not_of(kAllowed) != std::string_view::npos) return false;
  while (!name.empty()) {
    const auto part = name.substr(0, name.find('/'));
    if (part.empty() || part.front() == '.' || part.size() + 1 == name.size()) return false;
    name.remove_prefix(std::min(part.size() + 1, name.size()));
  }
  return true;
}

Result<base::Digest> digest_of(const formats::Source& source) {
  crypto::Sha256 hash;
  base::Bytes piece(kPiece);
  for (std::uint64_t at = 0; at < source.size();) {
    HF_TRY(const std::size_t got, source.read_at(at, piece));
    if (got == 0) return corrupt("it ends too early");
    hash.update(base::ByteView(piece).first(got));
    at += got;
  }
  return hash.finish();
}

// POSIX.1-2017 pax, "ustar Interchange Format", of a regular file without owner and time, so that equal
// contents make equal archives.
base::Bytes tar_header(std::string_view name, std::uint64_t size) {
  base::Bytes block(kBlock, 0);
  const auto put = [&block](std::size_t at, std::string_view text) {
    std::copy(text.begin(), text.end(), block.begin() + static_cast<std::ptrdiff_t>(at));
  };
  put(0, name);
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, fmt::format("{:011o}", size));
  put(136, "00000000000");
  put(148, "        ");
  put(156, "0");
  put(257, std::string_view("ustar\00000", 8));
  unsigned sum = 0;
  for (const auto byte : block) sum += byte;
  put(148, fmt::format("{:06o}", sum));
  block[154] = 0;
  return block;
}

Result<> write_padding(base::AtomicFile& to, std::uint64_t size) {
  const base::Bytes zeros((kBlock - (size % kBlock)) % kBlock, 0);
  return to.write(zeros);
}

Result<> write_file(base::AtomicFile& to, std::string_view name, const formats::Source& content) {
  HF_CHECK(to.write(tar_header(name, content.size())));
  base::Bytes piece(kPiece);
  for (std::uint64_t at = 0; at < content.size();) {
    HF_TRY(const std::size_t got, content.read_at(at, piece));
    if (got == 0) return fail(ErrorCode::kConflict, fmt::format("{} became shorter while it was read", name));
    HF_CHECK(to.write(base::ByteView(piece).first(got)));
    at += got;
  }
  return write_padding(to, content.size());
}

Result<std::string> sign(const Edition& edition, std::span<const BundleInput> files,
                         const crypto::PrivateKey& key) {
  json subjects = json::array();
  for (const auto& file : files) {
    HF_TRY(const auto digest, digest_of(*file.content));
    subjects.push_back({{"name", file.name}, {"digest", {{"sha256", digest.hex()}}}});
  }
  const json statement{{"_type", kStatementType},
                       {"subject", std::move(subjects)},
                       {"predicateType", kUpdatePredicate},
                       {"predicate",
                        {{"kind", edition.kind},
                         {"version", edition.version},
                         {"issued_at", edition.issued_at.text()},
                         {"expires_at", edition.expires_at.text()}}}};
  HF_TRY(const std::string text, base::canonical_json(statement));
  return crypto::DsseEnvelope::sign(std::string(kPayloadType), base::Bytes(text.begin(), text.end()), key)
      .write();
}

struct Signed {
  Edition edition;
  base::Digest signer;
  std::map<std::string, base::Digest, std::less<>> subjects;
};

Result<base::Timestamp> moment_of(const json& predicate, const char* name) {
  const auto found = predicate.find(name);
  if (found == predicate.end() || !found->is_string()) return corrupt(fmt::format("it has no {}", name));
  return base::Timestamp::parse(found->get_ref<const std::string&>());
}

Result<Edition> edition_of(const json& predicate) {
  if (!predicate.is_object() || !predicate.contains("kind") || !predicate["kind"].is_string() ||
      !predicate.contains("version") || !predicate["version"].is_number_integer()) {
    return corrupt("its predicate lacks kind or version");
  }
  Edition edition{
      .kind = predicate["kind"], .version = predicate["version"], .issued_at = {}, .expires_at = {}};
  if (edition.version < 1 || edition.kind.size() > kMaxKindBytes)
    return corrupt("its version or kind can't be");
  HF_TRY(edition.issued_at, moment_of(predicate, "issued_at"));
  HF_TRY(edition.expires_at, moment_of(predicate, "expires_at"));
  return edition;
}

Result<> read_subject(const json& subject, Signed& to) {
  const json::json_pointer digest("/digest/sha256");
  if (!subject.is_object() || !subject.contains("name") || !subject["name"].is_string() ||
      !subject.contains("digest") || !subject["digest"].is_object() || !subject.contains(digest) ||
      !subject[digest].is_string()) {
    return corrupt("a subject has no name or no SHA-256");
  }
  const auto& name = subject["name"].get_ref<const std::string&>();
  HF_TRY(const auto sha256, base::Digest::from_hex(subject[digest].get_ref<const std::string&>()));
  if (!is_name(name) || !to.subjects.emplace(name, sha256).second)
    return corrupt("a subject's name can't be");
  return {};
}

Result<Signed> open_statement(std::string_view envelope, std::span<const crypto::PublicKey> trusted) {
  HF_TRY(const auto sealed, crypto::DsseEnvelope::parse(envelope));
  auto payload = sealed.verify(kPayloadType, trusted);
  if (!payload && payload.error().code == ErrorCode::kUnauthenticated) {
    return fail(ErrorCode::kUnauthenticated, "no key that is trusted for it has signed it");
  }
  if (!payload) return fail(std::move(payload).error());
  HF_TRY(const json statement, base::parse_json(base::as_text(payload->bytes())));
  if (!statement.is_object() || statement.value("_type", json()) != kStatementType ||
      statement.value("predicateType", json()) != kUpdatePredicate || !statement.contains("predicate") ||
      !statement.contains("subject") || !statement["subject"].is_array()) {
    return corrupt("what is signed is no statement about an update");
  }
  HF_TRY(auto edition, edition_of(statement["predicate"]));
  Signed opened{.edition = std::move(edition), .signer = payload->signers().front(), .subjects = {}};
  if (statement["subject"].size() > kMaxBundleFiles) return corrupt("it has too many files");
  for (const auto& subject : statement["subject"]) HF_CHECK(read_subject(subject, opened));
  return opened;
}

Result<std::string> read_all(formats::TarReader& tar, std::uint64_t size) {
  if (size > kMaxStatementBytes) return fail(ErrorCode::kLimitExceeded, "its statement is too large");
  std::string text(static_cast<std::size_t>(size), '\0');
  for (std::size_t at = 0; at < text.size();) {
    HF_TRY(const std::size_t got,
           tar.read({reinterpret_cast<std::uint8_t*>(text.data()) + at, text.size() - at}));
    if (got == 0) return corrupt("it is truncated");
    at += got;
  }
  return text;
}

Result<base::Digest> digest_of(formats::TarReader& tar) {
  crypto::Sha256 hash;
  base::Bytes piece(kPiece);
  while (true) {
    HF_TRY(const std::size_t got, tar.read(piece));
    if (got == 0) return hash.finish();
    hash.update(base::ByteView(piece).first(got));
  }
}

}  // namespace

Result<> write_bundle(const std::filesystem::path& path, const Edition& edition,
                      std::span<const BundleInput> files, const crypto::PrivateKey& key) {
  if (edition.version < 1) return fail(ErrorCode::kInvalidArgument, "a version is a number from 1 on");
  if (edition.expires_at <= edition.issued_at) {
    return fail(ErrorCode::kInvalidArgument, "it would expire before it is issued");
  }
  if (files.empty() || files.size() > kMaxBundleFiles) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("a bundle holds 1 to {} files", kMaxBundleFiles));
  }
  std::map<std::string_view, bool> names;
  for (const auto& file : files) {
    if (!is_name(file.name) || !names.emplace(file.name, true).second) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("a bundle can't hold a file named \"{}\"", file.name));
    }
    if (file.content->size() > kMaxBundleFileBytes) {
      return fail(ErrorCode::kLimitExceeded,
                  fmt::format("{} is larger than {} GiB", file.name, kMaxBundleFileBytes >> 30));
    }
  }
  HF_TRY(const std::string envelope, sign(edition, files, key));
  HF_TRY(auto to, base::AtomicFile::create(path, 0644));
  HF_CHECK(write_file(to, kStatementFile, formats::MemorySource(base::as_bytes(envelope))));
  for (const auto& file : files) HF_CHECK(write_file(to, file.name, *file.content));
  HF_CHECK(to.write(base::Bytes(2 * kBlock, 0)));
  return to.commit();
}

Result<Bundle> Bundle::open(const formats::Source& file, std::string_view kind,
                            std::span<const crypto::PublicKey> trusted) {
  Bundle bundle(file);
  formats::SourceStream stream(file);
  formats::TarReader tar(stream);
  HF_TRY(const auto first, tar.next());
  if (!first || first->name != kStatementFile || first->type != formats::TarType::kFile) {
    return corrupt(fmt::format("{} is not the first file in it", kStatementFile));
  }
  HF_TRY(bundle.statement_, read_all(tar, first->size));
  HF_TRY(auto opened, open_statement(bundle.statement_, trusted));
  bundle.edition_ = std::move(opened.edition);
  bundle.signer_ = opened.signer;
  if (bundle.edition_.kind != kind) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("it is a bundle of {}, not of {}", bundle.edition_.kind, kind));
  }
  while (true) {
    HF_TRY(const auto entry, tar.next());
    if (!entry) break;
    const auto subject = opened.subjects.find(entry->name);
    if (subject == opened.subjects.end() || entry->type != formats::TarType::kFile) {
      return corrupt("it holds a file that is not signed");
    }
    HF_TRY(const auto digest, digest_of(tar));
    if (digest != subject->second) {
      return fail(ErrorCode::kDataCorrupt, fmt::format("{} in it is not what was signed", entry->name));
    }
    bundle.files_.push_back({.name = entry->name, .offset = entry->data_offset, .size = entry->size});
    opened.subjects.erase(subject);
  }
  if (!opened.subjects.empty()) return corrupt(fmt::format("{} is missing", opened.subjects.begin()->first));
  return bundle;
}

Result<std::string> Bundle::read(const File& file, std::size_t max_bytes) const {
  if (file.size > max_bytes) {
    return fail(ErrorCode::kLimitExceeded, fmt::format("{} has more than {} bytes", file.name, max_bytes));
  }
  HF_TRY(const auto bytes, formats::read_exactly(*whole_, file.offset, static_cast<std::size_t>(file.size)));
  return std::string(base::as_text(bytes));
}

Result<Edition> read_edition(std::string_view envelope, std::span<const crypto::PublicKey> trusted) {
  HF_TRY(auto opened, open_statement(envelope, trusted));
  return std::move(opened.edition);
}

Result<> check_succession(const Edition& current, const Edition& next, base::Timestamp now) {
  if (next.version < current.version) {
    return fail(ErrorCode::kPermissionDenied,
                fmt::format("it is version {}, and {} is in force: going back is refused", next.version,
                            current.version));
  }
  if (next.expires_at <= now) {
    return fail(ErrorCode::kPermissionDenied,
                fmt::format("version {} expired at {}", next.version, next.expires_at.text()));
  }
  return {};
}

}  // namespace holdfast::updates
