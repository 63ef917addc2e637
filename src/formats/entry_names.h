#pragma once

#include <string_view>

#include "formats/anomaly.h"

// What the name and the kind of an archive's entry say that a loader or an extractor should not be made to
// believe.

namespace holdfast::formats {

// kPathTraversal, kAbsolutePath, kBackslash, kNulInName, kBadName.
void report_entry_name(std::string_view name, std::uint64_t offset, Anomalies& anomalies);

// kSymbolicLink or kSpecialFile, by the file type in a Unix mode (S_IFMT); 0 says nothing.
void report_file_type(std::uint32_t unix_mode, std::string_view name, std::uint64_t offset,
                      Anomalies& anomalies);

// kPathTraversal or kAbsolutePath for the target of the link `name`.
void report_link_target(std::string_view target, std::string_view name, std::uint64_t offset,
                        Anomalies& anomalies);

// Well-formed UTF-8 (Unicode 15, table 3-7).
bool is_utf8(std::string_view text);

}  // namespace holdfast::formats
