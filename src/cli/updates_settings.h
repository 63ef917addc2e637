#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/config.h"
#include "cli/command.h"
#include "crypto/sign.h"
#include "updates/rules.h"
#include "updates/state.h"

// What the settings say of rule sets and advisories.

namespace holdfast::cli {

// The set in force for this person or server.
base::Result<updates::RulesToUse> rules_to_use(const Invocation& invocation, const base::Config& settings);

updates::UpdateLimits update_limits(const base::Config& settings);

// Whom a bundle is believed: the keys in the files of a list setting ("rules.keys"), and `named`, a file
// given on the command line. While none is pinned, and the setting is the default, `named` may become the
// one: then `pin_to` is where it goes.
struct Trust {
  std::vector<crypto::PublicKey> keys;
  std::optional<std::filesystem::path> pin_to;
};
base::Result<Trust> trust_of(const base::Config& settings, std::string_view setting,
                             const std::optional<std::filesystem::path>& named);
// Keeps the key at pin_to, if that is set, and says so on standard error.
base::Result<> pin(const Trust& trust);

// Tells of a bundle that was made: "rules.bundle: rules 2026112401, until ..., signed by ...".
struct SignedBundle {
  std::filesystem::path bundle;
  updates::Edition edition;
  crypto::PublicKey signer;
  bool json;
};
void print_signed(const SignedBundle& made);

// For --expires: that many days from now on. For a version that is not given: today's date and "01".
base::Timestamp days_after(base::Timestamp moment, std::int64_t days);
std::int64_t version_of_day(base::Timestamp now);

}  // namespace holdfast::cli
