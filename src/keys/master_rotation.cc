#include "keys/master_rotation.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "base/file.h"
#include "keys/derivation.h"

namespace holdfast::keys {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using std::filesystem::path;

path next_file(const path& file) { return file.string() + ".next"; }

// The key in `<file>.next`, where there is one that is whole.
Result<std::optional<MasterKey>> next_key(const path& file, const path& state_folder) {
  auto key = MasterKey::from_file(next_file(file), state_folder);
  if (key) return std::optional(*std::move(key));
  if (key.error().code == ErrorCode::kNotFound) return std::optional<MasterKey>();
  return fail(std::move(key).error());
}

Result<bool> is_in_force(const MasterKey& key, const path& keys_folder) {
  HF_TRY(const auto kept, read_master_file(keys_folder));
  if (!kept) return false;
  return fits(*kept, key);
}

// "2026-11-23T22-42-00Z", when the next key was made: no colon, which some file systems refuse.
Result<std::string> made_at(const path& file) {
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0) return base::fail_errno("cannot look at " + file.string(), errno);
  auto text = base::Timestamp::from_microseconds(std::int64_t{status.st_mtim.tv_sec} * 1'000'000).text();
  std::ranges::replace(text, ':', '-');
  return text;
}

Result<> take_place(const path& file) {
  const auto next = next_file(file);
  HF_TRY(const auto until, made_at(next));
  const path kept = fmt::format("{}.until-{}", file.string(), until);
  if (::link(file.c_str(), kept.c_str()) != 0 && errno != EEXIST) {
    return base::fail_errno(fmt::format("cannot keep the old master key as {}", kept.string()), errno);
  }
  if (::rename(next.c_str(), file.c_str()) != 0) {
    return base::fail_errno(fmt::format("cannot rename {} to {}", next.string(), file.string()), errno);
  }
  return base::sync_folder(file.parent_path());
}

Result<> drop_next(const path& file) {
  if (::unlink(next_file(file).c_str()) != 0 && errno != ENOENT) {
    return base::fail_errno("cannot remove " + next_file(file).string(), errno);
  }
  return base::sync_folder(file.parent_path());
}

}  // namespace

Result<MasterKey> master_key_in_force(const path& file, const path& state_folder, const path& keys_folder) {
  HF_TRY(auto next, next_key(file, state_folder));
  if (next) {
    HF_TRY(const bool in_force, is_in_force(*next, keys_folder));
    if (in_force) return *std::move(next);
  }
  return MasterKey::from_file(file, state_folder);
}

Result<> settle_master_file(const path& file, const path& state_folder, const path& keys_folder) {
  HF_TRY(const auto next, next_key(file, state_folder));
  if (!next) return {};
  HF_TRY(const bool in_force, is_in_force(*next, keys_folder));
  if (in_force) return take_place(file);
  return drop_next(file);
}

Result<> rotate_master_file(KeyStore& keys, const path& file, const path& state_folder,
                            const path& keys_folder, base::RandomSource& random) {
  HF_TRY(const auto present, MasterKey::from_file(file, state_folder));
  HF_TRY(const bool in_force, is_in_force(present, keys_folder));
  if (!in_force) {
    return fail(ErrorCode::kConflict,
                fmt::format("{} is not the master key that the keys are wrapped by", file.string()));
  }
  HF_CHECK(MasterKey::generate_file(next_file(file), state_folder, random));
  HF_TRY(auto next, MasterKey::from_file(next_file(file), state_folder));
  if (auto wrapped = keys.rewrap(std::move(next)); !wrapped) {
    // Where the new keys are in place already, only the renaming is left to do.
    HF_CHECK(settle_master_file(file, state_folder, keys_folder));
    return wrapped;
  }
  return take_place(file);
}

}  // namespace holdfast::keys
