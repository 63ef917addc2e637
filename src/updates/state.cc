#include "updates/state.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "crypto/x509.h"
#include "supply/advisory_match.h"
#include "updates/components.h"
#include "updates/rules.h"

namespace holdfast::updates {

namespace fs = std::filesystem;
using base::ErrorCode;
using base::Result;
using base::Timestamp;

namespace {

Timestamp days_after(Timestamp moment, std::int64_t days) {
  return moment + std::chrono::microseconds(std::chrono::days(days));
}

UpdateItem aged(UpdateItem item, std::int64_t max_days, Timestamp now) {
  item.deadline = days_after(*item.since, max_days);
  item.overdue = *item.deadline <= now;
  return item;
}

std::optional<Timestamp> changed_at(const fs::path& file) {
  struct stat facts{};
  if (::stat(file.c_str(), &facts) != 0) return std::nullopt;
  return Timestamp::from_microseconds((facts.st_mtim.tv_sec * 1'000'000) + (facts.st_mtim.tv_nsec / 1000));
}

UpdateItem rules_item(const UpdatePlaces& places, const UpdateLimits& limits, Timestamp now) {
  UpdateItem item{.kind = "rules", .name = "rule set"};
  const auto set = rules_in_force(places.state, places.rule_keys);
  if (!set) {
    item.overdue = true;
    item.told = set.error().message;
    return item;
  }
  item.version = std::to_string((*set)->name.version);
  item.since = (*set)->name.issued_at;
  item.told = (*set)->name.signer.empty() ? "the program's own" : "signed by " + (*set)->name.signer;
  item = aged(std::move(item), limits.rules_days, now);
  if (const auto end = (*set)->expires_at; end && *end < *item.deadline) {
    item.deadline = end;
    item.overdue = *end <= now;
  }
  return item;
}

Result<std::optional<supply::AdvisoryIndex>> open_index(const fs::path& path) {
  auto bytes = base::read_file(path, supply::AdvisoryIndex::kMaxBytes);
  if (!bytes && bytes.error().code == ErrorCode::kNotFound) return std::optional<supply::AdvisoryIndex>();
  if (!bytes) return base::fail(std::move(bytes).error());
  HF_TRY(auto index, supply::AdvisoryIndex::open(*std::move(bytes)));
  return std::optional(std::move(index));
}

UpdateItem advisories_item(const Result<std::optional<supply::AdvisoryIndex>>& index,
                           const UpdateLimits& limits, Timestamp now) {
  UpdateItem item{.kind = "advisories", .name = "advisories"};
  if (!index) {
    item.overdue = true;
    item.told = index.error().message;
  } else if (!*index) {
    item.told = "none were imported, so nothing is known against the libraries below";
  } else {
    const auto& status = (*index)->status();
    item.since = status.imported_at;
    item.told = fmt::format("{} on {} packages, the newest of {}", status.advisories, status.packages,
                            status.newest.text());
    item = aged(std::move(item), limits.advisories_days, now);
  }
  return item;
}

// The oldest key of each workspace and purpose. A key's file is written once, when it is made.
Result<> add_keys(const UpdatePlaces& places, const UpdateLimits& limits, Timestamp now,
                  std::vector<UpdateItem>& items) {
  if (const auto made = changed_at(places.master_key)) {
    items.push_back(
        aged({.kind = "key", .name = "master key", .version = {}, .since = made}, limits.key_days, now));
  }
  struct Group {
    Timestamp oldest;
    std::size_t count = 0;
  };
  std::map<std::string, Group> groups;
  const auto folder = places.state / "keys";
  std::error_code error;
  std::size_t seen = 0;
  for (fs::recursive_directory_iterator entry(folder, error);
       !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (++seen > kMaxKeyFiles) return base::fail(ErrorCode::kLimitExceeded, "there are too many keys");
    if (entry->path().extension() != ".key") continue;
    const auto made = changed_at(entry->path());
    if (!made) continue;  // destroyed a moment ago
    auto& group = groups[fs::relative(entry->path().parent_path(), folder, error).generic_string()];
    group.oldest = group.count == 0 ? *made : std::min(group.oldest, *made);
    ++group.count;
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return base::fail_errno(fmt::format("cannot list {}", folder.string()), error.value());
  }
  for (const auto& [name, group] : groups) {
    items.push_back(aged({.kind = "key",
                          .name = name,
                          .version = {},
                          .since = group.oldest,
                          .told = group.count > 1 ? fmt::format("the oldest of {}", group.count) : ""},
                         limits.key_days, now));
  }
  return {};
}

void add_certificates(const UpdatePlaces& places, const UpdateLimits& limits, Timestamp now,
                      std::vector<UpdateItem>& items) {
  const auto pem = base::read_file(places.state / "ca.pem", crypto::kMaxCertificateBytes);
  if (!pem && pem.error().code == ErrorCode::kNotFound) return;
  UpdateItem item{.kind = "certificate", .name = "ca.pem"};
  const auto certificate = pem ? crypto::Certificate::from_pem(base::as_text(*pem))
                               : Result<crypto::Certificate>(base::fail(pem.error()));
  if (!certificate) {
    item.overdue = true;
    item.told = certificate.error().message;
  } else {
    item.since = certificate->not_before();
    item.deadline = days_after(certificate->not_after(), -limits.certificate_days);
    item.overdue = *item.deadline <= now;
    item.told = fmt::format("{}, until {}", certificate->subject(), certificate->not_after().text());
  }
  items.push_back(std::move(item));
}

void tell(UpdateItem& item, const supply::Match& match, const UpdateLimits& limits, Timestamp now) {
  item.told +=
      fmt::format("{}{} ({}{})", item.told.empty() ? "" : ", ", match.id, supply::to_string(match.severity),
                  match.upgrade.empty() ? "" : ", mended in " + match.upgrade);
  // One whose date is not known has stood for who knows how long.
  const auto due = days_after(match.published, limits.library_days);
  if (!item.deadline || due < *item.deadline) item.deadline = due;
  item.overdue = *item.deadline <= now;
}

Result<> add_libraries(const UpdatePlaces& places, const std::optional<supply::AdvisoryIndex>& index,
                       const UpdateLimits& limits, Timestamp now, std::vector<UpdateItem>& items) {
  HF_TRY(const auto components, linked_components(places.root));
  supply::MatchResult found;
  if (index) {
    HF_TRY(found, supply::match_advisories(inventory_of(components), *index, {.now = now}));
  }
  for (const auto& one : components) {
    UpdateItem item{.kind = "library", .name = one.name, .version = one.purl.version};
    if (item.version.empty()) item.version = one.loaded_version;
    const auto purl = supply::to_string(one.purl);
    for (const auto& match : found.matches) {
      if (!one.purl.type.empty() && match.purl == purl) tell(item, match, limits, now);
    }
    items.push_back(std::move(item));
  }
  return {};
}

}  // namespace

std::size_t UpdateState::overdue() const {
  return static_cast<std::size_t>(
      std::count_if(items.begin(), items.end(), [](const UpdateItem& item) { return item.overdue; }));
}

nlohmann::ordered_json UpdateState::json() const {
  auto list = nlohmann::ordered_json::array();
  for (const auto& item : items) {
    nlohmann::ordered_json one{{"kind", item.kind}, {"name", item.name},   {"version", nullptr},
                               {"since", nullptr},  {"deadline", nullptr}, {"overdue", item.overdue},
                               {"told", item.told}};
    if (!item.version.empty()) one["version"] = item.version;
    if (item.since) one["since"] = item.since->text();
    if (item.deadline) one["deadline"] = item.deadline->text();
    list.push_back(std::move(one));
  }
  return {{"at", at.text()}, {"overdue", overdue()}, {"items", std::move(list)}};
}

std::string to_text(const UpdateState& state) {
  constexpr std::size_t kDay = 10;
  std::string text;
  for (const auto& item : state.items) {
    text += fmt::format("{}{} {}", item.overdue ? "OVERDUE " : "", item.kind, item.name);
    if (!item.version.empty()) text += " " + item.version;
    if (item.since) {
      const auto age = std::chrono::duration_cast<std::chrono::days>(state.at - *item.since).count();
      text += fmt::format(", {} day{} old", age, age == 1 ? "" : "s");
    }
    if (item.deadline) text += ", to renew by " + item.deadline->text().substr(0, kDay);
    if (!item.told.empty()) text += ": " + item.told;
    text += "\n";
  }
  return text + fmt::format("{} overdue of {}\n", state.overdue(), state.items.size());
}

Result<UpdateState> read_update_state(const UpdatePlaces& places, const UpdateLimits& limits,
                                      std::string_view program_version, Timestamp now) {
  UpdateState state{.at = now, .items = {}};
  state.items.push_back(aged({.kind = "program",
                              .name = "holdfast",
                              .version = std::string(program_version),
                              .since = program_day()},
                             limits.program_days, now));
  state.items.push_back(rules_item(places, limits, now));
  const auto index = open_index(places.state / "advisories.index");
  state.items.push_back(advisories_item(index, limits, now));
  HF_CHECK(add_keys(places, limits, now, state.items));
  add_certificates(places, limits, now, state.items);
  static const std::optional<supply::AdvisoryIndex> kNone;
  HF_CHECK(add_libraries(places, index ? *index : kNone, limits, now, state.items));
  return state;
}

}  // namespace holdfast::updates
