#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/source.h"

// The index of a TensorFlow checkpoint, variables.index: a table of LevelDB's (its doc/table_format.md;
// tensorflow/core/lib/io/table_format.txt) of BundleHeaderProto and BundleEntryProto
// (tensorflow/core/protobuf/tensor_bundle.proto). The tensors themselves lie in shards beside it, which are
// not read.

namespace holdfast::formats {

struct BundleTensor {
  std::string name;
  std::uint64_t type = 0;  // tensorflow.DataType
  std::uint64_t shard = 0;
  std::uint64_t offset = 0;  // in its shard
  std::uint64_t size = 0;    // bytes
  bool sliced = false;       // its parts are entries of their own
};

struct TensorBundle {
  static constexpr std::uint64_t kMaxBytes = 64ULL << 20;  // of the index
  static constexpr std::uint64_t kMaxShards = 100'000;
  static constexpr std::size_t kMaxNameBytes = 64UL << 10;

  std::uint64_t shards = 0;
  std::vector<BundleTensor> tensors;  // by name, as they stand
};

// kDataCorrupt where the table or a message breaks its format, a block's checksum is wrong, or a tensor's
// shard is none; kUnsupported for compressed blocks, which TensorFlow does not write; kLimitExceeded over the
// bounds above.
base::Result<TensorBundle> read_tensor_bundle(const Source& source);

}  // namespace holdfast::formats
