#include "inspect/signing_manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>

#include <nlohmann/json.hpp>

#include "base/assert.h"
#include "base/encoding.h"
#include "base/json.h"
#include "crypto/sha256.h"

namespace holdfast::inspect {

using base::ByteView;
using base::Digest;
using base::ErrorCode;
using base::fail;
using base::Result;
using nlohmann::json;

namespace {

constexpr std::string_view kStatementType = "https://in-toto.io/Statement/v1";
constexpr std::string_view kPredicateType = "https://model_signing/signature/v1.0";
constexpr std::size_t kMaxStatementBytes = 64UL << 20;
constexpr int kMaxDepth = 16;
constexpr std::string_view kWholeArtefact = ".";
constexpr std::array<std::string_view, 4> kGitPaths{".git", ".gitattributes", ".github", ".gitignore"};

tl::unexpected<base::Error> malformed(std::string_view why) {
  return fail(ErrorCode::kDataCorrupt, fmt::format("the signed manifest is malformed: {}", why));
}

Result<const json*> member(const json& object, const char* name, json::value_t type) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  if (!object.is_object() || found == object.end() || found->type() != type) {
    return malformed(fmt::format("\"{}\" is missing or of the wrong type", name));
  }
  return &*found;
}

Result<std::string> text(const json& object, const char* name) {
  HF_TRY(const json* const value, member(object, name, json::value_t::string));
  return value->get<std::string>();
}

// A relative path with nothing in it that a file system would resolve.
bool is_plain_path(std::string_view path) {
  if (path.find('\0') != std::string_view::npos) return false;
  while (true) {
    const std::size_t end = path.find('/');
    const std::string_view component = path.substr(0, end);
    if (component.empty() || component == "." || component == "..") return false;
    if (end == std::string_view::npos) return true;
    path.remove_prefix(end + 1);
  }
}

std::optional<std::uint64_t> parse_number(std::string_view digits) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
  return value;
}

std::string_view hash_name(ManifestHash hash) { return hash == ManifestHash::kSha256 ? "sha256" : "blake2b"; }
std::size_t hash_size(ManifestHash hash) { return hash == ManifestHash::kSha256 ? 32 : 64; }

// What each resource names as its algorithm (_hashing/io.py, digest_name).
std::string algorithm_name(const Manifest& manifest) {
  if (manifest.shard_size == 0) return std::string(hash_name(manifest.hash));
  return fmt::format("{}-sharded-{}", hash_name(manifest.hash), manifest.shard_size);
}

Result<std::uint64_t> parse_shard_size(const json& serialization) {
  const auto size = serialization.find("shard_size");
  // Numbers pass through protobuf's Struct, where they are doubles, and may come out as 1e9 or 1000000000.0.
  if (size != serialization.end() && size->is_number()) {
    const auto value = size->get<double>();
    constexpr double kMost = 9007199254740992.0;  // 2^53: beyond, a double is no exact integer
    if (value >= 1 && value <= kMost && value == static_cast<double>(static_cast<std::uint64_t>(value))) {
      return static_cast<std::uint64_t>(value);
    }
  }
  return malformed("\"shard_size\" is no positive integer");
}

Result<std::vector<std::string>> parse_ignored(const json& list) {
  if (!list.is_array() || list.size() > kMaxIgnored) {
    return malformed(fmt::format("\"ignore_paths\" is no list of at most {}", kMaxIgnored));
  }
  std::vector<std::string> ignored;
  for (const json& element : list) {
    if (!element.is_string()) return malformed("an entry of \"ignore_paths\" is no text");
    auto path = element.get<std::string>();
    if (path.empty() || path == kWholeArtefact) return malformed("it ignores the whole artefact");
    // An absolute path, or one that leads out, ignores nothing: names of the artefact never begin so.
    if (is_plain_path(path)) ignored.push_back(std::move(path));
  }
  return ignored;
}

Result<> parse_serialization(const json& serialization, Manifest& manifest) {
  HF_TRY(const std::string method, text(serialization, "method"));
  HF_TRY(const std::string hash, text(serialization, "hash_type"));
  HF_TRY(const json* const symlinks, member(serialization, "allow_symlinks", json::value_t::boolean));
  manifest.allow_symlinks = symlinks->get<bool>();
  if (hash == hash_name(ManifestHash::kBlake2b)) {
    manifest.hash = ManifestHash::kBlake2b;
  } else if (hash != hash_name(ManifestHash::kSha256)) {
    return fail(
        ErrorCode::kUnsupported,
        fmt::format("the artefact was signed with the digest {}; sign it with sha256", hash.substr(0, 40)));
  }
  if (method == "shards") {
    HF_TRY(manifest.shard_size, parse_shard_size(serialization));
  } else if (method != "files") {
    return fail(ErrorCode::kUnsupported,
                fmt::format("the artefact was signed by the method {}, which is neither files "
                            "nor shards",
                            method.substr(0, 40)));
  }
  return {};
}

// "file:start:end" of a shard (manifest.py, _Shard).
Result<> parse_shard_name(std::string_view name, ManifestResource& resource) {
  const std::size_t last = name.rfind(':');
  const std::size_t middle = last == std::string_view::npos || last == 0 ? last : name.rfind(':', last - 1);
  if (middle == std::string_view::npos || middle == last)
    return malformed("a shard is not named file:start:end");
  const auto start = parse_number(name.substr(middle + 1, last - middle - 1));
  const auto end = parse_number(name.substr(last + 1));
  if (!start || !end || *end <= *start) return malformed("a shard has no proper start and end");
  resource.file = name.substr(0, middle);
  if (resource.file.find(':') != std::string::npos)
    return malformed("a shard is of a file with a ':' in its name");
  resource.offset = *start;
  resource.size = *end - *start;
  return {};
}

Result<ManifestResource> parse_resource(const json& value, const Manifest& manifest) {
  HF_TRY(const std::string name, text(value, "name"));
  HF_TRY(const std::string algorithm, text(value, "algorithm"));
  HF_TRY(const std::string digest, text(value, "digest"));
  ManifestResource resource{.file = name};
  if (manifest.shard_size > 0) HF_CHECK(parse_shard_name(name, resource));
  const auto shown = [&] { return shown_name(name); };
  if (resource.file != kWholeArtefact && !is_plain_path(resource.file)) {
    return malformed(
        fmt::format("the name {} leads out of the artefact or is not in its simplest form", shown()));
  }
  if (algorithm != algorithm_name(manifest)) {
    return malformed(fmt::format("{} has another algorithm than the manifest", shown()));
  }
  auto bytes = base::hex_decode(digest);
  if (!bytes || bytes->size() != hash_size(manifest.hash)) {
    return malformed(fmt::format("{} has no digest of {} bytes", shown(), hash_size(manifest.hash)));
  }
  resource.digest = *std::move(bytes);
  return resource;
}

// How much of each file the resources so far cover; refuses what does not continue it.
class Coverage {
 public:
  explicit Coverage(std::uint64_t shard_size) : shard_size_(shard_size) {}

  bool add(const ManifestResource& resource) {
    const auto [at, first] = covered_.try_emplace(resource.file, 0);
    if (shard_size_ == 0) return first;
    const bool continues = resource.offset == at->second && resource.offset % shard_size_ == 0;
    at->second = resource.offset + resource.size;
    return continues && resource.size <= shard_size_;
  }

  [[nodiscard]] bool has(std::string_view path) const {
    const auto at = covered_.lower_bound(path);
    // Names beneath a folder begin with it and a slash; what sorts between it and them ('!' to '.') is passed
    // over.
    const auto beneath = covered_.lower_bound(fmt::format("{}/", path));
    return (at != covered_.end() && at->first == path) ||
           (beneath != covered_.end() && beneath->first.starts_with(fmt::format("{}/", path)));
  }
  [[nodiscard]] std::size_t files() const { return covered_.size(); }

 private:
  std::uint64_t shard_size_;
  std::map<std::string, std::uint64_t, std::less<>> covered_;
};

Result<> parse_predicate(const json& predicate, Manifest& manifest) {
  HF_TRY(const json* const serialization, member(predicate, "serialization", json::value_t::object));
  HF_TRY(const json* const resources, member(predicate, "resources", json::value_t::array));
  HF_CHECK(parse_serialization(*serialization, manifest));
  Coverage coverage(manifest.shard_size);
  for (const json& value : *resources) {
    HF_TRY(ManifestResource resource, parse_resource(value, manifest));
    if (!coverage.add(resource)) {
      return malformed(
          fmt::format("{} stands twice, or its shards overlap or leave a gap", shown_name(resource.file)));
    }
    manifest.resources.push_back(std::move(resource));
  }
  if (coverage.files() == 0) return malformed("it lists no file");
  if (coverage.has(kWholeArtefact) && coverage.files() > 1)
    return malformed("it is of one file and of others too");
  if (const auto ignored = serialization->find("ignore_paths"); ignored != serialization->end()) {
    HF_TRY(manifest.ignored, parse_ignored(*ignored));
    const auto both = std::find_if(manifest.ignored.begin(), manifest.ignored.end(),
                                   [&](const std::string& path) { return coverage.has(path); });
    if (both != manifest.ignored.end())
      return malformed(fmt::format("{} is both signed and ignored", shown_name(*both)));
  } else {
    for (const std::string_view path : kGitPaths) {
      if (!coverage.has(path)) manifest.ignored.emplace_back(path);
    }
  }
  return {};
}

}  // namespace

Digest Manifest::root() const {
  crypto::Sha256 sha256;
  for (const ManifestResource& resource : resources) sha256.update(resource.digest);
  return sha256.finish();
}

std::span<const std::string_view> git_paths() { return kGitPaths; }

bool is_ignored(std::string_view file, std::span<const std::string> ignored) {
  return std::any_of(ignored.begin(), ignored.end(), [&](std::string_view path) {
    return file.starts_with(path) && (file.size() == path.size() || file[path.size()] == '/');
  });
}

bool component_less(std::string_view a, std::string_view b) {
  // The slash before every other byte: then text order is the order of lists of components.
  const auto rank = [](char c) { return c == '/' ? 0 : static_cast<int>(static_cast<unsigned char>(c)); };
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [&](char x, char y) { return rank(x) < rank(y); });
}

std::string shown_name(std::string_view name) {
  constexpr std::size_t kMaxShownBytes = 1000;
  return json(name.substr(0, kMaxShownBytes)).dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<Manifest> parse_manifest(ByteView statement) {
  auto parsed =
      base::parse_json(base::as_text(statement), {.max_bytes = kMaxStatementBytes, .max_depth = kMaxDepth});
  if (!parsed) return fail(std::move(parsed).error().within("the signed manifest"));
  HF_TRY(const std::string type, text(*parsed, "_type"));
  HF_TRY(const std::string predicate_type, text(*parsed, "predicateType"));
  if (type != kStatementType || predicate_type != kPredicateType) {
    return fail(
        ErrorCode::kUnsupported,
        fmt::format(
            "the bundle signs a {}, not a {}; bundles of model_signing before 0.3 must be signed again",
            predicate_type.substr(0, 100), kPredicateType));
  }
  HF_TRY(const json* const subjects, member(*parsed, "subject", json::value_t::array));
  if (subjects->size() != 1) return malformed("it has not exactly one subject");
  Manifest manifest;
  HF_TRY(manifest.artefact, text(subjects->front(), "name"));
  if (subjects->front().contains("uri")) {
    HF_TRY(manifest.uri, text(subjects->front(), "uri"));
  }
  HF_TRY(const json* const digests, member(subjects->front(), "digest", json::value_t::object));
  HF_TRY(const std::string root, text(*digests, "sha256"));
  HF_TRY(const json* const predicate, member(*parsed, "predicate", json::value_t::object));
  HF_CHECK(parse_predicate(*predicate, manifest));
  if (manifest.root().hex() != root) return malformed("its root digest is not that of its resources");
  return manifest;
}

Result<std::string> write_manifest(const Manifest& manifest) {
  HF_ASSERT(manifest.shard_size == 0);
  json resources = json::array();
  for (const ManifestResource& resource : manifest.resources) {
    resources.push_back({{"name", resource.file},
                         {"algorithm", algorithm_name(manifest)},
                         {"digest", base::hex_encode(resource.digest)}});
    if (!base::canonical_json(resources.back()["name"])) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("the file name {} is not UTF-8; rename the file", shown_name(resource.file)));
    }
  }
  json serialization = {{"method", "files"},
                        {"hash_type", hash_name(manifest.hash)},
                        {"allow_symlinks", manifest.allow_symlinks}};
  if (!manifest.ignored.empty()) serialization["ignore_paths"] = manifest.ignored;
  json subject = {{"name", manifest.artefact}, {"digest", {{"sha256", manifest.root().hex()}}}};
  if (!manifest.uri.empty()) subject["uri"] = manifest.uri;
  auto statement = base::canonical_json(
      {{"_type", kStatementType},
       {"subject", json::array({std::move(subject)})},
       {"predicateType", kPredicateType},
       {"predicate", {{"serialization", std::move(serialization)}, {"resources", std::move(resources)}}}});
  if (!statement) {
    return fail(std::move(statement).error().within("the name of the artefact or of an ignored path"));
  }
  return statement;
}

}  // namespace holdfast::inspect
