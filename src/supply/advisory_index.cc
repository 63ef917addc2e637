#include "supply/advisory_index.h"

#include <algorithm>

#include "crypto/sha256.h"
#include "supply/index_layout.h"

namespace holdfast::supply {
namespace {

using base::ErrorCode;

tl::unexpected<base::Error> corrupt() {
  return base::fail(ErrorCode::kDataCorrupt,
                    "the advisory index is damaged or of another version: import the advisories again");
}

// Reads what append_sized and append_le wrote, never past the end; ok() is false once something was missing.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}

  std::uint32_t number() {
    if (left_.size() < 4) return broken();
    const auto value = base::load_le<std::uint32_t>(base::as_bytes(left_));
    left_.remove_prefix(4);
    return value;
  }
  std::int64_t moment() {
    const std::uint64_t low = number();
    return static_cast<std::int64_t>(low | (static_cast<std::uint64_t>(number()) << 32U));
  }
  std::string_view text() {
    const std::size_t size = number();
    if (size > left_.size()) {
      broken();
      return {};
    }
    const auto value = left_.substr(0, size);
    left_.remove_prefix(size);
    return value;
  }
  // A count of things that take at least 4 bytes each.
  std::uint32_t count() {
    const auto value = number();
    return value > left_.size() / 4 ? broken() : value;
  }
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  std::uint32_t broken() {
    ok_ = false;
    left_ = {};
    return 0;
  }
  std::string_view left_;
  bool ok_ = true;
};

bool read_advisory(std::string_view bytes, Advisory& to) {
  Reader reader(bytes);
  to.id = reader.text();
  to.summary = reader.text();
  to.severity_word = reader.text();
  to.published = base::Timestamp::from_microseconds(reader.moment());
  for (auto left = reader.count(); left > 0; --left) to.aliases.push_back(reader.text());
  for (auto left = reader.count(); left > 0; --left) to.vectors.push_back(reader.text());
  return reader.ok();
}

void read_affected(Reader& reader, Affected& to) {
  for (auto ranges = reader.count(); ranges > 0; --ranges) {
    auto& events = to.ranges.emplace_back();
    for (auto left = reader.count(); left > 0; --left) {
      const auto kind = static_cast<RangeEvent::Kind>(std::min(reader.number(), 3U));
      events.push_back({kind, reader.text()});
    }
  }
  for (auto left = reader.count(); left > 0; --left) to.versions.push_back(reader.text());
}

}  // namespace

base::Result<AdvisoryIndex> AdvisoryIndex::open(base::Bytes bytes) {
  AdvisoryIndex index(std::move(bytes));
  const base::ByteView all(index.bytes_);
  if (all.size() < kIndexHeader + kChecksum || base::as_text(all.first(kIndexMagic.size())) != kIndexMagic) {
    return corrupt();
  }
  const auto body = all.first(all.size() - kChecksum);
  const auto digest = crypto::sha256(body);
  if (!std::equal(digest.bytes().begin(), digest.bytes().end(), all.last(kChecksum).begin()))
    return corrupt();
  Reader reader(base::as_text(body).substr(kIndexMagic.size()));
  auto& status = index.status_;
  status.imported_at = base::Timestamp::from_microseconds(reader.moment());
  status.newest = base::Timestamp::from_microseconds(reader.moment());
  status.withdrawn = static_cast<std::uint64_t>(reader.moment());
  status.advisories = reader.number();
  status.packages = reader.number();
  const auto tables = (status.packages * kPackageRow) + (status.advisories * kAdvisoryRow);
  if (body.size() < kIndexHeader + tables) return corrupt();
  return index;
}

base::Result<std::string_view> AdvisoryIndex::range(std::size_t table_at) const {
  const base::ByteView all(bytes_);
  const std::size_t offset = base::load_le<std::uint32_t>(all.subspan(table_at));
  const std::size_t size = base::load_le<std::uint32_t>(all.subspan(table_at + 4));
  if (offset > all.size() || size > all.size() - offset) return corrupt();
  return base::as_text(all.subspan(offset, size));
}

base::Result<std::vector<Affected>> AdvisoryIndex::find(std::string_view ecosystem,
                                                        std::string_view name) const {
  std::string key(ecosystem);
  key.push_back('\0');
  key += name;
  std::size_t low = 0;
  std::size_t high = status_.packages;
  while (low < high) {
    const auto middle = low + ((high - low) / 2);
    HF_TRY(const auto at_middle, range(kIndexHeader + (middle * kPackageRow)));
    if (at_middle < key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  std::vector<Affected> all;
  if (low == status_.packages) return all;
  const auto row = kIndexHeader + (low * kPackageRow);
  HF_TRY(const auto found, range(row));
  if (found != key) return all;
  HF_TRY(const auto entries, range(row + 8));
  Reader reader(entries);
  for (auto left = reader.count(); left > 0; --left) {
    const std::size_t number = reader.number();
    if (!reader.ok() || number >= status_.advisories) return corrupt();
    HF_TRY(const auto bytes,
           range(kIndexHeader + (status_.packages * kPackageRow) + (number * kAdvisoryRow)));
    auto& affected = all.emplace_back();
    if (!read_advisory(bytes, affected.advisory)) return corrupt();
    read_affected(reader, affected);
    if (!reader.ok()) return corrupt();
  }
  return all;
}

}  // namespace holdfast::supply
