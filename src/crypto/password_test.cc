#include "crypto/password.h"

#include <gtest/gtest.h>

#include "crypto/test_vectors.h"

namespace holdfast::crypto {
namespace {

using base::as_bytes;
using base::ErrorCode;
using base::Secret;

constexpr Argon2Cost kCheap{.memory_kib = 64, .passes = 1, .lanes = 2};

Secret secret(std::string_view text) { return Secret::copy_of(as_bytes(text)); }

TEST(PasswordHash, MatchesTheHashesOfTheReferenceImplementation) {
  for (const auto& vector : read_vectors("argon2id.txt")) {
    const auto hash = PasswordHash::parse(vector.text("hash"));
    ASSERT_TRUE(hash.has_value()) << hash.error().message;
    EXPECT_EQ(hash->text(), vector.text("hash"));
    EXPECT_EQ(hash->matches(secret(vector.text("password"))).value(), true);
    EXPECT_EQ(hash->matches(secret("passwore")).value(), false);
  }
}

TEST(PasswordHash, DefaultsToTheRecommendationOfRfc9106) {
  const auto hash = PasswordHash::create(secret("correct horse"), base::system_random());
  ASSERT_TRUE(hash.has_value()) << hash.error().message;
  EXPECT_TRUE(hash->text().starts_with("$argon2id$v=19$m=65536,t=3,p=4$")) << hash->text();
  EXPECT_EQ(hash->matches(secret("correct horse")).value(), true);
  EXPECT_EQ(hash->matches(secret("correct horse ")).value(), false);
  EXPECT_EQ(hash->matches(secret("")).value(), false);
}

TEST(PasswordHash, SaltsEachHashAnew) {
  CountingRandom random;
  const auto first = PasswordHash::create(secret("same"), random, kCheap);
  const auto second = PasswordHash::create(secret("same"), random, kCheap);
  ASSERT_TRUE(first.has_value() && second.has_value());
  EXPECT_NE(first->text(), second->text());
}

TEST(PasswordHash, OfNobodyCostsAsMuchAndMatchesNothing) {
  const auto nobody = PasswordHash::of_nobody();
  EXPECT_TRUE(nobody.text().starts_with("$argon2id$v=19$m=65536,t=3,p=4$"));
  EXPECT_EQ(nobody.matches(secret("")).value(), false);
  EXPECT_EQ(nobody.matches(secret("password")).value(), false);
}

TEST(PasswordHash, RefusesCostsThatExhaustTheMachine) {
  for (const auto* const cost : {"m=262145,t=3,p=4", "m=4294967295,t=3,p=4", "m=65536,t=17,p=4",
                                 "m=65536,t=3,p=17", "m=15,t=1,p=2", "m=65536,t=4294967295,p=1"}) {
    const auto hash = PasswordHash::parse(std::string("$argon2id$v=19$") + cost +
                                          "$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4");
    ASSERT_FALSE(hash.has_value()) << cost;
    EXPECT_EQ(hash.error().code, ErrorCode::kLimitExceeded) << cost;
  }
}

TEST(PasswordHash, RefusesTextInAnyOtherForm) {
  const std::string salt_and_hash = "$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
  for (const std::string& text : {
           std::string("x$argon2id$v=19$m=256,t=2,p=1") + salt_and_hash,
           "$argon2id$v=16$m=256,t=2,p=1" + salt_and_hash,
           "$argon2id$m=256,t=2,p=1" + salt_and_hash,
           "$argon2id$v=19$t=2,m=256,p=1" + salt_and_hash,
           "$argon2id$v=19$m=0256,t=2,p=1" + salt_and_hash,
           "$argon2id$v=19$m=+256,t=2,p=1" + salt_and_hash,
           "$argon2id$v=19$m=-256,t=2,p=1" + salt_and_hash,
           "$argon2id$v=19$m=256 ,t=2,p=1" + salt_and_hash,
           "$argon2id$v=19$m=256,t=2,p=1,k=1" + salt_and_hash,
           "$argon2id$v=19$m=99999999999,t=2,p=1" + salt_and_hash,
           "$argon2id$v=19$m=256,t=2,p=1" + salt_and_hash + "$",
           "$argon2id$v=19$m=256,t=2,p=1" + salt_and_hash + "=",
           std::string("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ"),
           // A salt of 7 bytes, a hash of 15, a salt of 65.
           std::string("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbA$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"),
           std::string("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4r"),
           "$argon2id$v=19$m=256,t=2,p=1$" + base::base64_encode(base::Bytes(65), base::Base64::kRaw) +
               "$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
       }) {
    const auto hash = PasswordHash::parse(text);
    ASSERT_FALSE(hash.has_value()) << text;
    EXPECT_EQ(hash.error().code, ErrorCode::kDataCorrupt) << text;
  }
  const auto bcrypt = PasswordHash::parse("$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW");
  ASSERT_FALSE(bcrypt.has_value());
  EXPECT_EQ(bcrypt.error().code, ErrorCode::kUnsupported);
}

TEST(PasswordHash, RefusesWhatItCannotHash) {
  CountingRandom random;
  const auto costly = PasswordHash::create(secret("p"), random, {.memory_kib = 1U << 30});
  ASSERT_FALSE(costly.has_value());
  EXPECT_EQ(costly.error().code, ErrorCode::kLimitExceeded);
  const auto endless = PasswordHash::create(Secret(kMaxPasswordBytes + 1), random, kCheap);
  ASSERT_FALSE(endless.has_value());
  EXPECT_EQ(endless.error().code, ErrorCode::kLimitExceeded);
}

TEST(DeriveKey, DependsOnAllThatItIsGiven) {
  const auto key = [](std::string_view phrase, std::string_view salt, const Argon2Cost& cost) {
    return base::hex_encode(derive_key(secret(phrase), as_bytes(salt), 32, cost).value().reveal());
  };
  EXPECT_EQ(key("phrase", "saltsalt", kCheap), key("phrase", "saltsalt", kCheap));
  EXPECT_NE(key("phrase", "saltsalt", kCheap), key("phrasf", "saltsalt", kCheap));
  EXPECT_NE(key("phrase", "saltsalt", kCheap), key("phrase", "saltsalu", kCheap));
  EXPECT_NE(key("phrase", "saltsalt", kCheap),
            key("phrase", "saltsalt", {.memory_kib = 64, .passes = 2, .lanes = 2}));
}

TEST(DeriveKey, RefusesOtherSizes) {
  for (const auto& [salt, size] :
       std::vector<std::pair<std::size_t, std::size_t>>{{7, 32}, {65, 32}, {8, 15}, {8, 65}}) {
    const auto key = derive_key(secret("phrase"), base::Bytes(salt), size, kCheap);
    ASSERT_FALSE(key.has_value()) << salt << " " << size;
    EXPECT_EQ(key.error().code, ErrorCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace holdfast::crypto
