#include "supply/image.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "crypto/sha256.h"
#include "formats/tar.h"
#include "supply/image_tree.h"
#include "supply/json_document.h"

namespace holdfast::supply {
namespace {

using base::ErrorCode;
using Json = nlohmann::json;

constexpr std::size_t kMaxManifestBytes = 16UL << 20;
constexpr int kMaxIndexDepth = 4;
constexpr std::size_t kMaxImages = 64;
constexpr std::string_view kBlobs = "blobs/sha256/";

struct Member {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::string link;  // where it is one
};

tl::unexpected<base::Error> corrupt(std::string message) {
  return base::fail(ErrorCode::kDataCorrupt, std::move(message));
}

// The tar that holds the image: its members, and the chains of layers that its manifests name.
class Archive {
 public:
  explicit Archive(const formats::Source& file) : file_(&file) {}

  // Whether it is an image. An error of a tar that shows no sign of being one is not for us to tell.
  base::Result<bool> list() {
    formats::SourceStream stream(*file_);
    formats::TarReader tar(stream);
    while (true) {
      auto entry = tar.next();
      if (!entry) return looks_like_one() ? base::Result<bool>(base::fail(std::move(entry).error())) : false;
      if (!*entry) return looks_like_one();
      HF_CHECK(add(**entry));
    }
  }

  [[nodiscard]] bool is_flat() const {
    return !members_.contains("manifest.json") && !members_.contains("index.json");
  }

  // Of each image in it, the names of its layers, lowest first.
  base::Result<std::set<std::vector<std::string>>> images() {
    if (members_.contains("manifest.json")) HF_CHECK(read_docker_manifest());
    if (members_.contains("index.json")) {
      HF_TRY(const auto index, json("index.json"));
      HF_CHECK(read_oci(index, 0));
    }
    return std::move(images_);
  }

  // kNotFound.
  base::Result<formats::RangeSource> open(std::string_view name) const {
    auto found = members_.find(name);
    if (found != members_.end() && !found->second.link.empty()) found = members_.find(found->second.link);
    if (found == members_.end() || !found->second.link.empty()) {
      return base::fail(ErrorCode::kNotFound, fmt::format("{} is not in it", name));
    }
    HF_TRY(auto source, formats::RangeSource::create(*file_, found->second.offset, found->second.size));
    if (name.starts_with(kBlobs)) HF_CHECK(check_digest(source, name));
    return source;
  }

  [[nodiscard]] const std::vector<std::string>& gaps() const { return gaps_; }
  [[nodiscard]] const std::string& duplicate() const { return duplicate_; }

 private:
  [[nodiscard]] bool looks_like_one() const {
    return !is_flat() || members_.contains("etc/os-release") || members_.contains("usr/lib/os-release");
  }

  base::Result<> add(const formats::TarEntry& entry) {
    if (entry.type == formats::TarType::kFolder) return {};
    const auto name = path_in_image(entry.name);
    if (!name) return looks_like_one() ? base::Result<>(base::fail(name.error())) : base::Result<>();
    Member member{.offset = entry.data_offset, .size = entry.size, .link = {}};
    if (entry.type == formats::TarType::kSymbolicLink) {
      // Docker's older layers that are shared: "../<id>/layer.tar".
      constexpr std::string_view kUp = "../";
      if (!entry.link.starts_with(kUp)) return {};
      const auto target = path_in_image(std::string_view(entry.link).substr(kUp.size()));
      if (!target) return {};
      member.link = *target;
    } else if (entry.type != formats::TarType::kFile) {
      return {};
    }
    if (!members_.emplace(*name, std::move(member)).second) duplicate_ = *name;
    return {};
  }

  static base::Result<> check_digest(const formats::Source& source, std::string_view name) {
    crypto::Sha256 hash;
    formats::SourceStream stream(source);
    base::Bytes buffer(1UL << 20);
    while (true) {
      HF_TRY(const auto count, stream.read(buffer));
      if (count == 0) break;
      hash.update(base::ByteView(buffer).first(count));
    }
    if (hash.finish().hex() == name.substr(kBlobs.size())) return {};
    return corrupt(fmt::format("{} does not have the digest that it is named by", name));
  }

  base::Result<Json> json(const std::string& name) const {
    HF_TRY(const auto source, open(name));
    if (source.size() > kMaxManifestBytes) {
      return base::fail(ErrorCode::kLimitExceeded,
                        fmt::format("{} is larger than {} MiB", name, kMaxManifestBytes >> 20));
    }
    HF_TRY(const auto bytes, formats::read_exactly(source, 0, static_cast<std::size_t>(source.size())));
    auto document = base::parse_json(base::as_text(bytes), {.max_bytes = kMaxManifestBytes, .max_depth = 32});
    if (!document) return corrupt(fmt::format("{}: {}", name, document.error().message));
    return *std::move(document);
  }

  base::Result<> keep(std::vector<std::string> layers) {
    if (layers.size() > kMaxLayers || images_.size() == kMaxImages) {
      return base::fail(
          ErrorCode::kLimitExceeded,
          fmt::format("it holds more than {} images, or one of more than {} layers", kMaxImages, kMaxLayers));
    }
    images_.insert(std::move(layers));
    return {};
  }

  base::Result<> read_docker_manifest() {
    HF_TRY(const auto manifest, json("manifest.json"));
    if (!manifest.is_array()) return corrupt("manifest.json is no list of images");
    for (const auto& image : manifest) {
      const auto listed = image.is_object() ? image.find("Layers") : image.end();
      if (listed == image.end() || !listed->is_array())
        return corrupt("manifest.json: an image has no layers");
      std::vector<std::string> layers;
      for (const auto& layer : *listed) {
        if (!layer.is_string()) return corrupt("manifest.json: a layer has no name");
        HF_TRY(auto name, path_in_image(layer.get<std::string>()));
        layers.push_back(std::move(name));
      }
      HF_CHECK(keep(std::move(layers)));
    }
    return {};
  }

  static base::Result<std::string> blob_of(const Json& descriptor) {
    constexpr std::string_view kAlgorithm = "sha256:";
    const auto digest = descriptor.is_object() ? text_of(descriptor, "digest") : std::string();
    const auto hex = std::string_view(digest).substr(std::min(digest.size(), kAlgorithm.size()));
    const bool is_hex = std::all_of(hex.begin(), hex.end(),
                                    [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
    if (!digest.starts_with(kAlgorithm) || hex.size() != 64 || !is_hex) {
      return base::fail(ErrorCode::kUnsupported, "it names a blob by another digest than SHA-256");
    }
    return std::string(kBlobs).append(hex);
  }

  // An index, or the manifest of one image.
  base::Result<> read_oci(const Json& document, int depth) {
    if (!document.is_object()) return corrupt("a manifest is no JSON object");
    if (const auto layers = document.find("layers"); layers != document.end())
      return read_oci_layers(*layers);
    const auto manifests = document.find("manifests");
    if (manifests == document.end() || !manifests->is_array()) return corrupt("an index names no manifests");
    if (depth == kMaxIndexDepth)
      return base::fail(ErrorCode::kLimitExceeded, "its indexes are nested too deep");
    for (const auto& descriptor : *manifests) {
      HF_TRY(const auto blob, blob_of(descriptor));
      if (++manifests_ > kMaxImages) {
        return base::fail(ErrorCode::kLimitExceeded,
                          fmt::format("it names more than {} manifests", kMaxImages));
      }
      // An index of several platforms is saved with the blobs of some.
      if (!members_.contains(blob)) {
        gaps_.push_back(fmt::format("{}: an image that its index names is not in the file", blob));
        continue;
      }
      HF_TRY(const auto nested, json(blob));
      HF_CHECK(read_oci(nested, depth + 1));
    }
    return {};
  }

  base::Result<> read_oci_layers(const Json& listed) {
    if (!listed.is_array()) return corrupt("a manifest's layers are no list");
    std::vector<std::string> layers;
    for (const auto& descriptor : listed) {
      HF_TRY(auto blob, blob_of(descriptor));
      const auto type = text_of(descriptor, "mediaType");
      if (type.find("encrypted") != std::string::npos) {
        return base::fail(ErrorCode::kUnsupported, fmt::format("{} is an encrypted layer", blob));
      }
      // Attestations and other artefacts are kept beside images, as manifests too.
      if (type.find("tar") == std::string::npos) {
        gaps_.push_back(fmt::format("{}: it is no layer of files but {}", blob, type));
        continue;
      }
      layers.push_back(std::move(blob));
    }
    return layers.empty() ? base::Result<>() : keep(std::move(layers));
  }

  const formats::Source* file_;
  std::map<std::string, Member, std::less<>> members_;
  std::set<std::vector<std::string>> images_;
  std::vector<std::string> gaps_;
  std::string duplicate_;  // a name that is there twice
  std::size_t manifests_ = 0;
};

base::Result<Inventory> read_saved(Archive& archive, ImageBudget& budget, const std::string& path) {
  if (!archive.duplicate().empty()) {
    return corrupt(
        fmt::format("it holds {} twice, so that readers may see different images", archive.duplicate()));
  }
  HF_TRY(const auto images, archive.images());
  Inventory all;
  for (const auto& gap : archive.gaps()) all.gaps.push_back(path + ":" + gap);
  for (const auto& layers : images) {
    ImageTree tree(budget);
    for (const auto& layer : layers) {
      auto source = archive.open(layer);
      if (!source) return corrupt(source.error().message);
      if (auto applied = tree.apply(*source); !applied) {
        return base::fail(std::move(applied).error().within(layer));
      }
    }
    all.add(tree.packages(path));
  }
  return all;
}

base::Result<Inventory> read_known(const formats::Source& file, Archive& archive, const std::string& path) {
  ImageBudget budget{
      .entries = kMaxImageEntries, .kept_bytes = kMaxKeptBytes, .expanded_bytes = kMaxExpandedBytes};
  if (!archive.is_flat()) return read_saved(archive, budget, path);
  ImageTree tree(budget);
  HF_CHECK(tree.apply(file));
  return tree.packages(path);
}

}  // namespace

base::Result<std::optional<Inventory>> read_image(const formats::Source& file, const std::string& path) {
  constexpr std::size_t kTarBlock = 512;
  base::Bytes head(kTarBlock);
  HF_TRY(const auto count, file.read_at(0, head));
  if (count < kTarBlock || !formats::is_tar_header(head)) return std::optional<Inventory>();
  Archive archive(file);
  HF_TRY(const auto is_image, archive.list());
  if (!is_image) return std::optional<Inventory>();
  auto inventory = read_known(file, archive, path);
  if (!inventory) return base::fail(std::move(inventory).error().within(path));
  return std::optional(*std::move(inventory));
}

}  // namespace holdfast::supply
