#include "supply/image_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "formats/decompressor.h"
#include "formats/tar.h"
#include "supply/package_files.h"

namespace holdfast::supply {
namespace {

using base::ErrorCode;

constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";
constexpr std::size_t kTarBlock = 512;
constexpr std::uint64_t kNameCost = 64;  // bytes that a kept name takes besides itself

std::size_t start_of_name(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? 0 : slash + 1;
}

base::Result<base::Bytes> contents(formats::TarReader& tar, const formats::TarEntry& entry) {
  base::Bytes bytes(static_cast<std::size_t>(entry.size));
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    HF_TRY(const auto count, tar.read(base::MutableByteView(bytes).subspan(filled)));
    if (count == 0) {
      return base::fail(ErrorCode::kDataCorrupt, fmt::format("{} is shorter than it says", entry.name));
    }
    filled += count;
  }
  return bytes;
}

}  // namespace

base::Result<std::string> path_in_image(std::string_view name) {
  std::string path;
  while (!name.empty()) {
    const auto part = name.substr(0, name.find('/'));
    name.remove_prefix(std::min(name.size(), part.size() + 1));
    if (part == ".." || part.find('\0') != std::string_view::npos) {
      return base::fail(ErrorCode::kDataCorrupt, "it holds a name that leaves the image or has a NUL in it");
    }
    if (part.empty() || part == ".") continue;
    if (!path.empty()) path.push_back('/');
    path += part;
  }
  return path;
}

// What one layer does, apart from what lies below, since its members may come in any order.
struct ImageTree::Layer {
  Files files;
  std::vector<std::string> replaced;  // names that are files, links or devices now
  std::vector<std::string> folders;
  std::vector<std::string> whiteouts;
  std::vector<std::string> opaque;
};

base::Result<> ImageTree::spend(std::uint64_t bytes) {
  if (bytes > budget_->kept_bytes) {
    return base::fail(ErrorCode::kLimitExceeded,
                      "the files in it that tell of packages are larger than what is kept of an image");
  }
  budget_->kept_bytes -= bytes;
  return {};
}

// The subtree below, and `itself`.
void ImageTree::remove(const std::string& name, bool itself) {
  if (itself) files_.erase(name);
  const auto below = name.empty() ? name : name + "/";
  auto each = files_.lower_bound(below);
  while (each != files_.end() && each->first.starts_with(below)) each = files_.erase(each);
}

base::Result<> ImageTree::read_layer(formats::Stream& stream, Layer& layer) {
  formats::TarReader tar(stream);
  while (true) {
    HF_TRY(const auto entry, tar.next());
    if (!entry) return {};
    if (budget_->entries == 0) return base::fail(ErrorCode::kLimitExceeded, "its layers hold too many names");
    --budget_->entries;
    HF_TRY(const auto path, path_in_image(entry->name));
    const auto name = path.substr(start_of_name(path));
    const auto folder = path.substr(0, std::max<std::size_t>(start_of_name(path), 1) - 1);
    if (name == kOpaque) {
      layer.opaque.push_back(folder);
    } else if (name.starts_with(kWhiteout)) {
      layer.whiteouts.push_back((folder.empty() ? "" : folder + "/") + name.substr(kWhiteout.size()));
    } else if (entry->type == formats::TarType::kFolder) {
      if (may_tell_of_packages(path)) layer.folders.push_back(path);
    } else {
      HF_CHECK(spend(path.size() + kNameCost));
      layer.replaced.push_back(path);
      layer.files.erase(path);
      if (ends_like_a_model(path)) layer.files[path];
      if (!may_tell_of_packages(path)) continue;
      if (entry->type == formats::TarType::kFile) {
        HF_CHECK(spend(entry->size));
        HF_TRY(layer.files[path], contents(tar, *entry));
      } else if (entry->type == formats::TarType::kHardLink) {
        HF_TRY(const auto target, path_in_image(entry->link));
        const auto linked = layer.files.find(target);
        if (linked == layer.files.end()) {
          gaps_.push_back(
              fmt::format("{} is a link to {}, which was not kept, and is not looked at", path, target));
          continue;
        }
        HF_CHECK(spend(linked->second.size()));
        layer.files[path] = base::Bytes(linked->second);
      }
    }
  }
}

base::Result<> ImageTree::apply(const formats::Source& source) {
  if (source.size() > budget_->expanded_bytes) {
    return base::fail(ErrorCode::kLimitExceeded, "its layers are larger than what is read of an image");
  }
  base::Bytes head(std::min<std::uint64_t>(source.size(), kTarBlock));
  HF_TRY(const auto count, source.read_at(0, head));
  head.resize(count);
  formats::SourceStream stored(source);
  Layer layer;
  if (head.size() == kTarBlock && formats::is_tar_header(head)) {
    budget_->expanded_bytes -= source.size();
    HF_CHECK(read_layer(stored, layer));
  } else if (!std::all_of(head.begin(), head.end(), [](std::uint8_t byte) { return byte == 0; })) {
    const auto format = formats::sniff_head(head).front();
    if (format != formats::Format::kGzip && format != formats::Format::kZstd) {
      return base::fail(ErrorCode::kUnsupported, "it is no tar, and none compressed with gzip or zstd");
    }
    HF_TRY(const auto expanded,
           formats::open_decompressor(format, stored, {.max_output = budget_->expanded_bytes}));
    HF_CHECK(read_layer(*expanded, layer));
    budget_->expanded_bytes -= source.size();
  }
  for (const auto& folder : layer.opaque) remove(folder, false);
  for (const auto& name : layer.whiteouts) remove(name, true);
  for (const auto& name : layer.replaced) remove(name, true);
  for (const auto& name : layer.folders) files_.erase(name);
  for (auto& [name, bytes] : layer.files) files_[name] = std::move(bytes);
  return {};
}

Inventory ImageTree::packages(const std::string& path) const {
  Inventory inventory;
  const FileReader read = [this](const std::filesystem::path& name,
                                 std::size_t max_bytes) -> base::Result<base::Bytes> {
    const auto found = files_.find(name.generic_string());
    if (found == files_.end()) return base::fail(ErrorCode::kNotFound, name.generic_string());
    if (found->second.size() > max_bytes) {
      return base::fail(ErrorCode::kLimitExceeded,
                        fmt::format("{} has more than {} bytes", name.generic_string(), max_bytes));
    }
    return found->second;
  };
  std::vector<std::string> models;
  for (const auto& [name, bytes] : files_) {
    auto packages = read_packages(name, read);
    if (!packages) {
      inventory.gaps.push_back(packages.error().message);
    } else if (*packages) {
      inventory.add(std::move(**packages));
    } else if (ends_like_a_model(name)) {
      models.push_back(name);
    }
  }
  inventory.gaps.insert(inventory.gaps.end(), gaps_.begin(), gaps_.end());
  if (!models.empty()) {
    inventory.gaps.push_back(fmt::format(
        "{} of its files end as models do ({}), and are described only where they are given on their own",
        models.size(), models.front()));
  }
  for (auto& component : inventory.components) component.found_in = path + ":" + component.found_in;
  for (auto& gap : inventory.gaps) gap = path + ":" + gap;
  return inventory;
}

}  // namespace holdfast::supply
