#include "formats/entry_names.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

namespace holdfast::formats {
namespace {

bool is_absolute(std::string_view path) {
  const bool drive = path.size() >= 2 && path[1] == ':' &&
                     ((path[0] >= 'a' && path[0] <= 'z') || (path[0] >= 'A' && path[0] <= 'Z'));
  return drive || path.starts_with('/') || path.starts_with('\\');
}

bool climbs(std::string_view path) {
  while (!path.empty()) {
    const std::size_t end = std::min(path.find_first_of("/\\"), path.size());
    if (path.substr(0, end) == "..") return true;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return false;
}

}  // namespace

void report_link_target(std::string_view target, std::string_view name, std::uint64_t offset,
                        Anomalies& anomalies) {
  if (!is_absolute(target) && !climbs(target)) return;
  anomalies.add(climbs(target) ? AnomalyKind::kPathTraversal : AnomalyKind::kAbsolutePath, offset,
                fmt::format("the link {} leads out of its folder, to {}", quote(name), quote(target)));
}

bool is_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  for (std::size_t i = 0; i < text.size();) {
    const unsigned lead = byte(i);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if ((lead >= 0x80 && lead < 0xC2) || lead > 0xF4 || length > text.size() - i) return false;
    // The second byte's range excludes overlong forms, surrogates and what lies beyond U+10FFFF.
    const unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (length > 1 && (byte(i + 1) < low || byte(i + 1) > high)) return false;
    for (std::size_t k = 2; k < length; ++k) {
      if ((byte(i + k) & 0xC0U) != 0x80) return false;
    }
    i += length;
  }
  return true;
}

void report_entry_name(std::string_view name, std::uint64_t offset, Anomalies& anomalies) {
  const auto report = [&](AnomalyKind kind, std::string_view what) {
    anomalies.add(kind, offset, fmt::format("the entry name {} {}", quote(name), what));
  };
  if (climbs(name)) report(AnomalyKind::kPathTraversal, "leaves its folder");
  if (is_absolute(name)) report(AnomalyKind::kAbsolutePath, "is absolute");
  if (name.find('\\') != name.npos) report(AnomalyKind::kBackslash, "has a backslash");
  if (name.find('\0') != name.npos) report(AnomalyKind::kNulInName, "has a NUL byte");
  const bool control = std::any_of(name.begin(), name.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\0') || c == 0x7F;
  });
  if (name.empty() || control) report(AnomalyKind::kBadName, "is empty or has control characters");
}

void report_file_type(std::uint32_t unix_mode, std::string_view name, std::uint64_t offset,
                      Anomalies& anomalies) {
  switch (unix_mode & S_IFMT) {
    case 0:
    case S_IFREG:
    case S_IFDIR:
      return;
    case S_IFLNK:
      anomalies.add(AnomalyKind::kSymbolicLink, offset,
                    fmt::format("the entry {} is a symbolic link", quote(name)));
      return;
    default:
      anomalies.add(AnomalyKind::kSpecialFile, offset,
                    fmt::format("the entry {} is neither file nor folder", quote(name)));
  }
}

}  // namespace holdfast::formats
