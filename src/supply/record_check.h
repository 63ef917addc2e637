#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "supply/collect.h"

// Whether installed Python distributions are still what was installed: every file against the digest that its
// RECORD holds (packaging.python.org/specifications/recording-installed-packages).

namespace holdfast::supply {

// One line of a RECORD.
struct RecordEntry {
  std::string path;    // relative to the folder that holds the dist-info
  std::string sha256;  // base64url without padding; empty where none is given, as for RECORD itself
};

inline constexpr std::size_t kMaxRecordBytes = 64UL << 20;
inline constexpr std::size_t kMaxRecordEntries = 1'000'000;

// kDataCorrupt, naming the line, for what is no CSV of path, digest and size; kLimitExceeded.
base::Result<std::vector<RecordEntry>> read_record(std::string_view text);

struct RecordDifference {
  enum class Kind : std::uint8_t {
    kChanged,   // its digest is another
    kMissing,   // a RECORD names it
    kAdded,     // no RECORD names it, and Python would import or run it
    kOutside,   // a RECORD names a path outside the environment
    kUnproven,  // its RECORD is not there, can't be read, or holds no SHA-256 for it
  };
  Kind kind = Kind::kChanged;
  std::string path;
};
std::string sentence(
    const RecordDifference& difference);  // "site-packages/a.py was changed since it was installed"

struct RecordCheck {
  std::uint64_t files = 0;  // whose digest was compared
  std::vector<RecordDifference> differences;
};

// Of every folder in which `collection` met a dist-info. Links are not followed; compiled files that Python
// itself writes (__pycache__) are looked at only where a RECORD holds their digest.
base::Result<RecordCheck> check_records(const Collection& collection);

}  // namespace holdfast::supply
