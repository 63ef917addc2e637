#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/buffered.h"

// The header of NumPy's .npy files, versions 1.0 to 3.0 (numpy.lib.format, "Format Version 1.0" and
// following). The header is a Python literal; it is read by a strict parser of the forms that NumPy writes,
// and never evaluated.

namespace holdfast::formats {

struct NpyField;

struct NpyType {
  char kind = 'V';                   // as in NumPy: b i u f c m M O S U V
  char byte_order = '|';             // '<', '>', or '|' where it does not matter
  std::uint64_t size = 0;            // bytes of one item
  bool holds_objects = false;        // it or a field is 'O': the data is a pickle
  std::vector<std::uint64_t> shape;  // of a subarray, counted in `size`; empty for a scalar
  std::vector<NpyField> fields;      // of a structure, kind V
};

struct NpyField {
  std::string name;
  std::uint64_t offset = 0;  // bytes within the structure
  NpyType type;
};

struct NpyHeader {
  static constexpr std::size_t kMaxBytes = 1UL << 20;
  static constexpr std::size_t kMaxDimensions = 64;  // NumPy 2's; earlier ones have 32
  static constexpr int kMaxDepth = 16;               // of structures within structures

  std::uint8_t version = 1;  // major; the minor is 0
  NpyType type;
  bool fortran_order = false;
  std::vector<std::uint64_t> shape;
  std::uint64_t data_offset = 0;  // from the start of the file
  // Bytes of data. With objects: all bytes that follow, since the data is a pickle of unknown length.
  std::uint64_t data_size = 0;
  std::uint64_t trailing_size = 0;  // bytes after the data, which NumPy leaves unread
};

// Reads the header of a file of `file_size` bytes, from its start, and leaves `reader` at the data.
// kDataCorrupt where it is no .npy file, its header is none that NumPy writes, its size overflows or the file
// is shorter than it says; kLimitExceeded over the bounds above; kUnsupported for a version or a type that is
// not known.
base::Result<NpyHeader> read_npy_header(BufferedReader& reader, std::uint64_t file_size);

}  // namespace holdfast::formats
