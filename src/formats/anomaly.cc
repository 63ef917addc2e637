#include "formats/anomaly.h"

#include <fmt/format.h>

namespace holdfast::formats {

std::string_view to_string(AnomalyKind kind) {
  switch (kind) {
    case AnomalyKind::kPrefixData:
      return "prefix-data";
    case AnomalyKind::kTrailingData:
      return "trailing-data";
    case AnomalyKind::kAmbiguousEnd:
      return "ambiguous-end";
    case AnomalyKind::kAmbiguousDirectory:
      return "ambiguous-directory";
    case AnomalyKind::kEntryCountDiffers:
      return "entry-count-differs";
    case AnomalyKind::kMultiDisk:
      return "multi-disk";
    case AnomalyKind::kZip64Inconsistent:
      return "zip64-inconsistent";
    case AnomalyKind::kBadExtraField:
      return "bad-extra-field";
    case AnomalyKind::kNoLocalHeader:
      return "no-local-header";
    case AnomalyKind::kOutOfRange:
      return "out-of-range";
    case AnomalyKind::kNameDiffers:
      return "name-differs";
    case AnomalyKind::kMethodDiffers:
      return "method-differs";
    case AnomalyKind::kFlagsDiffer:
      return "flags-differ";
    case AnomalyKind::kSizeDiffers:
      return "size-differs";
    case AnomalyKind::kCrcDiffers:
      return "crc-differs";
    case AnomalyKind::kDescriptorDiffers:
      return "descriptor-differs";
    case AnomalyKind::kEncrypted:
      return "encrypted";
    case AnomalyKind::kUnknownFlags:
      return "unknown-flags";
    case AnomalyKind::kUnsupported:
      return "unsupported";
    case AnomalyKind::kVersionTooNew:
      return "version-too-new";
    case AnomalyKind::kDuplicateName:
      return "duplicate-name";
    case AnomalyKind::kCaseCollision:
      return "case-collision";
    case AnomalyKind::kOverlap:
      return "overlap";
    case AnomalyKind::kGap:
      return "gap";
    case AnomalyKind::kHiddenEntry:
      return "hidden-entry";
    case AnomalyKind::kPathTraversal:
      return "path-traversal";
    case AnomalyKind::kAbsolutePath:
      return "absolute-path";
    case AnomalyKind::kBackslash:
      return "backslash";
    case AnomalyKind::kNulInName:
      return "nul-in-name";
    case AnomalyKind::kBadName:
      return "bad-name";
    case AnomalyKind::kSymbolicLink:
      return "symbolic-link";
    case AnomalyKind::kHardLink:
      return "hard-link";
    case AnomalyKind::kSpecialFile:
      return "special-file";
    case AnomalyKind::kBadChecksum:
      return "bad-checksum";
    case AnomalyKind::kHighRatio:
      return "high-ratio";
  }
  return "unknown";
}

void Anomalies::add(AnomalyKind kind, std::uint64_t offset, std::string text) {
  std::uint32_t& seen = counts_[static_cast<std::size_t>(kind)];
  if (seen < kMaxPerKind) items_.push_back({.kind = kind, .offset = offset, .text = std::move(text)});
  ++seen;
}

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text.substr(0, kMaxQuotedBytes)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7F && c != '"' && c != '\\') {
      out.push_back(c);
    } else {
      out += fmt::format("\\x{:02x}", byte);
    }
  }
  out += text.size() > kMaxQuotedBytes ? "...\"" : "\"";
  return out;
}

}  // namespace holdfast::formats
