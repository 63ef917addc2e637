#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "trust/version.h"

// The highest version of each artefact that was accepted here, in a small file, so that an older one that is
// rightly signed can't be put back.

namespace holdfast::trust {

inline constexpr std::size_t kMaxMemoryBytes = 8UL << 20;
inline constexpr std::size_t kMaxRemembered = 10'000;

using RememberedVersions = std::map<std::string, ArtefactVersion, std::less<>>;

// {"versions": {"credit": "1.4.0"}} and nothing else: kDataCorrupt for another form.
base::Result<RememberedVersions> parse_remembered(std::string_view json);

// Refuses, with kPermissionDenied, a version older than the one remembered under that name; remembers it
// else, durably. Several processes may do so at once: FILE.lock keeps them apart. A file that is not there
// remembers nothing; one that can't be read is an error, never an empty memory.
base::Result<> remember_version(const std::filesystem::path& file, const std::string& name,
                                const ArtefactVersion& version);

}  // namespace holdfast::trust
