#pragma once

#include <vector>

#include "formats/zip_directory.h"

// Compares a zip's entries with what the file holds at their places: the second half of ZipReader::open.

namespace holdfast::formats {

// Reads each entry's local header, sets data_offset where it is sound, and reports how the header differs
// from the directory. kLimitExceeded over ZipReader::kMaxLocalExtraBytes.
base::Result<> read_local_headers(const Source& source, const ZipDirectory& directory,
                                  std::vector<ZipEntry>& entries, Anomalies& anomalies);

// Overlaps, gaps between entries and what is hidden there, data descriptors, bytes before the archive.
base::Result<> report_layout(const Source& source, const ZipDirectory& directory,
                             const std::vector<ZipEntry>& entries, Anomalies& anomalies);

// Names that are one to some reader.
void report_equal_names(const std::vector<ZipEntry>& entries, Anomalies& anomalies);

}  // namespace holdfast::formats
