#include "formats/anomaly.h"

#include <fmt/format.h>

namespace holdfast::formats {

namespace {

// In the order of AnomalyKind.
constexpr std::array<std::string_view, kAnomalyKinds> kNames = {"prefix-data",
                                                                "trailing-data",
                                                                "ambiguous-end",
                                                                "ambiguous-directory",
                                                                "entry-count-differs",
                                                                "multi-disk",
                                                                "zip64-inconsistent",
                                                                "bad-extra-field",
                                                                "no-local-header",
                                                                "out-of-range",
                                                                "name-differs",
                                                                "method-differs",
                                                                "flags-differ",
                                                                "size-differs",
                                                                "crc-differs",
                                                                "descriptor-differs",
                                                                "encrypted",
                                                                "unknown-flags",
                                                                "unsupported",
                                                                "version-too-new",
                                                                "duplicate-name",
                                                                "case-collision",
                                                                "overlap",
                                                                "gap",
                                                                "hidden-entry",
                                                                "path-traversal",
                                                                "absolute-path",
                                                                "backslash",
                                                                "nul-in-name",
                                                                "bad-name",
                                                                "symbolic-link",
                                                                "hard-link",
                                                                "special-file",
                                                                "bad-checksum",
                                                                "high-ratio"};

}  // namespace

std::string_view to_string(AnomalyKind kind) { return kNames[static_cast<std::size_t>(kind)]; }

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
