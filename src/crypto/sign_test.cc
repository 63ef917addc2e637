#include "crypto/sign.h"

#include <gmock/gmock-matchers.h>

#include <map>
#include <sstream>

#include "base/encoding.h"
#include "base/file.h"
#include "crypto/sha256.h"

namespace holdfast::crypto {
namespace {

using base::as_bytes;
using base::Bytes;
using base::ErrorCode;
using testing::HasSubstr;

constexpr std::array kAlgorithms{KeyAlgorithm::kEcdsaP256, KeyAlgorithm::kEcdsaP384, KeyAlgorithm::kEcdsaP521,
                                 KeyAlgorithm::kEd25519};

std::string testdata(const std::string& name) {
  const auto bytes = base::read_file(std::string(HOLDFAST_TESTDATA "/") + name, 1UL << 20);
  EXPECT_TRUE(bytes.has_value()) << name;
  return bytes ? std::string(base::as_text(*bytes)) : std::string();
}

Bytes from_hex(const std::string& text) { return base::hex_decode(text).value(); }

using Vector = std::map<std::string, std::string>;

std::vector<Vector> vectors() {
  std::vector<Vector> all(1);
  std::istringstream text(testdata("signatures.txt"));
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with('#')) continue;
    if (line.empty() && !all.back().empty()) all.emplace_back();
    if (!line.empty()) all.back()[line.substr(0, line.find(':'))] = line.substr(line.find(':') + 2);
  }
  return all;
}

TEST(Sign, VerifiesThePublishedSignatures) {
  const auto all = vectors();
  ASSERT_EQ(all.size(), 10U);
  for (auto vector : all) {
    const Bytes point = from_hex(vector["public"]);
    const auto key =
        vector["algorithm"] == "ed25519" ? PublicKey::from_ed25519(point) : PublicKey::from_der(point);
    ASSERT_TRUE(key.has_value()) << key.error().message;
    EXPECT_EQ(to_string(key->algorithm()), vector["algorithm"]);
    Bytes message = from_hex(vector["message"]);
    const Bytes signature = from_hex(vector["signature"]);
    EXPECT_TRUE(key->verify(message, signature));
    message.push_back(0);
    EXPECT_FALSE(key->verify(message, signature));
  }
}

TEST(Sign, SignsWithEd25519AsPublished) {
  for (auto vector : vectors()) {
    if (!vector.contains("seed")) continue;
    const auto key = PrivateKey::from_ed25519_seed(from_hex(vector["seed"]));
    ASSERT_TRUE(key.has_value());
    EXPECT_EQ(key->public_key().to_ed25519().value(), from_hex(vector["public"]));
    EXPECT_EQ(key->sign(from_hex(vector["message"])), from_hex(vector["signature"]));
  }
}

TEST(Sign, EveryChangeOfMessageSignatureOrKeyIsSeen) {
  const Bytes message = base::hex_decode("00112233445566778899").value();
  for (const auto algorithm : kAlgorithms) {
    const auto key = PrivateKey::generate(algorithm);
    const Bytes signature = key.sign(message);
    ASSERT_TRUE(key.public_key().verify(message, signature)) << to_string(algorithm);
    for (std::size_t i = 0; i < signature.size(); ++i) {
      Bytes changed = signature;
      changed[i] ^= 1U;
      EXPECT_FALSE(key.public_key().verify(message, changed)) << to_string(algorithm) << " byte " << i;
      EXPECT_FALSE(key.public_key().verify(message, base::ByteView(signature).first(i)));
    }
    Bytes longer = signature;
    longer.push_back(0);
    EXPECT_FALSE(key.public_key().verify(message, longer));
    EXPECT_FALSE(key.public_key().verify(base::ByteView(message).first(9), signature));
    const auto refused = PrivateKey::generate(algorithm).public_key().verify(message, signature);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kDataCorrupt);
  }
}

TEST(Sign, ZeroAndLooselyEncodedEcdsaSignaturesAreRefused) {
  const auto key = PublicKey::from_pem(PrivateKey::generate(KeyAlgorithm::kEcdsaP256).public_key().to_pem());
  for (const char* signature : {"", "3000", "3006020100020100", "3006020101020101", "30080202000002020000"}) {
    EXPECT_FALSE(key->verify(as_bytes("x"), from_hex(signature))) << signature;
  }
}

TEST(Sign, KeysComeBackFromTheirText) {
  for (const auto algorithm : kAlgorithms) {
    const auto key = PrivateKey::generate(algorithm);
    const auto again = PrivateKey::from_pem(key.to_pem().reveal_text());
    ASSERT_TRUE(again.has_value()) << again.error().message;
    EXPECT_EQ(again->algorithm(), algorithm);
    EXPECT_EQ(again->public_key(), key.public_key());
    const auto public_key = PublicKey::from_pem(key.public_key().to_pem());
    ASSERT_TRUE(public_key.has_value());
    EXPECT_TRUE(public_key->verify(as_bytes("m"), again->sign(as_bytes("m"))));
    EXPECT_EQ(public_key->id(), sha256(key.public_key().to_der()));
  }
}

TEST(Sign, ReadsTheFormsThatOpensslWrites) {
  const std::map<std::string, KeyAlgorithm> files{{"p256.pkcs8.pem", KeyAlgorithm::kEcdsaP256},
                                                  {"p256.sec1.pem", KeyAlgorithm::kEcdsaP256},
                                                  {"p384.ecparam.pem", KeyAlgorithm::kEcdsaP384},
                                                  {"p521.pkcs8.pem", KeyAlgorithm::kEcdsaP521},
                                                  {"ed25519.pkcs8.pem", KeyAlgorithm::kEd25519}};
  for (const auto& [file, algorithm] : files) {
    const auto key = PrivateKey::from_pem(testdata("keys/" + file));
    ASSERT_TRUE(key.has_value()) << file << ": " << key.error().message;
    EXPECT_EQ(key->algorithm(), algorithm);
  }
  EXPECT_EQ(PrivateKey::from_pem(testdata("keys/p256.pkcs8.pem"))->public_key(),
            PrivateKey::from_pem(testdata("keys/p256.sec1.pem"))->public_key());
}

TEST(Sign, WritesPkcs8AsOpensslDoes) {
  for (const char* file : {"keys/p256.pkcs8.pem", "keys/p521.pkcs8.pem", "keys/ed25519.pkcs8.pem"}) {
    EXPECT_EQ(PrivateKey::from_pem(testdata(file))->to_pem().reveal_text(), testdata(file));
  }
}

TEST(Sign, RefusesEncryptedKeysWithoutAskingForAPassphrase) {
  for (const char* file : {"keys/encrypted.pkcs8.pem", "keys/encrypted.sec1.pem"}) {
    const auto key = PrivateKey::from_pem(testdata(file));
    ASSERT_FALSE(key.has_value());
    EXPECT_EQ(key.error().code, ErrorCode::kUnsupported);
    EXPECT_THAT(key.error().message, HasSubstr("openssl pkey -in"));
  }
}

TEST(Sign, RefusesOtherAlgorithmsAndCurvesByName) {
  const std::map<std::string, std::string> files{{"refused-secp256k1.pem", "secp256k1"},
                                                 {"refused-p192.pem", "prime192v1"},
                                                 {"refused-explicit.pem", "explicit parameters"},
                                                 {"refused-rsa.pem", "RSA"},
                                                 {"refused-x25519.pem", "X25519"},
                                                 {"refused-ed448.pem", "ED448"}};
  for (const auto& [file, kind] : files) {
    const auto key = PrivateKey::from_pem(testdata("keys/" + file));
    ASSERT_FALSE(key.has_value()) << file;
    EXPECT_EQ(key.error().code, ErrorCode::kUnsupported) << file << ": " << key.error().message;
    EXPECT_THAT(key.error().message, HasSubstr(kind));
  }
}

TEST(Sign, RefusesAPrivateKeyWhosePublicHalfIsAnothers) {
  // RFC 5915: the public point is optional and stands last; here its last byte is changed to lie off the
  // curve, and then the whole point is another key's.
  const auto a = PrivateKey::generate(KeyAlgorithm::kEcdsaP256);
  const auto b = PrivateKey::generate(KeyAlgorithm::kEcdsaP256);
  constexpr std::size_t kPointBytes = 65;
  const auto der_of = [](std::string_view pem) {
    std::string body;
    std::istringstream lines{std::string(pem)};
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with('-')) body += line;
    }
    return base::base64_decode(body).value();
  };
  const auto pem_of = [](const Bytes& der) {
    return "-----BEGIN PRIVATE KEY-----\n" + base::base64_encode(der) + "\n-----END PRIVATE KEY-----\n";
  };
  Bytes der = der_of(a.to_pem().reveal_text());
  EXPECT_TRUE(PrivateKey::from_pem(pem_of(der)));
  der.back() ^= 1U;
  EXPECT_FALSE(PrivateKey::from_pem(pem_of(der)));
  const Bytes other = b.public_key().to_der();
  std::copy(other.end() - kPointBytes, other.end(), der.end() - kPointBytes);
  EXPECT_FALSE(PrivateKey::from_pem(pem_of(der)));
}

TEST(Sign, RefusesTruncatedAndTrailingBytes) {
  for (const auto algorithm : kAlgorithms) {
    Bytes der = PrivateKey::generate(algorithm).public_key().to_der();
    for (std::size_t size = 0; size < der.size(); ++size) {
      EXPECT_FALSE(PublicKey::from_der(base::ByteView(der).first(size))) << size;
    }
    der.push_back(0);
    EXPECT_FALSE(PublicKey::from_der(der));
  }
  EXPECT_FALSE(PublicKey::from_ed25519(Bytes(31)));
  EXPECT_FALSE(PrivateKey::from_ed25519_seed(Bytes(33)));
}

TEST(Sign, RefusesThePointAtInfinity) {
  // SubjectPublicKeyInfo of P-256 whose point is the single byte 00 (SEC 1, section 2.3.3).
  const Bytes spki = from_hex("3019301306072a8648ce3d020106082a8648ce3d03010703020000");
  EXPECT_FALSE(PublicKey::from_der(spki));
}

TEST(Sign, TellsPublicFromPrivateText) {
  const auto key = PrivateKey::generate(KeyAlgorithm::kEd25519);
  const auto wrong = PublicKey::from_pem(key.to_pem().reveal_text());
  ASSERT_FALSE(wrong.has_value());
  EXPECT_THAT(wrong.error().message, HasSubstr("found PRIVATE KEY"));
  EXPECT_FALSE(PrivateKey::from_pem(key.public_key().to_pem()));
  EXPECT_FALSE(PublicKey::from_pem(""));
  EXPECT_FALSE(PublicKey::from_pem(key.public_key().to_pem() + key.public_key().to_pem()));
  EXPECT_EQ(PrivateKey::generate(KeyAlgorithm::kEcdsaP256).public_key().to_ed25519().error().code,
            ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace holdfast::crypto
