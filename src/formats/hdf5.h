#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/source.h"

// What an HDF5 file (HDF5 File Format Specification 3.0) says that a model's loader acts on: the root group's
// texts, and every link or storage that lies in another file. Superblocks 0 to 3, object headers 1 and 2,
// groups as symbol tables and as link messages. No data of a dataset is read.

namespace holdfast::formats {

struct Hdf5Attribute {
  std::string name;
  std::string text;
};

enum class Hdf5OutsideKind : std::uint8_t { kLink, kStorage, kVirtual };

// Data that the library would fetch from another file when it is asked for `object`.
struct Hdf5Outside {
  Hdf5OutsideKind kind = Hdf5OutsideKind::kLink;
  std::string object;        // its path in this file
  std::string file;          // as written: not checked
  std::uint64_t offset = 0;  // of the object header that says so
};

struct Hdf5File {
  static constexpr std::size_t kMaxNodes = 1UL << 18;        // objects, groups' nodes and parts of headers
  static constexpr std::size_t kMaxChunkBytes = 16UL << 20;  // of one part of a header, heap or collection
  static constexpr std::uint64_t kMaxReadBytes = 512UL << 20;
  static constexpr std::size_t kMaxKeptBytes = 64UL << 20;
  static constexpr std::size_t kMaxPathBytes = 4096;
  static constexpr std::size_t kMaxListed = 1000;  // of each list below

  unsigned superblock = 0;                // version
  std::vector<Hdf5Attribute> attributes;  // of the root group, as far as they are one text
  std::vector<Hdf5Outside> outside;
  std::vector<std::string> unread;  // what this reader can't follow, a sentence each
  std::uint64_t objects = 0;

  // Null where there is none.
  [[nodiscard]] const std::string* text(std::string_view attribute) const;
};

// kDataCorrupt where it is no HDF5 file or breaks the format, kLimitExceeded over the bounds above.
base::Result<Hdf5File> read_hdf5(const Source& source);

}  // namespace holdfast::formats
