#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "crypto/sign.h"
#include "supply/advisory_index.h"
#include "updates/bundle.h"

// Advisories as a signed bundle, and the index that is made of one.

namespace holdfast::updates {

inline constexpr std::string_view kAdvisoriesKind = "advisories";

// Whether a file is a bundle, by its beginning: an archive as OSV publishes it is not.
base::Result<bool> is_bundle(const std::filesystem::path& file);

// Signs archives as OSV publishes them: of each file, and of each *.zip below each folder, with the folders
// between as part of its name ("PyPI/all.zip"). kNotFound where there is none.
base::Result<> pack_advisories(std::span<const std::filesystem::path> paths,
                               const std::filesystem::path& bundle, const Edition& edition,
                               const crypto::PrivateKey& key);

struct ImportedAdvisories {
  Edition edition;
  supply::IndexStatus status;
};

// Makes the index of a bundle, in place of the last, with the bundle's statement beside it. It is as old as
// the bundle, not as the import. kPermissionDenied for a lower version than that of the statement that is
// there, and for one that has expired; errors as Bundle::open.
base::Result<ImportedAdvisories> import_advisories(const std::filesystem::path& bundle,
                                                   const std::filesystem::path& index,
                                                   std::span<const crypto::PublicKey> trusted,
                                                   base::Timestamp now);

// Where the statement of the bundle that an index was made of lies. It has to go where another takes its
// place.
std::filesystem::path statement_path(const std::filesystem::path& index);

}  // namespace holdfast::updates
