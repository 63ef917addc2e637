#pragma once

#include <vector>

#include "formats/zip.h"

// Finds a zip's central directory and reads it: the first half of ZipReader::open.

namespace holdfast::formats {

struct ZipDirectory {
  std::uint64_t offset = 0;   // of its first record, in the source
  std::uint64_t size = 0;     // bytes
  std::uint64_t entries = 0;  // as the end record says
  std::uint64_t shift =
      0;  // to be added (mod 2^64) to each offset that the archive names: bytes before the archive
};

// By the end records in the file's tail. kDataCorrupt where there is none or it points outside the file.
base::Result<ZipDirectory> locate_zip_directory(const Source& source, Anomalies& anomalies);

// The records of the directory, without data_offset.
base::Result<std::vector<ZipEntry>> read_zip_directory(const Source& source, const ZipDirectory& directory,
                                                       std::size_t max_entries, Anomalies& anomalies);

// The 64-bit values of a zip64 extended-information field (APPNOTE 4.5.3) in place of those that are all
// ones, in the field's order. kBadExtraField and kZip64Inconsistent are reported at `offset`.
struct Zip64Values {
  std::uint64_t* size;
  std::uint64_t* compressed_size;
  std::uint64_t* header_offset;  // null in a local header, which has none
};
void apply_zip64_extra(base::ByteView extra, const Zip64Values& values, std::uint64_t offset,
                       Anomalies& anomalies);

}  // namespace holdfast::formats
