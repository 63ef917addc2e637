#include "supply/rpm_database.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "supply/lock_parts.h"
#include "supply/sqlite_table.h"

namespace holdfast::supply {
namespace {

using base::ByteView;
using base::ErrorCode;

// rpm.org, "RPM V4 package format", section "Header": counts, entries of four big-endian words, then data.
constexpr std::size_t kEntryBytes = 16;
constexpr std::uint32_t kMaxEntries = 0xFFFF;        // rpm's own limit (header.cc, HEADER_TAGS_MAX)
constexpr std::size_t kMaxCapabilities = 1UL << 20;  // of all packages together

enum class Type : std::uint32_t { kInt32 = 4, kString = 6, kStringArray = 8, kI18nString = 9 };

enum class Tag : std::uint32_t {
  kName = 1000,
  kVersion = 1001,
  kRelease = 1002,
  kEpoch = 1003,
  kLicense = 1014,
  kArch = 1022,
  kSourceRpm = 1044,
  kProvideName = 1047,
  kRequireName = 1049,
};

tl::unexpected<base::Error> damaged(std::string_view what) {
  return base::fail(ErrorCode::kDataCorrupt, fmt::format("a package in it {}", what));
}

class Header {
 public:
  static std::optional<Header> open(ByteView blob) {
    if (blob.size() < 8) return std::nullopt;
    const std::size_t count = base::load_be<std::uint32_t>(blob);
    const std::size_t bytes = base::load_be<std::uint32_t>(blob.subspan(4));
    if (count > kMaxEntries || 8 + (count * kEntryBytes) + bytes > blob.size()) return std::nullopt;
    Header header;
    header.entries_ = blob.subspan(8, count * kEntryBytes);
    header.data_ = blob.subspan(8 + (count * kEntryBytes), bytes);
    return header;
  }

  // Empty where there is none.
  [[nodiscard]] std::string_view text(Tag tag) const {
    const auto entry = find(tag);
    if (!entry || (entry->type != Type::kString && entry->type != Type::kI18nString)) return {};
    auto rest = entry->data;
    return take_text(rest);
  }

  [[nodiscard]] std::vector<std::string_view> texts(Tag tag) const {
    std::vector<std::string_view> all;
    const auto entry = find(tag);
    if (!entry || entry->type != Type::kStringArray) return all;
    auto rest = entry->data;
    for (std::uint32_t i = 0; i < entry->count && !rest.empty(); ++i) all.push_back(take_text(rest));
    return all;
  }

  [[nodiscard]] std::optional<std::uint32_t> number(Tag tag) const {
    const auto entry = find(tag);
    if (!entry || entry->type != Type::kInt32 || entry->data.size() < 4) return std::nullopt;
    return base::load_be<std::uint32_t>(entry->data);
  }

 private:
  struct Entry {
    Type type;
    std::uint32_t count;
    ByteView data;  // to the end of all data
  };

  [[nodiscard]] std::optional<Entry> find(Tag tag) const {
    for (std::size_t at = 0; at < entries_.size(); at += kEntryBytes) {
      const auto entry = entries_.subspan(at);
      if (base::load_be<std::uint32_t>(entry) != static_cast<std::uint32_t>(tag)) continue;
      const auto offset = base::load_be<std::uint32_t>(entry.subspan(8));
      if (offset > data_.size()) return std::nullopt;
      return Entry{.type = static_cast<Type>(base::load_be<std::uint32_t>(entry.subspan(4))),
                   .count = base::load_be<std::uint32_t>(entry.subspan(12)),
                   .data = data_.subspan(offset)};
    }
    return std::nullopt;
  }

  static std::string_view take_text(ByteView& bytes) {
    const auto text = base::as_text(bytes);
    const auto end = std::min(text.find('\0'), text.size());
    bytes = bytes.subspan(std::min(end + 1, bytes.size()));
    return text.substr(0, end);
  }

  ByteView entries_;
  ByteView data_;
};

struct Package {
  Component component;
  std::vector<std::string> requires_;
};

class Packages {
 public:
  Packages(const Distribution& on, std::string_view path) : on_(on), path_(path) {}

  base::Result<> add(ByteView blob) {
    const auto header = Header::open(blob);
    if (!header) return damaged("has a header that is none");
    const auto name = header->text(Tag::kName);
    const auto version = header->text(Tag::kVersion);
    if (name.empty() || version.empty()) return damaged("has no name or no version");
    if (name == "gpg-pubkey") return {};
    if (all_.size() == Inventory::kMaxComponents) {
      return base::fail(ErrorCode::kLimitExceeded,
                        fmt::format("it names more than {} packages", Inventory::kMaxComponents));
    }
    const auto provides = header->texts(Tag::kProvideName);
    const auto needs = header->texts(Tag::kRequireName);
    capabilities_ += provides.size() + needs.size();
    if (capabilities_ > kMaxCapabilities) {
      return base::fail(ErrorCode::kLimitExceeded,
                        fmt::format("its packages need and provide more than {} things", kMaxCapabilities));
    }
    for (const auto provided : provides) providers_.emplace(provided, name);
    all_.push_back({describe(*header, name, version), {needs.begin(), needs.end()}});
    return {};
  }

  Inventory finish() && {
    Inventory inventory;
    for (auto& [component, needs] : all_) {
      for (const auto& need : needs) {
        const auto provider = providers_.find(need);
        if (provider != providers_.end() && provider->second != component.purl.name) {
          component.needs.push_back(provider->second);
        }
      }
      std::sort(component.needs.begin(), component.needs.end());
      component.needs.erase(std::unique(component.needs.begin(), component.needs.end()),
                            component.needs.end());
      inventory.components.push_back(std::move(component));
    }
    if (on_.version.empty()) {
      inventory.gaps.push_back(fmt::format(
          "{}: which release of the system it is of is not told, so its advisories can't be", path_));
    }
    return inventory;
  }

 private:
  [[nodiscard]] Component describe(const Header& header, std::string_view name,
                                   std::string_view version) const {
    std::string whole(version);
    if (const auto release = header.text(Tag::kRelease); !release.empty()) {
      whole.append("-").append(release);
    }
    auto component = make_component("rpm", name, whole, path_);
    component.purl.name_space = on_.id;
    auto& qualifiers = component.purl.qualifiers;
    if (const auto epoch = header.number(Tag::kEpoch)) qualifiers["epoch"] = std::to_string(*epoch);
    if (const auto arch = header.text(Tag::kArch); !arch.empty()) qualifiers["arch"] = arch;
    if (const auto source = header.text(Tag::kSourceRpm); !source.empty()) qualifiers["upstream"] = source;
    if (!on_.version.empty()) qualifiers["distro"] = fmt::format("{}-{}", on_.id, on_.version);
    if (const auto license = header.text(Tag::kLicense); !license.empty()) {
      component.licenses.emplace_back(license);
    }
    return component;
  }

  Distribution on_;
  std::string path_;
  std::vector<Package> all_;
  std::map<std::string, std::string> providers_;  // of a capability, the first
  std::size_t capabilities_ = 0;
};

// Berkeley DB's hash and b-tree files have their magic number at byte 12, in either order (db_page.h).
bool is_berkeley_db(ByteView file) {
  if (file.size() < 16) return false;
  const auto magic = base::load_le<std::uint32_t>(file.subspan(12));
  return magic == 0x061561 || magic == 0x053162 || magic == 0x61150600 || magic == 0x62310500;
}

}  // namespace

base::Result<Inventory> read_rpm_database(base::ByteView file, const Distribution& on,
                                          std::string_view path) {
  if (is_berkeley_db(file)) {
    return base::fail(
        ErrorCode::kUnsupported,
        fmt::format("{}: it is RPM's database in Berkeley DB, which is not looked at: convert a "
                    "copy with rpmdb --rebuilddb of rpm 4.16 or later",
                    path));
  }
  if (base::as_text(file).starts_with("RpmP")) {
    return base::fail(ErrorCode::kUnsupported,
                      fmt::format("{}: it is RPM's database in its own format (ndb), which is not looked at: "
                                  "convert a copy with rpmdb --rebuilddb --define '_db_backend sqlite'",
                                  path));
  }
  if (!is_sqlite(file)) {
    return base::fail(ErrorCode::kDataCorrupt, fmt::format("{}: it is no database of RPM", path));
  }
  Packages packages(on, path);
  const auto read =
      visit_sqlite_column(file, "Packages", 1, [&](ByteView blob) { return packages.add(blob); });
  if (!read) return base::fail(base::Error(read.error()).within(path));
  return std::move(packages).finish();
}

}  // namespace holdfast::supply
