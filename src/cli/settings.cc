#include "cli/settings.h"

#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "base/file.h"

namespace holdfast::cli {
namespace {

constexpr std::size_t kMaxConfigBytes = 1UL << 20;
// What the program reads of the environment beside its settings.
constexpr std::string_view kOtherVariables[] = {"HOLDFAST_CONFIG", "HOLDFAST_STATE", "HOLDFAST_TOKEN"};

std::optional<std::string> environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::vector<std::string> variable_names() {
  std::vector<std::string> names;
  for (char* const* one = environ; *one != nullptr; ++one) {
    const std::string_view variable(*one);
    names.emplace_back(variable.substr(0, variable.find('=')));
  }
  return names;
}

// The XDG base directory specification: an unset, empty or relative value means the default.
std::filesystem::path xdg_folder(const char* variable, const char* below_home) {
  if (const auto value = environment(variable); value && value->starts_with('/')) return *value;
  const auto home = environment("HOME");
  return std::filesystem::path(home && !home->empty() ? *home : "/") / below_home;
}

}  // namespace

std::span<const base::ConfigKey> setting_keys() {
  static const base::ConfigKey keys[] = {
      {"inspect.memory_mib", std::int64_t{512}, "memory of the worker that reads an untrusted file, in MiB",
       64, 65'536},
      {"inspect.seconds", std::int64_t{300}, "time that inspecting one file may take, in seconds", 1, 86'400},
      {"jail.require_namespaces", true,
       "refuse to run a worker where the system denies user namespaces; false leaves Landlock and seccomp "
       "alone"},
      {"server.address", std::string("127.0.0.1"), "the address to listen on"},
      {"server.port", std::int64_t{8443}, "the port to listen on; 0 for any that is free", 0, 65'535},
      {"server.issuer", std::string("holdfast"),
       "this installation's name, which a service's client assertion has as its audience"},
      {"server.names", std::vector<std::string>{"localhost", "127.0.0.1"},
       "the DNS names and addresses that the server's certificate proves"},
      {"access.one_time_hours", std::int64_t{24}, "hours that a one-time password sets another", 1, 8'760},
      {"egress.allow", std::vector<std::string>{},
       "where the server may send requests: host:port, with ' private' for an address inside"},
      {"keys.master_file", (configuration_folder() / "master.key").string(),
       "the master key, outside of the state folder; made at the first start"},
      {"rules.keys", std::vector<std::string>{(configuration_folder() / "rules.pub").string()},
       "files of public keys whose rule sets are believed"},
      {"rules.max_age_days", std::int64_t{180}, "days after which a rule set should have been renewed", 1,
       3'650},
      {"rules.require_fresh", false, "let no file pass by a rule set that is older than that"},
      {"advisories.keys", std::vector<std::string>{(configuration_folder() / "advisories.pub").string()},
       "files of public keys whose bundles of advisories are believed"},
      {"updates.advisories_max_age_days", std::int64_t{7},
       "days after which advisories should be imported anew", 1, 3'650},
      {"updates.key_max_age_days", std::int64_t{730}, "days after which a key should be changed", 1, 36'500},
      {"updates.certificate_days", std::int64_t{30},
       "days before its end by which a certificate should be renewed", 0, 3'650},
      {"updates.program_max_age_days", std::int64_t{365}, "days after which the program should be updated", 1,
       36'500},
      {"updates.library_days", std::int64_t{30},
       "days that an advisory against a library of the program may be public before it is overdue", 0, 3'650},
      {"monitor.window_rows", std::int64_t{500}, "predictions that make one window of drift", 50, 1'000'000},
      {"alerts.quiet_windows", std::int64_t{3}, "windows without a signal after which an alert resolves", 1,
       1'000},
  };
  return keys;
}

std::filesystem::path configuration_folder() { return xdg_folder("XDG_CONFIG_HOME", ".config") / "holdfast"; }

std::filesystem::path state_folder(const std::optional<std::filesystem::path>& named) {
  if (named) return *named;
  if (const auto value = environment("HOLDFAST_STATE"); value && !value->empty()) return *value;
  return xdg_folder("XDG_STATE_HOME", ".local/state") / "holdfast";
}

base::Result<base::Config> load_settings(const std::optional<std::filesystem::path>& named) {
  HF_CHECK(base::Config::check_variables(setting_keys(), kOtherVariables, variable_names()));
  auto path = named;
  if (const auto value = environment("HOLDFAST_CONFIG"); !path && value && !value->empty()) path = *value;
  const bool must_exist = path.has_value();
  if (!path) path = configuration_folder() / "holdfast.toml";
  auto bytes = base::read_file(*path, kMaxConfigBytes);
  if (!bytes) {
    if (must_exist || bytes.error().code != base::ErrorCode::kNotFound)
      return base::fail(std::move(bytes).error());
    bytes = base::Bytes{};
  }
  return base::Config::load(setting_keys(), base::as_text(*bytes), path->string(), environment);
}

}  // namespace holdfast::cli
