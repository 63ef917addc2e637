#include "supply/collect.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/file.h"
#include "crypto/sha256.h"
#include "supply/bom.h"
#include "supply/installed.h"
#include "supply/lock_file.h"

namespace holdfast::supply {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;

constexpr std::size_t kMaxMetadataBytes = 16UL << 20;
constexpr std::size_t kMaxStatusBytes = 256UL << 20;

base::Result<std::string> text_of(const fs::path& path, std::size_t max_bytes) {
  HF_TRY(const auto bytes, base::read_file(path, max_bytes));
  return std::string(base::as_text(bytes));
}

bool is_python_metadata(const fs::path& path) {
  const auto folder = path.parent_path().filename().string();
  return (path.filename() == "METADATA" && folder.ends_with(".dist-info")) ||
         (path.filename() == "PKG-INFO" && folder.ends_with(".egg-info"));
}

// var/lib/dpkg/status, or a file of var/lib/dpkg/status.d (distroless images).
bool is_dpkg_status(const fs::path& path) {
  const auto text = path.generic_string();
  if (text.ends_with("/var/lib/dpkg/status") || text == "var/lib/dpkg/status") return true;
  return path.parent_path().generic_string().ends_with("var/lib/dpkg/status.d") &&
         path.extension() != ".md5sums";
}

bool ends_like_a_model(const fs::path& path) {
  constexpr std::array<std::string_view, 8> kEndings{".onnx", ".safetensors", ".pt",  ".pth",
                                                     ".gguf", ".tflite",      ".pkl", ".joblib"};
  return std::find(kEndings.begin(), kEndings.end(), path.extension().string()) != kEndings.end();
}

base::Result<Inventory> read_status(const fs::path& path) {
  auto root = path.parent_path();
  while (!root.empty() && root.filename() != "var" && root != root.root_path()) root = root.parent_path();
  root = root.parent_path();
  Distribution on;
  for (const auto* name : {"etc/os-release", "usr/lib/os-release"}) {
    if (!on.id.empty()) break;
    if (const auto text = text_of(root / name, 1UL << 20)) on = read_os_release(*text);
  }
  HF_TRY(const auto text, text_of(path, kMaxStatusBytes));
  return read_dpkg_status(text, on, path.generic_string());
}

// METADATA, and what the installer wrote beside it.
base::Result<Inventory> read_distribution(std::string_view metadata, const fs::path& path) {
  constexpr std::size_t kMaxBeside = 1UL << 20;
  HF_TRY(auto component, read_python_metadata(metadata, path.generic_string()));
  Inventory one;
  if (const auto installer = text_of(path.parent_path() / "INSTALLER", kMaxBeside)) {
    component.installer = installer->substr(0, installer->find_first_of("\r\n"));
  }
  const auto direct = path.parent_path() / "direct_url.json";
  const auto text = text_of(direct, kMaxBeside);
  if (text) {
    if (const auto read = read_direct_url(*text, component); !read) {
      one.gaps.push_back(fmt::format("{}: {}", direct.generic_string(), read.error().message));
    }
    one.gaps.push_back(
        fmt::format("{}: {} came from no index but from a place of its own, so advisories may not know it",
                    direct.generic_string(), component.purl.name));
  }
  one.components.push_back(std::move(component));
  return one;
}

// Nothing where the file is none that tells of packages by its name and place.
base::Result<std::optional<Inventory>> read_packages(const fs::path& path) {
  const auto name = path.generic_string();
  if (const auto format = lock_format_of(path.filename().string())) {
    HF_TRY(const auto text, text_of(path, kMaxLockFileBytes));
    HF_TRY(auto inventory, read_lock_file(*format, text, name));
    return std::optional(std::move(inventory));
  }
  if (is_python_metadata(path)) {
    HF_TRY(const auto text, text_of(path, kMaxMetadataBytes));
    HF_TRY(auto one, read_distribution(text, path));
    return std::optional(std::move(one));
  }
  if (is_dpkg_status(path)) {
    HF_TRY(auto inventory, read_status(path));
    return std::optional(std::move(inventory));
  }
  return std::optional<Inventory>();
}

base::Result<base::Digest> digest_of(const formats::Source& file) {
  crypto::Sha256 hash;
  formats::SourceStream stream(file);
  base::Bytes buffer(1UL << 20);
  while (true) {
    HF_TRY(const auto count, stream.read(buffer));
    if (count == 0) return hash.finish();
    hash.update(base::ByteView(buffer).first(count));
  }
}

base::Result<ModelFile> read_model(const fs::path& path, const ModelReader& reader) {
  HF_TRY(const auto source, formats::FileSource::open(path));
  ModelFile model{.name = path.filename().string(), .version = {}, .size_bytes = source.size()};
  HF_TRY(model.says, reader(source, model.name));
  HF_TRY(model.digest, digest_of(source));
  return model;
}

base::Result<> collect_file(const fs::path& path, const ModelReader& reader, Collection& to) {
  HF_TRY(auto packages, read_packages(path));
  if (!packages) {
    HF_TRY(const auto source, formats::FileSource::open(path));
    base::Bytes head(std::min<std::uint64_t>(source.size(), 4096));
    HF_TRY(const auto count, source.read_at(0, head));
    if (looks_like_cyclonedx(base::as_text(base::ByteView(head).first(count)))) {
      HF_TRY(const auto text, text_of(path, kMaxBomBytes));
      HF_TRY(packages, read_cyclonedx(text, path.generic_string()));
    }
  }
  if (packages) {
    to.inventory.add(std::move(*packages));
    to.read.push_back(path.generic_string());
    return {};
  }
  HF_TRY(auto model, read_model(path, reader));
  to.models.push_back(std::move(model));
  return {};
}

void collect_within(const fs::path& path, const ModelReader& reader, Collection& to) {
  auto packages = read_packages(path);
  if (!packages) {
    to.inventory.gaps.push_back(std::move(packages).error().message);
  } else if (*packages) {
    to.inventory.add(std::move(**packages));
    to.read.push_back(path.generic_string());
  } else if (ends_like_a_model(path)) {
    auto model = read_model(path, reader);
    if (model) {
      to.models.push_back(*std::move(model));
    } else if (model.error().code != ErrorCode::kUnsupported) {  // the ending was another thing's
      to.inventory.gaps.push_back(fmt::format("{}: {}", path.generic_string(), model.error().message));
    }
  }
}

base::Result<> collect_folder(const fs::path& folder, const ModelReader& reader, Collection& to) {
  std::error_code error;
  std::vector<fs::path> files;
  std::size_t met = 0;
  auto each = fs::recursive_directory_iterator(folder, error);
  for (; !error && each != fs::recursive_directory_iterator(); each.increment(error)) {
    if (++met > kMaxFolderEntries) {
      return base::fail(ErrorCode::kLimitExceeded, fmt::format("{} holds more than {} names",
                                                               folder.generic_string(), kMaxFolderEntries));
    }
    std::error_code of_one;
    if (each->is_symlink(of_one) || !each->is_regular_file(of_one)) continue;
    files.push_back(each->path());
  }
  if (error) {
    return base::fail(ErrorCode::kIo,
                      fmt::format("cannot list {}: {}", folder.generic_string(), error.message()));
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) collect_within(file, reader, to);
  return {};
}

}  // namespace

base::Result<Collection> collect(const fs::path& path, const ModelReader& reader) {
  Collection collection;
  std::error_code error;
  if (fs::is_directory(path, error)) {
    HF_CHECK(collect_folder(path, reader, collection));
  } else {
    HF_CHECK(collect_file(path, reader, collection));
  }
  if (collection.inventory.components.size() > Inventory::kMaxComponents) {
    return base::fail(
        ErrorCode::kLimitExceeded,
        fmt::format("{} tells of more than {} packages", path.generic_string(), Inventory::kMaxComponents));
  }
  return collection;
}

}  // namespace holdfast::supply
