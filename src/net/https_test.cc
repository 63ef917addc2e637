#include <fmt/format.h>
#include <gmock/gmock-matchers.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "crypto/x509_authority.h"
#include "net/http.h"
#include "net/testing.h"

namespace holdfast::net {
namespace {

using base::ErrorCode;
using crypto::CertificateAuthority;
using testing::HasSubstr;

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct FreeSession {
  void operator()(SSL* session) const { SSL_free(session); }
};
struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;

Bio bio_of(std::string_view text) { return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

class TlsPeer final : public TestPeer {
 public:
  TlsPeer(int fd, SSL_CTX* context) : TestPeer(fd), session_(SSL_new(context)) {
    SSL_set_fd(session_.get(), fd);
  }
  bool handshake() override { return SSL_accept(session_.get()) == 1; }
  std::size_t receive(char* buffer, std::size_t size) override {
    const int got = SSL_read(session_.get(), buffer, static_cast<int>(size));
    return got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  void send(std::string_view text) override {
    EXPECT_EQ(SSL_write(session_.get(), text.data(), static_cast<int>(text.size())),
              static_cast<int>(text.size()));
  }

 private:
  std::unique_ptr<SSL, FreeSession> session_;
};

class Https : public testing::Test {
 protected:
  // A server under these names, certified by `authority`, that speaks at most this version.
  TestServer::Wrap identity(const CertificateAuthority& authority, const crypto::ServerNames& names,
                            int newest = TLS1_3_VERSION) {
    const auto key = crypto::PrivateKey::generate(crypto::KeyAlgorithm::kEcdsaP256);
    const auto leaf = authority
                          .issue_server(key.public_key(), names, std::chrono::hours(1), base::system_clock(),
                                        base::system_random())
                          .value();
    const std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), FreeContext());
    SSL_CTX_set_max_proto_version(context.get(), newest);
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(
        PEM_read_bio_X509(bio_of(leaf.to_pem()).get(), nullptr, nullptr, nullptr), &X509_free);
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> private_key(
        PEM_read_bio_PrivateKey(bio_of(key.to_pem().reveal_text()).get(), nullptr, nullptr, nullptr),
        &EVP_PKEY_free);
    EXPECT_EQ(SSL_CTX_use_certificate(context.get(), certificate.get()), 1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey(context.get(), private_key.get()), 1);
    // Shared by the peers of one server, whose last may outlive the call that made it.
    return [context](int fd) { return std::make_unique<TlsPeer>(fd, context.get()); };
  }
  static CertificateAuthority make_authority() {
    return CertificateAuthority::create("Test authority", base::system_clock(), base::system_random())
        .value();
  }
  static base::Result<Response> get(const TestServer& server, const CertificateAuthority& trusted,
                                    MinimumTls minimum = MinimumTls::kTls13) {
    const std::vector<std::string> allowed{fmt::format("localhost:{} private", server.port()),
                                           server.authority()};
    const auto client = HttpClient::create({.egress = EgressPolicy::parse(allowed).value(),
                                            .extra_ca_pem = trusted.certificate().to_pem(),
                                            .minimum_tls = minimum})
                            .value();
    return client.send({.target = fmt::format("https://localhost:{}/", server.port())});
  }
  static void greet(TestPeer& peer, const std::string& request) {
    requests_seen = requests_seen + 1;
    EXPECT_THAT(request, testing::StartsWith("GET / "));
    peer.answer("hello");
  }

  void SetUp() override { requests_seen = 0; }
  static inline std::atomic<int> requests_seen = 0;
  const CertificateAuthority authority_ = make_authority();
};

TEST_F(Https, TrustsTheAuthorityThatItWasGiven) {
  const TestServer server(greet, identity(authority_, {.dns = {"localhost"}}));
  EXPECT_EQ(get(server, authority_).value().body, "hello");
}

TEST_F(Https, TrustsNobodyElse) {
  const TestServer server(greet, identity(make_authority(), {.dns = {"localhost"}}));
  const auto refused = get(server, authority_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnauthenticated);
  EXPECT_THAT(refused.error().message, HasSubstr("localhost"));
  const std::vector<std::string> allowed{fmt::format("localhost:{} private", server.port())};
  for (const bool system : {true, false}) {
    const auto client =
        HttpClient::create({.egress = EgressPolicy::parse(allowed).value(), .system_ca = system}).value();
    const auto answer = client.send({.target = fmt::format("https://localhost:{}/", server.port())});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ErrorCode::kUnauthenticated);
  }
  EXPECT_EQ(requests_seen, 0);
}

TEST_F(Https, RefusesACertificateOfAnotherName) {
  const TestServer server(greet, identity(authority_, {.dns = {"other.example"}, .ip = {"127.0.0.1"}}));
  const auto refused = get(server, authority_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnauthenticated);
  EXPECT_EQ(requests_seen, 0);
}

TEST_F(Https, AnAddressIsANameToo) {
  const TestServer server(greet, identity(authority_, {.dns = {"other.example"}, .ip = {"127.0.0.1"}}));
  const auto client =
      HttpClient::create({.egress = EgressPolicy::parse(std::vector{server.authority()}).value(),
                          .extra_ca_pem = authority_.certificate().to_pem(),
                          .system_ca = false})
          .value();
  EXPECT_EQ(client.send({.target = "https://" + server.authority() + "/"}).value().body, "hello");
}

TEST_F(Https, RefusesTls12UnlessAskedToTakeIt) {
  const TestServer server(greet, identity(authority_, {.dns = {"localhost"}}, TLS1_2_VERSION));
  const auto refused = get(server, authority_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(requests_seen, 0);
  EXPECT_EQ(get(server, authority_, MinimumTls::kTls12).value().body, "hello");
}

TEST_F(Https, RefusesAServerThatSpeaksNoTls) {
  const TestServer server([](TestPeer&, const std::string&) {},
                          [](int fd) {
                            auto peer = TestServer::plain(fd);
                            peer->send("HTTP/1.1 400 Bad Request\r\n\r\n");
                            return peer;
                          });
  EXPECT_FALSE(get(server, authority_));
}

TEST_F(Https, RefusesToTrustWhatIsNoCertificate) {
  const auto client = HttpClient::create({.extra_ca_pem = "no certificate"});
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace holdfast::net
