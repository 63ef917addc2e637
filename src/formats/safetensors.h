#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "formats/source.h"

// The header of a safetensors file (github.com/huggingface/safetensors, README.md "Format"), as strictly as
// its own library, which promises that a file that opens holds nothing but its tensors: they fill the file
// without overlap, hole or rest.

namespace holdfast::formats {

enum class SafetensorsDtype : std::uint8_t {
  kBool,
  kF4,
  kF6E2M3,
  kF6E3M2,
  kU8,
  kI8,
  kF8E5M2,
  kF8E4M3,
  kF8E8M0,
  kF8E4M3Fnuz,
  kF8E5M2Fnuz,
  kI16,
  kU16,
  kF16,
  kBf16,
  kI32,
  kU32,
  kF32,
  kC64,
  kF64,
  kI64,
  kU64,
};

std::string_view to_string(SafetensorsDtype dtype);  // as in the file: "BF16"
unsigned bits_of(SafetensorsDtype dtype);            // of one element

struct SafetensorsTensor {
  std::string name;
  SafetensorsDtype dtype = SafetensorsDtype::kU8;
  std::vector<std::uint64_t> shape;
  std::uint64_t offset = 0;  // from the start of the file
  std::uint64_t size = 0;    // bytes
};

struct SafetensorsHeader {
  static constexpr std::uint64_t kMaxBytes = 32ULL
                                             << 20;  // the format allows 100 MB, which no model comes near
  static constexpr std::size_t kMaxTensors = 1UL << 18;
  static constexpr std::size_t kMaxDimensions = 64;
  static constexpr std::size_t kMaxMetadata = 4096;

  std::vector<SafetensorsTensor> tensors;       // in the order of their offsets
  std::map<std::string, std::string> metadata;  // "__metadata__"
};

// kDataCorrupt where the file breaks the format, kLimitExceeded over the bounds above, kUnsupported for an
// unknown dtype. No byte of the tensors is read.
base::Result<SafetensorsHeader> read_safetensors_header(const Source& source);

}  // namespace holdfast::formats
