#include "gateway/snapshot.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace holdfast::gateway {

using base::ErrorCode;
using base::fail;
using base::Result;

namespace {

constexpr std::size_t kMaxNameBytes = 128;

bool is_name(std::string_view name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  return !name.empty() && name.size() <= kMaxNameBytes && std::ranges::all_of(name, plain) && name != "." &&
         name != "..";
}

Result<> check_version(const ServedVersion& version) {
  if (!is_name(version.name)) return fail(ErrorCode::kInvalidArgument, "a version has no proper name");
  if (version.predictor == nullptr || version.guard == nullptr) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("version {} has no model or no guard", version.name));
  }
  for (const std::string& output : version.outputs) {
    if (version.predictor->signature().find_output(output) == nullptr) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("the model of version {} has no output \"{}\"", version.name, output));
    }
  }
  return {};
}

Result<> check_endpoint(const Endpoint& endpoint) {
  if (!is_name(endpoint.name)) return fail(ErrorCode::kInvalidArgument, "it has no proper name");
  if (!(endpoint.rate.per_second > 0) || !(endpoint.rate.burst >= 1) || endpoint.deadline.count() <= 0) {
    return fail(ErrorCode::kInvalidArgument, "its rate limit or its deadline lets nothing through");
  }
  std::set<std::string_view> names;
  std::uint64_t shares = 0;
  for (const ServedVersion& version : endpoint.versions) {
    HF_CHECK(check_version(version));
    if (!names.insert(version.name).second) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("version {} is there twice", version.name));
    }
    shares += version.share;
  }
  if (shares != Snapshot::kAllTraffic) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("the shares of its versions add up to {}, not to {}",
                                                         shares, Snapshot::kAllTraffic));
  }
  return {};
}

// splitmix64's finish (Steele, Lea and Flood 2014) over FNV-1a.
std::uint64_t mix(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9;
  hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EB;
  return hash ^ (hash >> 31);
}

}  // namespace

Result<std::shared_ptr<const Snapshot>> Snapshot::create(std::vector<Endpoint> endpoints) {
  auto snapshot = std::shared_ptr<Snapshot>(new Snapshot());
  for (Endpoint& endpoint : endpoints) {
    std::string name = endpoint.name;
    if (auto sound = check_endpoint(endpoint); !sound) {
      return fail(std::move(sound).error().within(fmt::format("endpoint {}", name)));
    }
    if (!snapshot->endpoints_.emplace(name, std::move(endpoint)).second) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("endpoint {} is there twice", name));
    }
  }
  return std::shared_ptr<const Snapshot>(std::move(snapshot));
}

const Endpoint* Snapshot::find(std::string_view endpoint) const {
  const auto found = endpoints_.find(endpoint);
  return found == endpoints_.end() ? nullptr : &found->second;
}

const ServedVersion& choose_version(const Endpoint& endpoint, std::string_view prediction_id) {
  std::uint64_t point = mix(prediction_id) % Snapshot::kAllTraffic;
  for (const ServedVersion& version : endpoint.versions) {
    if (point < version.share) return version;
    point -= version.share;
  }
  return endpoint.versions.back();
}

const ServedVersion* largest_version(const Endpoint& endpoint) {
  return &*std::ranges::max_element(endpoint.versions, {}, &ServedVersion::share);
}

const ServedVersion* find_version(const Endpoint& endpoint, std::string_view version) {
  const auto found = std::ranges::find(endpoint.versions, version, &ServedVersion::name);
  return found == endpoint.versions.end() ? nullptr : &*found;
}

}  // namespace holdfast::gateway
