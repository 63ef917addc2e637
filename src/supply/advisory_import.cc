#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "crypto/sha256.h"
#include "formats/zip.h"
#include "supply/advisory_index.h"
#include "supply/ecosystem.h"
#include "supply/index_layout.h"

// The one file that includes simdjson here: PyPI's set alone is tens of thousands of documents.

namespace holdfast::supply {
namespace {

using base::ErrorCode;
namespace dom = simdjson::dom;

constexpr std::size_t kMaxSummaryBytes = 400;

std::string_view text_of(const dom::object& object, std::string_view name) {
  std::string_view value;
  return object[name].get(value) == simdjson::SUCCESS ? value : std::string_view();
}

std::optional<dom::array> list_of(const dom::object& object, std::string_view name) {
  dom::array value;
  if (object[name].get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

std::optional<dom::object> object_of(const dom::object& object, std::string_view name) {
  dom::object value;
  if (object[name].get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

std::int64_t moment_of(const dom::object& object, std::string_view name) {
  auto text = text_of(object, name);
  // Some databases write nanoseconds.
  std::string shorter(text);
  if (const auto dot = shorter.find('.'); dot != std::string::npos && shorter.ends_with('Z')) {
    shorter = shorter.substr(0, std::min(dot + 7, shorter.size() - 1)) + "Z";
  }
  const auto moment = base::Timestamp::parse(shorter);
  return moment ? moment->microseconds() : 0;
}

// Appends `items` of what `write` writes after their count.
class Counted {
 public:
  explicit Counted(base::Bytes& to) : to_(to), at_(to.size()) { base::append_le(to, std::uint32_t{0}); }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() {
    for (std::size_t i = 0; i < 4; ++i) to_[at_ + i] = static_cast<std::uint8_t>(count_ >> (8 * i));
  }
  void next() { ++count_; }

 private:
  base::Bytes& to_;
  std::size_t at_;
  std::uint32_t count_ = 0;
};

void append_texts(base::Bytes& to, const std::optional<dom::array>& list) {
  Counted counted(to);
  if (!list) return;
  for (const auto each : *list) {
    std::string_view text;
    if (each.get(text) != simdjson::SUCCESS) continue;
    append_sized(to, text);
    counted.next();
  }
}

void append_events(base::Bytes& to, const dom::object& range) {
  Counted counted(to);
  const auto events = list_of(range, "events");
  if (!events) return;
  constexpr std::string_view kKinds[] = {"introduced", "fixed", "last_affected", "limit"};
  for (const auto each : *events) {
    dom::object event;
    if (each.get(event) != simdjson::SUCCESS) continue;
    for (std::uint32_t kind = 0; kind < 4; ++kind) {
      const auto version = text_of(event, kKinds[kind]);
      if (version.empty()) continue;
      base::append_le(to, kind);
      append_sized(to, version);
      counted.next();
    }
  }
}

// Ranges of commits say nothing of versions.
void append_ranges(base::Bytes& to, const dom::object& affected) {
  Counted counted(to);
  const auto ranges = list_of(affected, "ranges");
  if (!ranges) return;
  for (const auto each : *ranges) {
    dom::object range;
    if (each.get(range) != simdjson::SUCCESS || text_of(range, "type") == "GIT") continue;
    append_events(to, range);
    counted.next();
  }
}

// Of the advisory as a whole, else of its first affected package.
void append_vectors(base::Bytes& to, const dom::object& advisory) {
  Counted counted(to);
  auto severities = list_of(advisory, "severity");
  if (!severities) {
    const auto affected = list_of(advisory, "affected");
    dom::object first;
    if (affected && affected->at(0).get(first) == simdjson::SUCCESS) severities = list_of(first, "severity");
  }
  if (!severities) return;
  for (const auto each : *severities) {
    dom::object severity;
    if (each.get(severity) != simdjson::SUCCESS) continue;
    const auto vector = text_of(severity, "score");
    if (!vector.starts_with("CVSS:")) continue;
    append_sized(to, vector);
    counted.next();
  }
}

base::Bytes advisory_bytes(const dom::object& advisory) {
  base::Bytes bytes;
  append_sized(bytes, text_of(advisory, "id"));
  auto summary = text_of(advisory, "summary");
  if (summary.empty()) summary = text_of(advisory, "details");
  summary = summary.substr(0, std::min(summary.find('\n'), kMaxSummaryBytes));
  append_sized(bytes, summary);
  const auto specific = object_of(advisory, "database_specific");
  append_sized(bytes, specific ? text_of(*specific, "severity") : std::string_view());
  base::append_le(bytes, static_cast<std::uint64_t>(moment_of(advisory, "published")));
  append_texts(bytes, list_of(advisory, "aliases"));
  append_vectors(bytes, advisory);
  return bytes;
}

}  // namespace

struct AdvisoryImport::State {
  struct Package {
    std::uint32_t count = 0;
    base::Bytes entries;
  };

  dom::parser parser;
  std::unordered_set<std::string> ids;
  std::vector<base::Bytes> advisories;
  std::unordered_map<std::string, Package> packages;
  std::uint64_t withdrawn = 0;
  std::int64_t newest = 0;

  base::Result<> add(const dom::object& advisory) {
    const auto id = text_of(advisory, "id");
    const auto schema = text_of(advisory, "schema_version");
    if (id.empty() || !(schema.empty() || schema.starts_with("1."))) {
      return base::fail(ErrorCode::kDataCorrupt, "it is no advisory in OSV's schema, version 1");
    }
    newest = std::max(newest, moment_of(advisory, "modified"));
    if (!text_of(advisory, "withdrawn").empty()) {
      ++withdrawn;
      return {};
    }
    if (!ids.emplace(id).second) return {};
    const auto number = static_cast<std::uint32_t>(advisories.size());
    advisories.push_back(advisory_bytes(advisory));
    const auto affected = list_of(advisory, "affected");
    if (!affected) return {};
    for (const auto each : *affected) {
      dom::object one;
      if (each.get(one) == simdjson::SUCCESS) add_affected(number, one);
    }
    return {};
  }

  void add_affected(std::uint32_t number, const dom::object& affected) {
    const auto package = object_of(affected, "package");
    if (!package) return;
    std::string key(text_of(*package, "ecosystem"));
    const auto name = normalised_name(key, text_of(*package, "name"));
    if (key.empty() || name.empty()) return;
    key.push_back('\0');
    key += name;
    auto& to = packages[key];
    ++to.count;
    base::append_le(to.entries, number);
    append_ranges(to.entries, affected);
    append_texts(to.entries, list_of(affected, "versions"));
  }
};

AdvisoryImport::AdvisoryImport() : state_(std::make_unique<State>()) {}
AdvisoryImport::AdvisoryImport(AdvisoryImport&&) noexcept = default;
AdvisoryImport& AdvisoryImport::operator=(AdvisoryImport&&) noexcept = default;
AdvisoryImport::~AdvisoryImport() = default;

base::Result<> AdvisoryImport::add(std::string_view json) {
  if (json.size() > kMaxAdvisoryBytes) {
    return base::fail(ErrorCode::kLimitExceeded,
                      fmt::format("an advisory has at most {} MiB", kMaxAdvisoryBytes >> 20));
  }
  dom::element element;
  dom::object object;
  const auto error = state_->parser.parse(json.data(), json.size(), true).get(element);
  if (error != simdjson::SUCCESS || element.get(object) != simdjson::SUCCESS) {
    return base::fail(ErrorCode::kDataCorrupt, "it is no JSON object");
  }
  return state_->add(object);
}

base::Result<> AdvisoryImport::add_zip(const formats::Source& archive) {
  HF_TRY(const auto zip, formats::ZipReader::open(archive, kMaxAdvisories));
  std::string text;
  for (const auto& entry : zip.entries()) {
    if (!entry.name.ends_with(".json")) continue;
    if (entry.size > kMaxAdvisoryBytes) {
      return base::fail(ErrorCode::kLimitExceeded, fmt::format("{}: an advisory has at most {} MiB",
                                                               entry.name, kMaxAdvisoryBytes >> 20));
    }
    HF_TRY(auto member, zip.open_member(entry));
    text.resize(static_cast<std::size_t>(entry.size));
    std::size_t filled = 0;
    while (filled < text.size()) {
      const base::MutableByteView rest(reinterpret_cast<std::uint8_t*>(text.data()) + filled,
                                       text.size() - filled);
      HF_TRY(const auto count, member.read(rest));
      if (count == 0) break;
      filled += count;
    }
    text.resize(filled);
    base::Bytes beyond(1);
    HF_TRY(const auto more, member.read(beyond));
    if (more != 0 || !member.anomalies().items().empty()) {
      return base::fail(ErrorCode::kDataCorrupt,
                        fmt::format("{}: its size or checksum is not what the archive says", entry.name));
    }
    if (auto added = add(text); !added) return base::fail(std::move(added).error().within(entry.name));
  }
  return {};
}

base::Result<base::Bytes> AdvisoryImport::finish(base::Timestamp now) {
  if (state_->advisories.empty()) {
    return base::fail(ErrorCode::kInvalidArgument, "there is no advisory in what was given");
  }
  std::vector<const std::pair<const std::string, State::Package>*> packages;
  packages.reserve(state_->packages.size());
  for (const auto& package : state_->packages) packages.push_back(&package);
  std::sort(packages.begin(), packages.end(),
            [](const auto* a, const auto* b) { return a->first < b->first; });

  base::Bytes head;
  base::append(head, kIndexMagic);
  base::append_le(head, static_cast<std::uint64_t>(now.microseconds()));
  base::append_le(head, static_cast<std::uint64_t>(state_->newest));
  base::append_le(head, state_->withdrawn);
  base::append_le(head, static_cast<std::uint32_t>(state_->advisories.size()));
  base::append_le(head, static_cast<std::uint32_t>(packages.size()));
  const std::size_t start =
      kIndexHeader + (packages.size() * kPackageRow) + (state_->advisories.size() * kAdvisoryRow);
  base::Bytes body;
  const auto place = [&](std::size_t size) {
    base::append_le(head, static_cast<std::uint32_t>(start + body.size()));
    base::append_le(head, static_cast<std::uint32_t>(size));
  };
  for (const auto* package : packages) {
    place(package->first.size());
    base::append(body, package->first);
    place(package->second.entries.size() + 4);
    base::append_le(body, package->second.count);
    base::append(body, base::ByteView(package->second.entries));
    if (start + body.size() > AdvisoryIndex::kMaxBytes) break;
  }
  for (const auto& advisory : state_->advisories) {
    if (start + body.size() > AdvisoryIndex::kMaxBytes) break;
    place(advisory.size());
    base::append(body, base::ByteView(advisory));
  }
  if (start + body.size() > AdvisoryIndex::kMaxBytes) {
    return base::fail(ErrorCode::kLimitExceeded, "the advisories need an index of more than 2 GiB");
  }
  base::append(head, base::ByteView(body));
  const auto digest = crypto::sha256(head);
  base::append(head, digest.bytes());
  return head;
}

}  // namespace holdfast::supply
