#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "inspect/signing_manifest.h"

// The files of an artefact, found and hashed. Reads the file system and nothing else of the system.

namespace holdfast::inspect {

struct FoundFile {
  std::string name;  // as ManifestResource::file
  std::uint64_t size = 0;
};

struct FoundFiles {
  std::vector<FoundFile> files;    // in the order of component_less
  std::vector<std::string> links;  // symbolic links that may not be followed, or lead to a folder or nowhere
  std::vector<std::string> irregular;  // sockets, devices, ...
};

inline constexpr std::size_t kMaxArtefactEntries = 1UL << 20;  // files and folders

// What lies under `artefact` without what is ignored; itself, as ".", where it is a file. Empty folders count
// for nothing. Where links are allowed they stand for the file they lead to; one to a folder is never
// followed, since the tool does not sign what lies behind it. kLimitExceeded over the bound, kNotFound, kIo.
base::Result<FoundFiles> find_files(const std::filesystem::path& artefact,
                                    std::span<const std::string> ignored, bool allow_symlinks);

// Bytes hashed of all there are. Called in the thread that called, with no lock held.
using SigningProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

struct HashTask {
  std::filesystem::path file;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;  // kConflict where the file ends before
};

// The digest of each task, in their order: in this thread and one more, with a MiB of buffer each. The first
// error ends it all.
base::Result<std::vector<base::Bytes>> hash_all(std::span<const HashTask> tasks, ManifestHash hash,
                                                const SigningProgress& progress);

}  // namespace holdfast::inspect
