#include "supply/collect.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "crypto/sha256.h"
#include "supply/bom.h"
#include "supply/image.h"
#include "supply/package_files.h"

namespace holdfast::supply {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;

base::Result<std::string> text_of(const fs::path& path, std::size_t max_bytes) {
  HF_TRY(const auto bytes, base::read_file(path, max_bytes));
  return std::string(base::as_text(bytes));
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
  HF_TRY(auto packages, read_packages(path, base::read_file));
  if (!packages) {
    HF_TRY(const auto source, formats::FileSource::open(path));
    base::Bytes head(std::min<std::uint64_t>(source.size(), 4096));
    HF_TRY(const auto count, source.read_at(0, head));
    if (looks_like_cyclonedx(base::as_text(base::ByteView(head).first(count)))) {
      HF_TRY(const auto text, text_of(path, kMaxBomBytes));
      HF_TRY(packages, read_cyclonedx(text, path.generic_string()));
    }
  }
  if (!packages) {
    HF_TRY(const auto source, formats::FileSource::open(path));
    HF_TRY(packages, read_image(source, path.generic_string()));
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
  auto packages = read_packages(path, base::read_file);
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
