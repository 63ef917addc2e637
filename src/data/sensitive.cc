#include "data/sensitive.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace holdfast::data {
namespace {

struct KindName {
  Sensitive kind;
  std::string_view name;
};

constexpr std::array kNames = {
    KindName{Sensitive::kSex, "sex"},
    KindName{Sensitive::kAge, "age"},
    KindName{Sensitive::kBirthDate, "birth-date"},
    KindName{Sensitive::kEthnicity, "ethnicity"},
    KindName{Sensitive::kReligion, "religion"},
    KindName{Sensitive::kMarriage, "marriage"},
    KindName{Sensitive::kHealth, "health"},
    KindName{Sensitive::kEmail, "email"},
    KindName{Sensitive::kPhone, "phone"},
    KindName{Sensitive::kName, "name"},
    KindName{Sensitive::kAddress, "address"},
    KindName{Sensitive::kNationalId, "national-id"},
    KindName{Sensitive::kAccountNumber, "account-number"},
};

// A column's name has all these words; where `alone`, no others.
struct NameRule {
  Sensitive kind;
  std::array<std::string_view, 2> words;
  bool alone = false;
};

constexpr std::array kNameRules = {
    NameRule{Sensitive::kBirthDate, {"birth"}},
    NameRule{Sensitive::kBirthDate, {"birthday"}},
    NameRule{Sensitive::kBirthDate, {"birthdate"}},
    NameRule{Sensitive::kBirthDate, {"dob"}},
    NameRule{Sensitive::kSex, {"sex"}},
    NameRule{Sensitive::kSex, {"gender"}},
    NameRule{Sensitive::kSex, {"female"}},
    NameRule{Sensitive::kSex, {"male"}},
    NameRule{Sensitive::kSex, {"woman"}},
    NameRule{Sensitive::kAge, {"age"}},
    NameRule{Sensitive::kEthnicity, {"race"}},
    NameRule{Sensitive::kEthnicity, {"ethnicity"}},
    NameRule{Sensitive::kEthnicity, {"ethnic"}},
    NameRule{Sensitive::kEthnicity, {"nationality"}},
    NameRule{Sensitive::kEthnicity, {"hispanic"}},
    NameRule{Sensitive::kEthnicity, {"black"}, true},  // with other words it is a colour
    NameRule{Sensitive::kEthnicity, {"native", "country"}},
    NameRule{Sensitive::kReligion, {"religion"}},
    NameRule{Sensitive::kReligion, {"religious"}},
    NameRule{Sensitive::kMarriage, {"marital"}},
    NameRule{Sensitive::kMarriage, {"marriage"}},
    NameRule{Sensitive::kMarriage, {"married"}},
    NameRule{Sensitive::kMarriage, {"spouse"}},
    NameRule{Sensitive::kHealth, {"health"}},
    NameRule{Sensitive::kHealth, {"disease"}},
    NameRule{Sensitive::kHealth, {"diagnosis"}},
    NameRule{Sensitive::kHealth, {"disability"}},
    NameRule{Sensitive::kHealth, {"disabled"}},
    NameRule{Sensitive::kHealth, {"medical"}},
    NameRule{Sensitive::kHealth, {"pregnant"}},
    NameRule{Sensitive::kEmail, {"email"}},
    NameRule{Sensitive::kEmail, {"e", "mail"}},
    NameRule{Sensitive::kPhone, {"phone"}},
    NameRule{Sensitive::kPhone, {"telephone"}},
    NameRule{Sensitive::kPhone, {"mobile"}},
    NameRule{Sensitive::kNationalId, {"ssn"}},
    NameRule{Sensitive::kNationalId, {"passport"}},
    NameRule{Sensitive::kNationalId, {"national", "id"}},
    NameRule{Sensitive::kNationalId, {"tax", "id"}},
    NameRule{Sensitive::kNationalId, {"social", "security"}},
    NameRule{Sensitive::kAccountNumber, {"iban"}},
    NameRule{Sensitive::kAccountNumber, {"account", "number"}},
    NameRule{Sensitive::kAccountNumber, {"account", "no"}},
    NameRule{Sensitive::kAccountNumber, {"card", "number"}},
    NameRule{Sensitive::kAccountNumber, {"card", "no"}},
    NameRule{Sensitive::kName, {"name"}, true},
    NameRule{Sensitive::kName, {"first", "name"}},
    NameRule{Sensitive::kName, {"last", "name"}},
    NameRule{Sensitive::kName, {"full", "name"}},
    NameRule{Sensitive::kName, {"family", "name"}},
    NameRule{Sensitive::kName, {"given", "name"}},
    NameRule{Sensitive::kName, {"customer", "name"}},
    NameRule{Sensitive::kName, {"person", "name"}},
    NameRule{Sensitive::kName, {"firstname"}},
    NameRule{Sensitive::kName, {"lastname"}},
    NameRule{Sensitive::kName, {"fullname"}},
    NameRule{Sensitive::kName, {"surname"}},
    NameRule{Sensitive::kAddress, {"address"}},
    NameRule{Sensitive::kAddress, {"street"}},
    NameRule{Sensitive::kAddress, {"zip"}},
    NameRule{Sensitive::kAddress, {"zipcode"}},
    NameRule{Sensitive::kAddress, {"postcode"}},
    NameRule{Sensitive::kAddress, {"postal", "code"}},
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

// The words of a name, in lower case: split where there is no letter or digit, and before a capital after a
// small letter.
std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words;
  char last = '_';
  for (const char c : name) {
    const bool part_of_word = is_digit(c) || is_upper(c) || is_lower(c);
    const bool after_word = is_digit(last) || is_upper(last) || is_lower(last);
    if (part_of_word && (!after_word || (is_upper(c) && is_lower(last)))) words.emplace_back();
    if (part_of_word) words.back().push_back(is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c);
    last = c;
  }
  return words;
}

bool applies(const NameRule& rule, const std::vector<std::string>& words) {
  if (rule.alone && words.size() > 1) return false;
  return std::all_of(rule.words.begin(), rule.words.end(), [&](std::string_view word) {
    return word.empty() || std::find(words.begin(), words.end(), word) != words.end();
  });
}

// The digits of `value`; empty where it has anything else than digits and the characters of `between`, or
// more than `most` digits.
std::string digits_of(std::string_view value, std::string_view between, std::size_t most) {
  std::string digits;
  for (const char c : value) {
    if (is_digit(c)) {
      digits.push_back(c);
    } else if (between.find(c) == std::string_view::npos) {
      return {};
    }
    if (digits.size() > most) return {};
  }
  return digits;
}

// From the right, every second digit doubled, its own digits added: a multiple of ten.
bool has_luhn_digit(std::string_view digits) {
  int sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const int digit = digits[digits.size() - 1 - i] - '0';
    const int doubled = 2 * digit > 9 ? 2 * digit - 9 : 2 * digit;
    sum += i % 2 == 1 ? doubled : digit;
  }
  return sum % 10 == 0;
}

bool is_card_number(std::string_view value) {
  const std::string digits = digits_of(value, " -", 19);
  return digits.size() >= 13 && digits[0] >= '2' && digits[0] <= '6' && has_luhn_digit(digits);
}

// Two letters, two check digits, up to 30 more; with the first four behind the others and letters as 10 to
// 35, the remainder by 97 is 1.
bool is_iban(std::string_view value) {
  std::string compact;
  for (const char c : value) {
    if (c == ' ') continue;
    if (!is_digit(c) && !is_upper(c)) return false;
    compact.push_back(c);
    if (compact.size() > 34) return false;
  }
  if (compact.size() < 15 || !is_upper(compact[0]) || !is_upper(compact[1]) || !is_digit(compact[2]) ||
      !is_digit(compact[3])) {
    return false;
  }
  std::rotate(compact.begin(), compact.begin() + 4, compact.end());
  int remainder = 0;
  for (const char c : compact) {
    remainder = is_digit(c) ? (remainder * 10 + (c - '0')) % 97 : (remainder * 100 + (c - 'A' + 10)) % 97;
  }
  return remainder == 1;
}

// A local part, one "@", a domain with a dot inside (RFC 5321's lengths; quoted local parts are not looked
// for).
bool is_email(std::string_view value) {
  const std::size_t at = value.find('@');
  if (at == std::string_view::npos || at == 0 || at > 64 || value.size() > 254) return false;
  const std::string_view domain = value.substr(at + 1);
  const std::size_t dot = domain.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || domain.size() - dot < 3) return false;
  const auto sound = [](char c) {
    return c > ' ' && c != '@' && c != ',' && c != ';' && c != '<' && c != '>';
  };
  return std::all_of(value.begin(), value.begin() + static_cast<std::ptrdiff_t>(at), sound) &&
         std::all_of(domain.begin(), domain.end(), [](char c) {
           return is_digit(c) || is_upper(c) || is_lower(c) || c == '.' || c == '-' || (c & 0x80) != 0;
         });
}

// ddd-dd-dddd without the areas and groups that are never given out (SSA, "Social Security Number
// Randomization").
bool is_social_security_number(std::string_view value) {
  if (value.size() != 11 || value[3] != '-' || value[6] != '-') return false;
  const std::string digits = digits_of(value, "-", 9);
  return digits.size() == 9 && digits[0] != '9' && digits.substr(0, 3) != "000" &&
         digits.substr(0, 3) != "666" && digits.substr(3, 2) != "00" && digits.substr(5) != "0000";
}

// With a "+" eight to fifteen digits (ITU-T E.164), else ten to fifteen with something between them.
bool is_phone_number(std::string_view value) {
  const std::string digits = digits_of(value, "+ -.()/", 15);
  if (value.starts_with('+')) return digits.size() >= 8;
  return digits.size() >= 10 && digits.size() < value.size();
}

}  // namespace

std::string_view to_string(Sensitive kind) {
  const auto* const found =
      std::find_if(kNames.begin(), kNames.end(), [&](const KindName& entry) { return entry.kind == kind; });
  return found->name;
}

base::Result<Sensitive> parse_sensitive(std::string_view text) {
  const auto* const found =
      std::find_if(kNames.begin(), kNames.end(), [&](const KindName& entry) { return entry.name == text; });
  if (found != kNames.end()) return found->kind;
  return base::fail(base::ErrorCode::kInvalidArgument,
                    fmt::format("\"{}\" is no kind of sensitive column", text.substr(0, 80)));
}

bool is_protected_attribute(Sensitive kind) {
  switch (kind) {
    case Sensitive::kSex:
    case Sensitive::kAge:
    case Sensitive::kBirthDate:
    case Sensitive::kEthnicity:
    case Sensitive::kReligion:
    case Sensitive::kMarriage:
    case Sensitive::kHealth:
      return true;
    case Sensitive::kEmail:
    case Sensitive::kPhone:
    case Sensitive::kName:
    case Sensitive::kAddress:
    case Sensitive::kNationalId:
    case Sensitive::kAccountNumber:
      return false;
  }
  return false;
}

std::optional<Sensitive> sensitive_by_name(std::string_view name) {
  const std::vector<std::string> words = words_of(name);
  for (const NameRule& rule : kNameRules) {
    if (applies(rule, words)) return rule.kind;
  }
  return std::nullopt;
}

std::optional<Sensitive> sensitive_by_content(std::string_view value) {
  constexpr std::size_t kLongest = 254;  // of an e-mail address
  if (value.size() > kLongest) return std::nullopt;
  if (is_email(value)) return Sensitive::kEmail;
  if (is_social_security_number(value)) return Sensitive::kNationalId;
  if (is_card_number(value) || is_iban(value)) return Sensitive::kAccountNumber;
  if (is_phone_number(value)) return Sensitive::kPhone;
  return std::nullopt;
}

}  // namespace holdfast::data
