#include "cli/updates_settings.h"

#include <fmt/format.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "cli/settings.h"
#include "crypto/pem.h"

namespace holdfast::cli {

using base::ErrorCode;
using base::Result;

Result<updates::RulesToUse> rules_to_use(const Invocation& invocation, const base::Config& settings) {
  return updates::rules_to_use(state_folder(invocation.state_path), settings.list("rules.keys"),
                               {.max_age_days = settings.integer("rules.max_age_days"),
                                .require_fresh = settings.boolean("rules.require_fresh")},
                               base::system_clock().now());
}

updates::UpdateLimits update_limits(const base::Config& settings) {
  return {.rules_days = settings.integer("rules.max_age_days"),
          .advisories_days = settings.integer("updates.advisories_max_age_days"),
          .key_days = settings.integer("updates.key_max_age_days"),
          .certificate_days = settings.integer("updates.certificate_days"),
          .program_days = settings.integer("updates.program_max_age_days"),
          .library_days = settings.integer("updates.library_days")};
}

Result<Trust> trust_of(const base::Config& settings, std::string_view setting,
                       const std::optional<std::filesystem::path>& named) {
  const auto& files = settings.list(setting);
  HF_TRY(auto pinned, updates::read_keys(files));
  if (!named) {
    if (!pinned.empty()) return Trust{.keys = std::move(pinned), .pin_to = {}};
    return base::fail(
        ErrorCode::kUnauthenticated,
        fmt::format("no key is trusted yet: name the publisher's public key with --key, or in {}", setting));
  }
  HF_TRY(const auto pem, base::read_file(*named, crypto::kMaxPemBytes));
  auto key = crypto::PublicKey::from_pem(base::as_text(pem));
  if (!key) return base::fail(std::move(key).error().within(named->string()));
  if (std::ranges::find(pinned, *key) != pinned.end()) return Trust{.keys = std::move(pinned), .pin_to = {}};
  const bool may_pin =
      pinned.empty() && !files.empty() && settings.settings().find(setting)->second.origin == "default";
  if (!may_pin) {
    return base::fail(ErrorCode::kUnauthenticated,
                      fmt::format("{} is none of the keys that are trusted: add it to {} if it shall be",
                                  named->string(), setting));
  }
  return Trust{.keys = {*std::move(key)}, .pin_to = files.front()};
}

Result<> pin(const Trust& trust) {
  if (!trust.pin_to) return {};
  std::error_code error;
  std::filesystem::create_directories(trust.pin_to->parent_path(), error);
  HF_CHECK(base::write_file_atomically(*trust.pin_to, base::as_bytes(trust.keys.front().to_pem())));
  print_error(fmt::format("from now on trusted: the key {}, kept in {}", trust.keys.front().id().hex(),
                          trust.pin_to->string()));
  return {};
}

void print_signed(const SignedBundle& made) {
  const auto& edition = made.edition;
  if (!made.json) {
    print(fmt::format("{}: {} {}, until {}, signed by {}\n", made.bundle.generic_string(), edition.kind,
                      edition.version, edition.expires_at.text(), made.signer.id().hex()));
    return;
  }
  print(nlohmann::ordered_json{{"bundle", made.bundle.generic_string()},
                               {"kind", edition.kind},
                               {"version", edition.version},
                               {"issued_at", edition.issued_at.text()},
                               {"expires_at", edition.expires_at.text()},
                               {"signer", made.signer.id().hex()}}
            .dump(2) +
        "\n");
}

base::Timestamp days_after(base::Timestamp moment, std::int64_t days) {
  return moment + std::chrono::microseconds(std::chrono::days(days));
}

std::int64_t version_of_day(base::Timestamp now) {
  const auto text = now.text();
  const auto number = [&text](std::size_t at, std::size_t size) { return std::stoll(text.substr(at, size)); };
  return (number(0, 4) * 1'000'000) + (number(5, 2) * 10'000) + (number(8, 2) * 100) + 1;
}

}  // namespace holdfast::cli
