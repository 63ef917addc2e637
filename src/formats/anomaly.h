#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// What is wrong with the structure of an archive though it can be read: facts, for inspect/ to judge. A
// reader that goes on after an anomaly reads as Python's loaders and PyTorch do.

namespace holdfast::formats {

enum class AnomalyKind : std::uint8_t {
  kPrefixData,          // bytes before the archive: another format may begin there
  kTrailingData,        // bytes after the archive's end
  kAmbiguousEnd,        // more than one end record: readers choose differently
  kAmbiguousDirectory,  // the central directory lies elsewhere for Python than for PyTorch
  kEntryCountDiffers,   // the directory holds another number of entries than it says
  kMultiDisk,           // parts on other volumes
  kZip64Inconsistent,   // 64-bit values that contradict the 32-bit ones, or are missing
  kBadExtraField,       // extra fields that don't parse: Python refuses, PyTorch reads
  kNoLocalHeader,       // the directory points at no entry
  kOutOfRange,          // an entry's data leaves the archive
  kNameDiffers,         // an entry has another name in another place
  kMethodDiffers,       // local header and central directory name different methods
  kFlagsDiffer,         // local header and central directory have different flags
  kSizeDiffers,         // sizes disagree with each other or with the data
  kCrcDiffers,          // local header and central directory have different checksums
  kDescriptorDiffers,   // the data descriptor is missing or disagrees
  kEncrypted,           // contents that can't be seen
  kUnknownFlags,        // flag bits without a meaning to common readers
  kUnsupported,         // a method or a kind of entry that this program can't read
  kVersionTooNew,       // needs a newer reader than Python's; PyTorch reads it all the same
  kDuplicateName,       // two entries of one name: which one is loaded depends on the reader
  kCaseCollision,       // names equal but for upper and lower case: one name to PyTorch, two to Python
  kOverlap,             // entries that share bytes
  kGap,                 // bytes between entries that no entry covers
  kHiddenEntry,         // an entry that the directory does not list
  kPathTraversal,       // a name or link that leaves the folder by ".."
  kAbsolutePath,        // a name or link from the root or with a drive
  kBackslash,           // a name with "\", which is a separator to some readers
  kNulInName,           // a name with a NUL byte, where some readers end it
  kBadName,             // an empty name, control characters or text that is not UTF-8 though it says so
  kSymbolicLink,
  kHardLink,
  kSpecialFile,  // device, fifo or socket
  kBadChecksum,  // contents or header that don't match their checksum
  kHighRatio,    // expands out of proportion
};
inline constexpr std::size_t kAnomalyKinds = static_cast<std::size_t>(AnomalyKind::kHighRatio) + 1;

// "prefix-data" .. "high-ratio".
std::string_view to_string(AnomalyKind kind);

struct Anomaly {
  AnomalyKind kind;
  std::uint64_t offset;  // byte in the archive
  std::string text;      // what was seen, a sentence without full stop
};

// Collects anomalies with a bound for each kind, so that many of one can't hide another.
class Anomalies {
 public:
  static constexpr std::uint32_t kMaxPerKind = 100;

  void add(AnomalyKind kind, std::uint64_t offset, std::string text);

  [[nodiscard]] const std::vector<Anomaly>& items() const { return items_; }
  // All that were seen of a kind, kept or not.
  [[nodiscard]] std::uint32_t count(AnomalyKind kind) const {
    return counts_[static_cast<std::size_t>(kind)];
  }

 private:
  std::vector<Anomaly> items_;
  std::array<std::uint32_t, kAnomalyKinds> counts_{};
};

// Untrusted text for a message: in double quotes, unprintable bytes as \xNN, cut after kMaxQuotedBytes with
// "...".
inline constexpr std::size_t kMaxQuotedBytes = 120;
std::string quote(std::string_view text);

}  // namespace holdfast::formats
