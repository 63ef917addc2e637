#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>

#include <algorithm>
#include <cerrno>

#include "base/file.h"
#include "crypto/age_keys.h"
#include "crypto/envelope.h"
#include "keys/derivation.h"
#include "keys/key_file.h"
#include "keys/key_store.h"

namespace holdfast::keys {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using base::fail;
using base::Result;
using base::Secret;

fs::path next_folder(const fs::path& folder) { return folder.string() + ".next"; }

constexpr int kLevels = 3;  // workspace / purpose / file

Result<> make_folders(const fs::path& file) {
  HF_CHECK(make_folder(file.parent_path().parent_path()));
  return make_folder(file.parent_path());
}

}  // namespace

Result<std::vector<KeyStore::Found>> KeyStore::find_all() const {
  std::vector<Found> all;
  std::error_code error;
  fs::recursive_directory_iterator entry(folder_, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    const auto ending = entry->path().extension().string();
    const bool destroyed = ending == kMarkEnding;
    if (entry.depth() + 1 != kLevels || (!destroyed && ending != kKeyEnding)) continue;
    if (all.size() >= kMaxListedKeys) {
      return fail(ErrorCode::kLimitExceeded,
                  fmt::format("{} holds more than {} keys", folder_.string(), kMaxListedKeys));
    }
    auto name = fs::path(entry->path()).replace_extension();
    all.push_back({.full = name.lexically_relative(folder_).string(), .destroyed = destroyed});
  }
  if (error) return base::fail_errno("cannot read the folder of keys " + folder_.string(), error.value());
  // A mark goes before the key that it stands for: one that is left was destroyed all the same.
  std::ranges::sort(all, [](const Found& a, const Found& b) {
    return a.full != b.full ? a.full < b.full : a.destroyed > b.destroyed;
  });
  const auto again = std::ranges::unique(all, {}, &Found::full);
  all.erase(again.begin(), again.end());
  return all;
}

Result<KeyFacts> KeyStore::facts(const Found& found) const {
  if (found.destroyed) return KeyFacts{.name = found.full, .kind = {}, .destroyed = true};
  HF_TRY(const auto payload, load(found.full));
  const auto head = head_of(*payload);
  if (!head) return damaged(found.full);
  return KeyFacts{.name = found.full, .kind = std::string(head->kind), .created = head->created};
}

Result<std::vector<KeyFacts>> KeyStore::list() {
  const base::MutexLock lock(changing_);
  HF_TRY(const auto master, read_master_file(folder_));
  std::vector<KeyFacts> all;
  all.push_back({.name = std::string(kMasterKeyName),
                 .kind = master_.derivation() ? "passphrase" : "aes-256-gcm",
                 .created = master ? master->since : std::nullopt});
  HF_TRY(const auto files, find_all());
  for (const Found& found : files) {
    HF_TRY(auto one, facts(found));
    all.push_back(std::move(one));
  }
  return all;
}

Result<> KeyStore::remove_next() const {
  std::error_code error;
  fs::remove_all(next_folder(folder_), error);
  if (!error) return {};
  return base::fail_errno("cannot remove " + next_folder(folder_).string(), error.value());
}

// All of it durable on return.
Result<> KeyStore::build(const fs::path& folder, const MasterKey& next) const {
  HF_CHECK(make_folder(folder));
  HF_TRY(const auto files, find_all());
  for (const Found& found : files) {
    const auto file = found.destroyed ? mark_path(folder, found.full) : key_path(folder, found.full);
    HF_CHECK(make_folders(file));
    base::Bytes envelope;
    if (!found.destroyed) {
      HF_TRY(const auto payload, load(found.full));
      envelope = crypto::seal_envelope(next.key(), found.full, payload->reveal(), *options_.random);
    }
    HF_CHECK(base::write_file_atomically(file, envelope, 0600));
  }
  const auto master = format_master_file(master_file_of(next, options_.clock->now(), *options_.random));
  return base::write_file_atomically(folder / kMasterFile, base::as_bytes(master), 0600);
}

Result<> KeyStore::rewrap(MasterKey next) {
  if (options_.read_only) return fail(ErrorCode::kPermissionDenied, "the keys were opened for reading alone");
  const base::MutexLock lock(changing_);
  const auto built = next_folder(folder_);
  HF_CHECK(remove_next());
  HF_CHECK(build(built, next));
  if (::renameat2(AT_FDCWD, built.c_str(), AT_FDCWD, folder_.c_str(), RENAME_EXCHANGE) != 0) {
    return base::fail_errno(fmt::format("cannot put {} in the place of {}", built.string(), folder_.string()),
                            errno);
  }
  master_ = std::move(next);
  HF_CHECK(base::sync_folder(folder_.parent_path()));
  // What is there now was the old one, which would still open under the old master key.
  return remove_next();
}

Result<> KeyStore::rotate_blob_keys(const base::WorkspaceId& workspace) {
  if (options_.read_only) return fail(ErrorCode::kPermissionDenied, "the keys were opened for reading alone");
  HF_CHECK(blob_keys(workspace));  // of the right kind, and there
  HF_TRY(const auto full, full_name(blob_key_name(workspace)));
  const base::MutexLock lock(changing_);
  HF_CHECK(refuse_destroyed(full));
  HF_TRY(const auto payload, load(full));
  const auto content = content_of(*payload);
  HF_TRY(const auto identities, crypto::parse_age_identities(base::as_text(content.subspan(kNamingBytes))));
  if (identities.size() >= kMaxBlobIdentities) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("the key {} was rotated {} times already, the most that readers can follow", full,
                            identities.size() - 1));
  }
  const Secret newest = crypto::AgeIdentity::generate(*options_.random).text();
  auto fresh = std::make_shared<const Secret>(
      with_head(kBlobKind, joined({content.first(kNamingBytes), newest.reveal(), base::as_bytes("\n"),
                                   content.subspan(kNamingBytes)})));
  HF_CHECK(write(full, *fresh));
  remember(full, std::move(fresh));
  return {};
}

}  // namespace holdfast::keys
