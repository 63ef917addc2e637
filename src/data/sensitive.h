#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

// Which columns hold what may hurt people: attributes by which they must not be treated differently, and
// values that say who they are. Found by name and by content; a column that is not found is not thereby
// harmless.

namespace holdfast::data {

enum class Sensitive {
  kSex,
  kAge,
  kBirthDate,
  kEthnicity,
  kReligion,
  kMarriage,
  kHealth,
  kEmail,
  kPhone,
  kName,
  kAddress,
  kNationalId,
  kAccountNumber,
};

std::string_view to_string(Sensitive kind);  // "sex", "birth-date", ...
base::Result<Sensitive> parse_sensitive(std::string_view text);

// An attribute that fairness is measured over, rather than an identifier.
bool is_protected_attribute(Sensitive kind);

// By the words of a column's name, however they are joined: "birth_date", "DateOfBirth", "marital-status".
std::optional<Sensitive> sensitive_by_name(std::string_view name);

// By what one value looks like: an e-mail address, a phone number, a card number (with a valid Luhn digit,
// ISO/IEC 7812-1 annex B), an IBAN (with valid check digits, ISO 13616), a US social security number.
std::optional<Sensitive> sensitive_by_content(std::string_view value);

}  // namespace holdfast::data
