#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "formats/source.h"
#include "supply/component.h"

// The packages in a container image that was saved to one file, without unpacking or running it. Pure.

namespace holdfast::supply {

inline constexpr std::size_t kMaxLayers = 512;
inline constexpr std::size_t kMaxImageEntries = 4'000'000;       // names in all layers
inline constexpr std::uint64_t kMaxKeptBytes = 512ULL << 20;     // of files that tell of packages
inline constexpr std::uint64_t kMaxExpandedBytes = 64ULL << 30;  // of all layers

// A tar as `docker save`, `podman save` and `skopeo copy ... oci-archive:` write it (manifest.json of
// Docker's image specification 1.2, index.json of OCI's image layout 1.0), or the flat one of `docker
// export`. Layers are applied in order, with their whiteouts; where both manifests are there, all images of
// both are read. Absent where the file is no such tar. What tells of packages is found in "<path>:<name in
// the image>". kDataCorrupt for what contradicts itself: a layer that is missing or whose digest is not its
// name's, a name that leaves the root, a member twice. kLimitExceeded over the bounds above; kUnsupported for
// foreign or encrypted layers. Links are not followed, and models are named as gaps, not described.
base::Result<std::optional<Inventory>> read_image(const formats::Source& file, const std::string& path);

}  // namespace holdfast::supply
