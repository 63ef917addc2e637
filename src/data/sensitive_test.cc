#include "data/sensitive.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace holdfast::data {
namespace {

TEST(Sensitive, IsFoundByName) {
  const std::vector<std::pair<const char*, Sensitive>> columns = {
      {"sex", Sensitive::kSex},
      {"Gender", Sensitive::kSex},
      {"applicant_gender", Sensitive::kSex},
      {"female", Sensitive::kSex},
      {"is_male", Sensitive::kSex},
      {"black", Sensitive::kEthnicity},
      {"AGE", Sensitive::kAge},
      {"age_years", Sensitive::kAge},
      {"birth_date", Sensitive::kBirthDate},
      {"DateOfBirth", Sensitive::kBirthDate},
      {"dob", Sensitive::kBirthDate},
      {"race", Sensitive::kEthnicity},
      {"native-country", Sensitive::kEthnicity},
      {"religion", Sensitive::kReligion},
      {"marital-status", Sensitive::kMarriage},
      {"health.status", Sensitive::kHealth},
      {"e-mail", Sensitive::kEmail},
      {"emailAddress", Sensitive::kEmail},
      {"Phone Number", Sensitive::kPhone},
      {"firstName", Sensitive::kName},
      {"name", Sensitive::kName},
      {"home_address", Sensitive::kAddress},
      {"ZIP", Sensitive::kAddress},
      {"SSN", Sensitive::kNationalId},
      {"national_id", Sensitive::kNationalId},
      {"account number", Sensitive::kAccountNumber},
      {"iban", Sensitive::kAccountNumber},
  };
  for (const auto& [name, kind] : columns) EXPECT_EQ(sensitive_by_name(name), kind) << name;
}

TEST(Sensitive, OtherNamesAreLeftAlone) {
  for (const char* name :
       {"", "average", "wage", "storage", "sussex", "product_name", "file name", "loan_amount",
        "account_balance", "country", "trace", "page", "black_box", "malevolent", "__", "\xC3\xA4ge"}) {
    EXPECT_FALSE(sensitive_by_name(name).has_value()) << name;
  }
}

TEST(Sensitive, IsFoundByContent) {
  const std::vector<std::pair<const char*, Sensitive>> values = {
      {"jane.doe+tag@example.co.uk", Sensitive::kEmail},
      {"123-45-6789", Sensitive::kNationalId},
      {"4111 1111 1111 1111", Sensitive::kAccountNumber},  // test numbers of the card networks
      {"5500000000000004", Sensitive::kAccountNumber},
      {"340000000000009", Sensitive::kAccountNumber},
      {"GB82 WEST 1234 5698 7654 32", Sensitive::kAccountNumber},  // ISO 13616's examples
      {"DE89370400440532013000", Sensitive::kAccountNumber},
      {"+44 20 7946 0958", Sensitive::kPhone},
      {"(212) 555-0123", Sensitive::kPhone},
  };
  for (const auto& [value, kind] : values) EXPECT_EQ(sensitive_by_content(value), kind) << value;
}

TEST(Sensitive, WrongCheckDigitsAndLookAlikesAreNot) {
  for (const char* value : {"", "4111 1111 1111 1112", "DE89370400440532013001", "GB82WEST", "2020-01-02",
                            "1234567890", "000-12-3456", "900-12-3456", "123-00-4567", "@example.com", "a@b",
                            "a b@example.com", "x@y@example.com", "3.14159", "192.168.100.200:8080", "DE"}) {
    EXPECT_FALSE(sensitive_by_content(value).has_value()) << value;
  }
  EXPECT_FALSE(sensitive_by_content(std::string(100'000, '4')).has_value());
}

TEST(Sensitive, KindsHaveNames) {
  for (const Sensitive kind : {Sensitive::kSex, Sensitive::kBirthDate, Sensitive::kAccountNumber}) {
    EXPECT_EQ(parse_sensitive(to_string(kind)).value(), kind);
  }
  EXPECT_FALSE(parse_sensitive("Sex").has_value());
  EXPECT_TRUE(is_protected_attribute(Sensitive::kMarriage));
  EXPECT_FALSE(is_protected_attribute(Sensitive::kEmail));
}

}  // namespace
}  // namespace holdfast::data
