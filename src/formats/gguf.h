#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/source.h"

// What a GGUF file says (github.com/ggml-org/ggml, docs/gguf.md, versions 1 to 3, either byte order), as
// strictly as llama.cpp: every tensor aligned, inside the file and apart from the others. No weight is read.

namespace holdfast::formats {

enum class GgufType : std::uint32_t {
  kUint8 = 0,
  kInt8 = 1,
  kUint16 = 2,
  kInt16 = 3,
  kUint32 = 4,
  kInt32 = 5,
  kFloat32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kUint64 = 10,
  kInt64 = 11,
  kFloat64 = 12,
};

struct GgufEntry {
  std::string key;
  GgufType type = GgufType::kUint8;
  std::uint64_t offset = 0;             // of the value in the file; of a string, of its first byte
  std::uint64_t bits = 0;               // of a number, as stored
  std::string text;                     // of a string
  GgufType element = GgufType::kUint8;  // of an array, whose values are checked and not kept
  std::uint64_t count = 0;              // of an array
};

struct GgufTensor {
  std::string name;
  std::uint32_t type = 0;  // ggml_type
  std::vector<std::uint64_t> shape;
  std::uint64_t offset = 0;  // from the start of the file
  std::uint64_t size = 0;    // bytes
};

struct GgufFile {
  static constexpr std::uint64_t kMaxEntries = 1UL << 16;
  static constexpr std::uint64_t kMaxTensors = 1UL << 18;
  static constexpr std::uint64_t kMaxKeyBytes = 65535;        // the format's own
  static constexpr std::uint64_t kMaxTensorNameBytes = 1024;  // the format says 64, writers are freer
  static constexpr std::uint64_t kMaxTextBytes = 4UL << 20;   // of one string that is kept
  static constexpr std::uint64_t kMaxKeptBytes = 32UL << 20;  // of all that is kept
  static constexpr std::uint32_t kMaxDimensions = 4;
  static constexpr int kMaxArrayDepth = 4;

  std::uint32_t version = 0;
  bool big_endian = false;
  std::uint64_t alignment = 32;
  std::vector<GgufEntry> metadata;  // in the file's order, keys unlike
  std::vector<GgufTensor> tensors;  // in the order of their offsets
  std::uint64_t data_offset = 0;
  std::uint64_t data_end = 0;  // of the last tensor
  std::uint64_t unlisted = 0;  // bytes between tensors and behind them, beyond what alignment takes

  // Null where there is none.
  [[nodiscard]] const GgufEntry* find(std::string_view key) const;
};

// kDataCorrupt where llama.cpp too refuses the file, kLimitExceeded over the bounds above, kUnsupported for
// an unknown version or type of tensor.
base::Result<GgufFile> read_gguf(const Source& source);

}  // namespace holdfast::formats
