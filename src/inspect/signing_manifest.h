#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/result.h"

// The manifest of a signed artefact: OpenSSF Model Signing 1.0, the in-toto statement that is the payload of
// its bundles (github.com/sigstore/model-transparency, model_signing/_signing/signing.py). Plain values.

namespace holdfast::inspect {

inline constexpr std::size_t kMaxIgnored = 1000;

enum class ManifestHash { kSha256, kBlake2b };  // kBlake2b: 64 bytes, RFC 7693

// A file, or a shard of one.
struct ManifestResource {
  std::string file;          // relative, components apart by '/'; "." where the artefact is one file
  std::uint64_t offset = 0;  // 0 unless the manifest has shards
  std::uint64_t size = 0;    // bytes; known for shards alone
  base::Bytes digest;
};

struct Manifest {
  std::string artefact;  // its name when it was signed; tells nothing about its name now
  // What it is, as a package URL with its version ("pkg:generic/credit@1.4.0"): the subject's uri, which
  // other tools pass over. Empty where the signer did not say.
  std::string uri;
  ManifestHash hash = ManifestHash::kSha256;
  std::uint64_t shard_size = 0;  // bytes; 0: each resource is a whole file
  bool allow_symlinks = false;
  // Files and folders, relative, that are not part of the artefact; kMaxIgnored at most.
  std::vector<std::string> ignored;
  std::vector<ManifestResource> resources;

  // SHA-256 over the digests in their order: what names the artefact.
  [[nodiscard]] base::Digest root() const;
};

// What the tool leaves out of every signature by default.
std::span<const std::string_view> git_paths();

// Whether `file` is one of `ignored` or lies beneath one.
bool is_ignored(std::string_view file, std::span<const std::string> ignored);

// Refuses what could be read in two ways or reaches out of the artefact: names that are absolute or hold
// "..", "." or nothing between slashes; names that stand twice or are ignored too; shards that leave gaps; a
// root digest that is not that of the resources. A manifest without ignore_paths, as releases before 1.1
// write it, ignores git_paths() but for those that hold something signed. Members beyond those of 1.0 are
// passed over, as the format asks. kDataCorrupt; kUnsupported for an older format or another digest.
base::Result<Manifest> parse_manifest(base::ByteView statement);

// A manifest of whole files, its resources sorted as the tool sorts them (by path component).
// kInvalidArgument for a name that is not UTF-8.
base::Result<std::string> write_manifest(const Manifest& manifest);

// The order of the tool's resources.
bool component_less(std::string_view a, std::string_view b);

// A file's name for a message: in quotes, as UTF-8 without control characters whatever its bytes are.
std::string shown_name(std::string_view name);

}  // namespace holdfast::inspect
