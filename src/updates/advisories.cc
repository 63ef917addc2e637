#include "updates/advisories.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "base/file.h"
#include "updates/folder.h"

namespace holdfast::updates {

namespace fs = std::filesystem;
using base::ErrorCode;
using base::fail;
using base::Result;

namespace {

struct Archive {
  fs::path path;
  std::string name;
};

Result<> add_folder(const fs::path& folder, std::vector<Archive>& archives) {
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error);
       !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (entry->path().extension() != ".zip" || !entry->is_regular_file(error)) continue;
    archives.push_back({entry->path(), fs::relative(entry->path(), folder, error).generic_string()});
    if (archives.size() > kMaxBundleFiles)
      return fail(ErrorCode::kLimitExceeded, "there are too many archives");
  }
  if (error) return base::fail_errno(fmt::format("cannot list {}", folder.string()), error.value());
  return {};
}

Result<std::vector<Archive>> archives_of(std::span<const fs::path> paths) {
  std::vector<Archive> archives;
  for (const auto& path : paths) {
    std::error_code error;
    if (fs::is_directory(path, error)) {
      HF_CHECK(add_folder(path, archives));
      continue;
    }
    // OSV names all of them all.zip, in a folder for each ecosystem.
    const auto folder = fs::absolute(path, error).parent_path().filename();
    archives.push_back({path, (folder / path.filename()).generic_string()});
  }
  if (archives.empty()) return fail(ErrorCode::kNotFound, "there is no archive of advisories (*.zip) there");
  std::ranges::sort(archives, {}, &Archive::name);
  return archives;
}

Result<> check_statement(const fs::path& index, std::span<const crypto::PublicKey> trusted,
                         const Edition& next, base::Timestamp now) {
  const Edition none{.kind = std::string(kAdvisoriesKind), .version = 0, .issued_at = {}, .expires_at = {}};
  const auto text = base::read_file(statement_path(index), kMaxStatementBytes);
  if (!text && text.error().code != ErrorCode::kNotFound) return fail(text.error());
  if (!text) return check_succession(none, next, now);
  // One that is damaged, or that another key signed, says nothing of its version that could be believed.
  const auto current = read_edition(base::as_text(*text), trusted);
  return check_succession(current ? *current : none, next, now);
}

}  // namespace

fs::path statement_path(const fs::path& index) { return fs::path(index) += ".statement.json"; }

Result<bool> is_bundle(const fs::path& file) {
  HF_TRY(const auto source, formats::FileSource::open(file));
  base::Bytes beginning(kStatementFile.size());
  HF_TRY(const std::size_t got, source.read_at(0, beginning));
  return base::as_text(base::ByteView(beginning).first(got)) == kStatementFile;
}

Result<> pack_advisories(std::span<const fs::path> paths, const fs::path& bundle, const Edition& edition,
                         const crypto::PrivateKey& key) {
  HF_TRY(const auto archives, archives_of(paths));
  std::deque<formats::FileSource> sources;
  std::vector<BundleInput> files;
  for (const auto& archive : archives) {
    HF_TRY(auto source, formats::FileSource::open(archive.path));
    // What is signed must be advisories: an importer that fails on them is found here, not everywhere else.
    supply::AdvisoryImport trial;
    if (auto added = trial.add_zip(source); !added) {
      return fail(std::move(added).error().within(archive.path.generic_string()));
    }
    files.push_back({.name = archive.name, .content = &sources.emplace_back(std::move(source))});
  }
  return write_bundle(bundle, edition, files, key);
}

Result<ImportedAdvisories> import_advisories(const fs::path& path, const fs::path& index,
                                             std::span<const crypto::PublicKey> trusted,
                                             base::Timestamp now) {
  HF_TRY(const auto file, formats::FileSource::open(path));
  auto bundle = Bundle::open(file, kAdvisoriesKind, trusted);
  if (!bundle) return fail(std::move(bundle).error().within(path.string()));
  HF_CHECK(check_statement(index, trusted, bundle->edition(), now));
  supply::AdvisoryImport all;
  for (const auto& one : bundle->files()) {
    HF_TRY(const auto archive, bundle->source(one));
    if (auto added = all.add_zip(archive); !added) return fail(std::move(added).error().within(one.name));
  }
  HF_TRY(const auto bytes, all.finish(std::min(now, bundle->edition().issued_at)));
  HF_TRY(const auto made, supply::AdvisoryIndex::open(bytes));
  HF_CHECK(make_private_folder(index.parent_path()));
  // In this order, so that a statement never speaks of an index that is not there yet.
  HF_CHECK(base::write_file_atomically(index, bytes));
  HF_CHECK(base::write_file_atomically(statement_path(index), base::as_bytes(bundle->statement())));
  return ImportedAdvisories{.edition = bundle->edition(), .status = made.status()};
}

}  // namespace holdfast::updates
