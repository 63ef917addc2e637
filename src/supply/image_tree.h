#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "formats/source.h"
#include "supply/component.h"

namespace holdfast::supply {

// What reading one image may still take.
struct ImageBudget {
  std::size_t entries;           // names in layers
  std::uint64_t kept_bytes;      // of files that tell of packages, and of names
  std::uint64_t expanded_bytes;  // of layers
};

// The files of a root file system that tell of packages, as layers put them on one another (OCI image
// specification 1.0, "Image Layer Filesystem Changeset"). Not thread-safe.
class ImageTree {
 public:
  // `budget` outlives the tree.
  explicit ImageTree(ImageBudget& budget) : budget_(&budget) {}

  // A tar, plain or compressed with gzip or zstd. kDataCorrupt, kLimitExceeded.
  base::Result<> apply(const formats::Source& layer);
  // Names in it are "<path>:<name in the image>".
  [[nodiscard]] Inventory packages(const std::string& path) const;

 private:
  struct Layer;
  using Files = std::map<std::string, base::Bytes>;

  base::Result<> read_layer(formats::Stream& tar, Layer& layer);
  base::Result<> spend(std::uint64_t bytes);
  void remove(const std::string& name, bool itself);

  ImageBudget* budget_;
  Files files_;  // by their path from the root, without a leading "/"; models without their bytes
  std::vector<std::string> gaps_;
};

// The path from the root that a member's name means; kDataCorrupt where it leaves the root.
base::Result<std::string> path_in_image(std::string_view name);

}  // namespace holdfast::supply
