#include "crypto/x509.h"

#include <gmock/gmock-more-matchers.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/encoding.h"
#include "base/file.h"
#include "crypto/x509_authority.h"

namespace holdfast::crypto {
namespace {

using base::as_bytes;
using base::Bytes;
using base::ErrorCode;
using base::Timestamp;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

class FixedClock final : public base::Clock {
 public:
  explicit FixedClock(Timestamp now) : now_(now) {}
  [[nodiscard]] Timestamp now() const override { return now_; }

 private:
  Timestamp now_;
};

class CountingRandom final : public base::RandomSource {
 public:
  void fill(base::MutableByteView bytes) override {
    for (auto& byte : bytes) byte = next_--;
  }

 private:
  std::uint8_t next_ = 0xff;
};

class X509 : public testing::Test {
 protected:
  Certificate server(const std::vector<std::string>& dns = {"gateway.example.com"}) {
    return authority_
        .issue_server(subject_, {.dns = dns, .ip = {"10.0.0.1", "::1"}}, hours(24), clock_, random_)
        .value();
  }
  Certificate client() {
    return authority_.issue_client(subject_, kWorkload, hours(24), clock_, random_).value();
  }
  base::Result<> verify(const Certificate& leaf, CertificateUse use, Timestamp at) const {
    const std::vector roots{authority_.certificate()};
    return verify_chain(leaf, {}, roots, use, at);
  }

  static constexpr std::string_view kWorkload = "spiffe://holdfast.example/engine/credit-7";
  const Timestamp now_ = Timestamp::parse("2026-11-23T12:00:00Z").value();
  const FixedClock clock_{now_};
  CountingRandom random_;
  const CertificateAuthority authority_ =
      CertificateAuthority::create("Test authority", clock_, random_).value();
  const PublicKey subject_ = PrivateKey::generate(KeyAlgorithm::kEcdsaP256).public_key();
};

TEST_F(X509, TheAuthorityIsSelfSignedForTenYears) {
  const Certificate& root = authority_.certificate();
  EXPECT_EQ(root.subject(), "CN=Test authority");
  EXPECT_EQ(root.not_before().text(), "2026-11-23T11:55:00Z");
  EXPECT_EQ(root.not_after().text(), "2036-11-22T12:00:00Z");
  EXPECT_EQ(root.serial(), "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0");
  EXPECT_EQ(root.public_key().value(), authority_.key().public_key());
  EXPECT_EQ(authority_.key().algorithm(), KeyAlgorithm::kEcdsaP256);
}

TEST_F(X509, LeavesAreGoodForTheirUseOnly) {
  EXPECT_TRUE(verify(server(), CertificateUse::kServer, now_));
  EXPECT_FALSE(verify(server(), CertificateUse::kClient, now_));
  EXPECT_TRUE(verify(client(), CertificateUse::kClient, now_));
  EXPECT_FALSE(verify(client(), CertificateUse::kServer, now_));
  EXPECT_TRUE(verify(client(), CertificateUse::kSigning, now_));  // key usage digitalSignature
  EXPECT_FALSE(verify(authority_.certificate(), CertificateUse::kSigning, now_));
}

TEST_F(X509, LeavesAreGoodInTheirTimeOnly) {
  const Certificate leaf = client();
  EXPECT_TRUE(verify(leaf, CertificateUse::kClient, now_ + -minutes(5)));
  // RFC 5280 counts the last second in; OpenSSL does not.
  EXPECT_TRUE(verify(leaf, CertificateUse::kClient, now_ + hours(24) + -seconds(1)));
  const auto early = verify(leaf, CertificateUse::kClient, now_ + -minutes(5) + -seconds(1));
  ASSERT_FALSE(early.has_value());
  EXPECT_EQ(early.error().code, ErrorCode::kUnauthenticated);
  EXPECT_THAT(early.error().message, HasSubstr("not yet valid"));
  const auto late = verify(leaf, CertificateUse::kClient, now_ + hours(24) + seconds(1));
  ASSERT_FALSE(late.has_value());
  EXPECT_THAT(late.error().message, HasSubstr("expired"));
}

TEST_F(X509, AServerIsNamedByItsHosts) {
  EXPECT_FALSE(server().dns_names().empty());
  EXPECT_THAT(server().emails(), testing::IsEmpty());
  EXPECT_THAT(client().dns_names(), testing::IsEmpty());
}

TEST_F(X509, AClientIsNamedByItsUri) {
  EXPECT_THAT(client().uris(), ElementsAre(kWorkload));
  EXPECT_THAT(server().uris(), testing::IsEmpty());
  EXPECT_EQ(client().subject(), "");
  EXPECT_EQ(client().public_key().value(), subject_);
}

TEST_F(X509, AnotherAuthorityOfTheSameNameIsNotTrusted) {
  const auto other = CertificateAuthority::create("Test authority", clock_, random_).value();
  const Certificate forged = other.issue_client(subject_, kWorkload, hours(1), clock_, random_).value();
  const std::vector roots{authority_.certificate()};
  const std::vector intermediates{other.certificate()};
  EXPECT_FALSE(verify_chain(forged, {}, roots, CertificateUse::kClient, now_));
  EXPECT_FALSE(verify_chain(forged, intermediates, roots, CertificateUse::kClient, now_));
  EXPECT_FALSE(verify_chain(forged, {}, {}, CertificateUse::kClient, now_));
}

TEST_F(X509, ALeafIsNoAuthority) {
  const PrivateKey key = PrivateKey::generate(KeyAlgorithm::kEcdsaP256);
  const Certificate leaf =
      authority_.issue_client(key.public_key(), kWorkload, hours(1), clock_, random_).value();
  EXPECT_FALSE(CertificateAuthority::load(leaf, key));
  EXPECT_FALSE(CertificateAuthority::load(authority_.certificate(), key));
  EXPECT_TRUE(CertificateAuthority::load(authority_.certificate(), authority_.key()));
}

TEST_F(X509, EveryChangedByteOfALeafIsSeen) {
  const Certificate leaf = client();
  for (std::size_t i = 0; i < leaf.der().size(); ++i) {
    Bytes changed = leaf.der();
    changed[i] ^= 1U;
    const auto parsed = Certificate::from_der(changed);
    EXPECT_FALSE(parsed && verify(*parsed, CertificateUse::kClient, now_)) << i;
    EXPECT_FALSE(Certificate::from_der(base::ByteView(leaf.der()).first(i))) << i;
  }
}

TEST_F(X509, SerialsHave128Bits) {
  EXPECT_EQ(client().serial().size(), 32U);
  EXPECT_NE(client().serial(), client().serial());
}

TEST_F(X509, RefusesNamesThatAreMalformed) {
  const auto issue = [&](const ServerNames& names) {
    return authority_.issue_server(subject_, names, hours(1), clock_, random_);
  };
  EXPECT_TRUE(issue({.dns = {"localhost", "*.example.com", "xn--bcher-kva.example"}, .ip = {}}));
  for (const std::string dns : {"", ".", "a..b", "-a", "a-", "a b", "a,DNS:evil", "*", "*.*.a", "a.*",
                                "b\u00fccher", "10.0.0.1:80", "10.0.0.1"}) {
    EXPECT_FALSE(issue({.dns = {dns}, .ip = {}})) << dns;
  }
  EXPECT_FALSE(issue({.dns = {std::string(64, 'a')}, .ip = {}}));
  for (const std::string ip : {"", "10.0.0", "10.0.0.256", "localhost", "::g", "10.0.0.1/8"}) {
    EXPECT_FALSE(issue({.dns = {}, .ip = {ip}})) << ip;
  }
  EXPECT_FALSE(issue({}));
  EXPECT_FALSE(issue({.dns = std::vector<std::string>(CertificateAuthority::kMaxNames + 1, "a"), .ip = {}}));
  for (const std::string id : {"", "spiffe://", "spiffe://a", "spiffe://a/", "spiffe:///a", "spiffe://a//b",
                               "spiffe://a/..", "spiffe://A/b", "spiffe://a:1/b", "spiffe://a/b?c",
                               "https://a/b", "spiffe://a/b/", "spiffe://u@a/b"}) {
    EXPECT_FALSE(authority_.issue_client(subject_, id, hours(1), clock_, random_)) << id;
  }
  for (const std::string& name :
       {std::string(), std::string(65, 'a'), std::string(300, 'a'), std::string("\xff")}) {
    EXPECT_FALSE(CertificateAuthority::create(name, clock_, random_)) << name;
  }
}

TEST_F(X509, ALifetimeIsPositiveAndEndsWithTheAuthoritys) {
  const auto issue = [&](seconds lifetime) {
    return authority_.issue_client(subject_, kWorkload, lifetime, clock_, random_);
  };
  const auto whole = std::chrono::duration_cast<seconds>(authority_.certificate().not_after() - now_);
  EXPECT_TRUE(issue(whole));
  for (const auto lifetime : {whole + seconds(1), seconds(0), seconds(-1)}) EXPECT_FALSE(issue(lifetime));
}

TEST_F(X509, PemHoldsWhatWasIssued) {
  const Certificate leaf = client();
  EXPECT_EQ(Certificate::from_pem(leaf.to_pem()).value(), leaf);
  const auto both = parse_certificates(leaf.to_pem() + authority_.certificate().to_pem());
  ASSERT_TRUE(both.has_value());
  EXPECT_THAT(*both, ElementsAre(leaf, authority_.certificate()));
  EXPECT_FALSE(Certificate::from_pem(leaf.to_pem() + leaf.to_pem()));
  EXPECT_FALSE(parse_certificates(""));
  EXPECT_FALSE(parse_certificates(subject_.to_pem()));
}

TEST_F(X509, BoundsTheChain) {
  const std::vector many(kMaxIntermediates + 1, authority_.certificate());
  EXPECT_EQ(verify_chain(client(), many, many, CertificateUse::kClient, now_).error().code,
            ErrorCode::kLimitExceeded);
}

// Runs the openssl command; its output, or nothing where it failed.
std::string openssl(const std::string& arguments) {
  const std::string command = "openssl " + arguments + " 2>&1";
  std::FILE* const pipe = ::popen(command.c_str(), "r");
  std::string output;
  std::array<char, 4096> buffer{};
  while (pipe != nullptr) {
    const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe);
    if (got == 0) break;
    output.append(buffer.data(), got);
  }
  return pipe != nullptr && ::pclose(pipe) == 0 ? output : "failed: " + output;
}

class X509ByOpenssl : public X509 {
 protected:
  void SetUp() override {
    if (openssl("version").starts_with("failed")) GTEST_SKIP() << "the openssl command is not installed";
    folder_ = std::filesystem::path(testing::TempDir()) / base::hex_encode(base::system_random().take(8));
    std::filesystem::create_directory(folder_);
    write("root.pem", authority_.certificate().to_pem());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, std::string_view text) {
    EXPECT_TRUE(base::write_file_atomically(folder_ / name, as_bytes(text)));
    return (folder_ / name).string();
  }
  std::string verify_with_openssl(const std::string& purpose, const Certificate& leaf) {
    const std::string file = write("leaf.pem", leaf.to_pem());
    return openssl("verify -x509_strict -attime " + std::to_string(now_.microseconds() / 1'000'000) +
                   " -purpose " + purpose + " -CAfile " + (folder_ / "root.pem").string() + " " + file);
  }

  std::filesystem::path folder_;
};

TEST_F(X509ByOpenssl, AcceptsWhatWeIssueForItsPurpose) {
  EXPECT_THAT(verify_with_openssl("sslserver", server()), HasSubstr("leaf.pem: OK"));
  EXPECT_THAT(verify_with_openssl("sslclient", client()), HasSubstr("leaf.pem: OK"));
  EXPECT_THAT(verify_with_openssl("sslclient", server()), HasSubstr("failed"));
  EXPECT_THAT(verify_with_openssl("sslserver", client()), HasSubstr("failed"));
}

TEST_F(X509ByOpenssl, ReadsTheExtensionsAsWeMeanThem) {
  const auto text = [&](const Certificate& certificate) {
    return openssl("x509 -noout -text -certopt no_header,no_version,no_sigdump,no_pubkey -in " +
                   write("shown.pem", certificate.to_pem()));
  };
  const std::string root = text(authority_.certificate());
  EXPECT_THAT(root, HasSubstr("X509v3 Basic Constraints: critical\n                CA:TRUE, pathlen:0"));
  EXPECT_THAT(root, HasSubstr("X509v3 Key Usage: critical\n                Certificate Sign, CRL Sign"));
  EXPECT_THAT(root, HasSubstr("X509v3 Subject Key Identifier"));
  const std::string leaf = text(server());
  EXPECT_THAT(leaf, HasSubstr("X509v3 Basic Constraints: critical\n                CA:FALSE"));
  EXPECT_THAT(leaf, HasSubstr("X509v3 Key Usage: critical\n                Digital Signature\n"));
  EXPECT_THAT(leaf, HasSubstr("TLS Web Server Authentication\n"));
  EXPECT_THAT(leaf, HasSubstr("X509v3 Authority Key Identifier"));
  EXPECT_THAT(leaf,
              HasSubstr("X509v3 Subject Alternative Name: critical\n                DNS:gateway.example.com, "
                        "IP Address:10.0.0.1, IP Address:0:0:0:0:0:0:0:1"));
  EXPECT_THAT(text(client()), HasSubstr("URI:spiffe://holdfast.example/engine/credit-7"));
}

TEST_F(X509ByOpenssl, ComputesTheSameFingerprint) {
  const std::string shown =
      openssl("x509 -noout -fingerprint -sha256 -in " + write("leaf.pem", authority_.certificate().to_pem()));
  std::string digits = shown.substr(shown.find('=') + 1);
  std::erase_if(digits, [](char c) { return c == ':' || c == '\n'; });
  EXPECT_EQ(base::hex_decode(digits).value(),
            base::hex_decode(authority_.certificate().fingerprint().hex()).value());
}

}  // namespace
}  // namespace holdfast::crypto
