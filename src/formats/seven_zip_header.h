#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "formats/anomaly.h"

// The header of a 7z archive, as 7-Zip's DOC/7zFormat.txt describes it: numbers and names, nothing expanded.

namespace holdfast::formats {

inline constexpr std::size_t kMaxSevenZipEntries = 1UL << 18;
inline constexpr std::size_t kMaxSevenZipFolders = 1UL << 18;

namespace seven_zip_method {
inline constexpr std::uint64_t kCopy = 0x00;
inline constexpr std::uint64_t kDelta = 0x03;
inline constexpr std::uint64_t kX86 = 0x04;  // and up to kArm64: branch filters
inline constexpr std::uint64_t kArm64 = 0x0A;
inline constexpr std::uint64_t kLzma2 = 0x21;
inline constexpr std::uint64_t kLzma = 0x030101;
inline constexpr std::uint64_t kDeflate = 0x040108;
inline constexpr std::uint64_t kBzip2 = 0x040202;
inline constexpr std::uint64_t kZstd = 0x04F71101;
inline constexpr std::uint64_t kAes = 0x06F10701;
}  // namespace seven_zip_method

struct SevenZipCoder {
  std::uint64_t method = 0;
  base::Bytes properties;
  std::uint64_t unpack_size = 0;
};

// What one chain of coders makes of one packed stream: the contents of some files, one after the other.
struct SevenZipFolder {
  std::vector<SevenZipCoder> coders;  // in the order in which they expand, where they are a chain
  bool chained = false;               // one stream in and one out each
  std::uint64_t unpack_size = 0;
  std::uint64_t pack_offset = 0;     // in the file
  std::uint64_t pack_size = 0;       // of all its packed streams
  std::vector<std::uint64_t> sizes;  // of the files in it
  std::vector<std::optional<std::uint32_t>> checksums;
};

struct SevenZipFile {
  std::string name;  // UTF-8
  bool has_stream = true;
  bool folder = false;
  std::uint32_t attributes = 0;
};

struct SevenZipHeader {
  std::vector<SevenZipFolder> folders;
  std::vector<SevenZipFile> files;
  // Where it is true the folders hold, instead of files, the header itself.
  bool encoded = false;
};

// kDataCorrupt for what breaks the format, kUnsupported for parts in other volumes, kLimitExceeded.
base::Result<SevenZipHeader> parse_seven_zip_header(base::ByteView header);

}  // namespace holdfast::formats
