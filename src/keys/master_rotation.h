#pragma once

#include <filesystem>

#include "base/random.h"
#include "base/result.h"
#include "keys/key_store.h"
#include "keys/master_key.h"

// A new master key in the place of the old one, in the same file. The new one lies as `<file>.next` until the
// keys are wrapped by it; then it takes the file's name, and the old one stays beside it as
// `<file>.until-<time>`, since copies of the state folder that were made before open by it alone. Whoever is
// cut short leaves a `.next`, and which of the two is in force is told from the keys.

namespace holdfast::keys {

// The one of `file` and `<file>.next` that the keys in `keys_folder` are wrapped by. Changes nothing, so that
// who does not hold the state folder may call it. Errors as MasterKey::from_file().
base::Result<MasterKey> master_key_in_force(const std::filesystem::path& file,
                                            const std::filesystem::path& state_folder,
                                            const std::filesystem::path& keys_folder);

// Ends what a rotation that was cut short left, either way. For the process that holds the state folder.
base::Result<> settle_master_file(const std::filesystem::path& file,
                                  const std::filesystem::path& state_folder,
                                  const std::filesystem::path& keys_folder);

// For the process that holds the state folder, one call at a time. An error is told before anything was
// changed, or the next settle_master_file() ends what was begun.
base::Result<> rotate_master_file(KeyStore& keys, const std::filesystem::path& file,
                                  const std::filesystem::path& state_folder,
                                  const std::filesystem::path& keys_folder, base::RandomSource& random);

}  // namespace holdfast::keys
