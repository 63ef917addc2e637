#include "inspect/secrets.h"

#include <fmt/format.h>

namespace holdfast::inspect {
namespace {

constexpr Rule kRules[] = {
    {.id = "secret.address",
     .severity = Severity::kHigh,
     .title = "Address with a password in it",
     .explanation =
         "Whoever gets the file gets the account at that address: of a database, a queue or a server.",
     .remedy = "Change the password, and let the address come from the environment or a secret store.",
     .practice = "P10",
     .risk = "R02",
     .atlas = "AML.T0055"},
    {.id = "secret.password",
     .severity = Severity::kMedium,
     .title = "Password or key written into a file",
     .explanation = "Text that looks random is assigned to something called a password, secret or key. Files "
                    "of models and "
                    "notebooks are copied further than anybody meant such a value to go.",
     .remedy =
         "Change it where it is valid, and read it from the environment or a secret store. If it protects "
         "nothing, dismiss the finding with that reason.",
     .practice = "P10",
     .risk = "R02",
     .atlas = "AML.T0055"},
    {.id = "secret.private-key",
     .severity = Severity::kCritical,
     .title = "Private key",
     .explanation = "Whoever gets the file can sign, sign in or decrypt as the key's owner.",
     .remedy = "Revoke the key and whatever certificate it has, make a new one, and keep it in a key store.",
     .practice = "P10",
     .risk = "R02",
     .atlas = "AML.T0055"},
    {.id = "secret.token",
     .severity = Severity::kHigh,
     .title = "Credential of a service",
     .explanation = "It has the form in which a service issues its keys and tokens. Whoever gets the file "
                    "can act as its "
                    "owner for as long as it is valid.",
     .remedy = "Revoke it at its issuer, look there for what it was used for, and read the new one from the "
               "environment or a secret store.",
     .practice = "P10",
     .risk = "R02",
     .atlas = "AML.T0055"},
};

std::string_view rule_of(patterns::SecretKind kind) {
  switch (kind) {
    case patterns::SecretKind::kToken:
      return "secret.token";
    case patterns::SecretKind::kPrivateKey:
      return "secret.private-key";
    case patterns::SecretKind::kAddress:
      return "secret.address";
    case patterns::SecretKind::kPassword:
      return "secret.password";
  }
  return "secret.password";
}

std::string_view said_of(patterns::Validity validity) {
  switch (validity) {
    case patterns::Validity::kNoChecksum:
      return "";
    case patterns::Validity::kValid:
      return ", with a valid checksum or structure";
    case patterns::Validity::kInvalid:
      return ", whose checksum is wrong, so that its issuer never made it";
  }
  return "";
}

Severity severity_of(const patterns::SecretMatch& match) {
  if (match.validity == patterns::Validity::kInvalid) return Severity::kInfo;
  // Its passphrase protects it still.
  if (match.masked.find("ENCRYPTED") != std::string::npos) return Severity::kMedium;
  return find_rule(rule_of(match.kind))->severity;
}

}  // namespace

void report_secrets(const patterns::SecretScanner& scanner, const std::string& path, Findings& findings,
                    std::string_view place) {
  for (const auto& match : scanner.matches()) {
    findings.add({.rule_id = std::string(rule_of(match.kind)),
                  .severity = severity_of(match),
                  .path = path,
                  .offset = place.empty() ? std::optional(match.offset) : std::nullopt,
                  .message = fmt::format("{}line {}: {}: {}{}", place, match.line, match.title, match.masked,
                                         said_of(match.validity))});
  }
  if (scanner.dropped() > 0) {
    findings.add("secret.token", path, std::nullopt,
                 fmt::format("{}{} more credentials are not listed", place, scanner.dropped()));
  }
}

std::span<const Rule> secret_rules() { return kRules; }

}  // namespace holdfast::inspect
