#include "trust/memory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <cerrno>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/json.h"

namespace holdfast::trust {

using base::ErrorCode;
using base::fail;
using base::Result;
using nlohmann::json;

namespace {

// Held by each process for one small read and write, and dropped by the kernel where it dies. It lies beside
// the file, which is replaced whole and so can't carry a lock itself.
Result<base::UniqueFd> lock(const std::filesystem::path& file) {
  auto name = file;
  name += ".lock";
  base::UniqueFd fd(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!fd.valid()) return base::fail_errno(fmt::format("cannot open {}", name.string()), errno);
  while (::flock(fd.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return base::fail_errno(fmt::format("cannot lock {}", name.string()), errno);
  }
  return fd;
}

tl::unexpected<base::Error> no_memory(std::string_view why) {
  return fail(ErrorCode::kDataCorrupt,
              fmt::format("it does not hold the versions that were accepted: {}", why));
}

Result<RememberedVersions> read_remembered(const std::filesystem::path& file) {
  const auto bytes = base::read_file(file, kMaxMemoryBytes);
  if (!bytes && bytes.error().code == ErrorCode::kNotFound) return RememberedVersions();
  if (!bytes) return fail(bytes.error());
  auto versions = parse_remembered(base::as_text(*bytes));
  if (!versions) return fail(std::move(versions).error().within(file.string()));
  return *std::move(versions);
}

}  // namespace

Result<RememberedVersions> parse_remembered(std::string_view text) {
  auto parsed = base::parse_json(text, {.max_bytes = kMaxMemoryBytes, .max_depth = 4});
  if (!parsed) return no_memory(parsed.error().message);
  const auto found = parsed->is_object() ? parsed->find("versions") : parsed->end();
  if (!parsed->is_object() || parsed->size() != 1 || found == parsed->end() || !found->is_object()) {
    return no_memory("expected an object with the member \"versions\" alone");
  }
  if (found->size() > kMaxRemembered) return no_memory("it remembers too many");
  RememberedVersions versions;
  for (const auto& [name, value] : found->items()) {
    if (!value.is_string()) return no_memory("a version is no text");
    auto version = ArtefactVersion::parse(value.get_ref<const std::string&>());
    if (!version) return no_memory(version.error().message);
    versions.emplace(name, *std::move(version));
  }
  return versions;
}

Result<> remember_version(const std::filesystem::path& file, const std::string& name,
                          const ArtefactVersion& version) {
  HF_TRY(const auto held, lock(file));
  HF_TRY(auto versions, read_remembered(file));
  const auto known = versions.find(name);
  if (known != versions.end() && version < known->second) {
    return fail(
        ErrorCode::kPermissionDenied,
        fmt::format("version {} of it was accepted here before, and this is the older {}; to go back on "
                    "purpose, take its line out of {}",
                    known->second.text(), version.text(), file.string()));
  }
  if (known != versions.end() && known->second == version) return {};
  versions.insert_or_assign(name, version);
  if (versions.size() > kMaxRemembered) {
    return fail(ErrorCode::kLimitExceeded, fmt::format("{} remembers {} artefacts, which is all it takes",
                                                       file.string(), kMaxRemembered));
  }
  json object = json::object();
  for (const auto& [known_name, known_version] : versions) object[known_name] = known_version.text();
  HF_TRY(const std::string text, base::canonical_json({{"versions", std::move(object)}}));
  return base::write_file_atomically(file, base::as_bytes(text + "\n"));
}

}  // namespace holdfast::trust
