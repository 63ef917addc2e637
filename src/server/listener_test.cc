#include "server/listener.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <latch>
#include <memory>
#include <thread>

#include "base/file.h"
#include "crypto/x509_authority.h"

namespace holdfast::server {
namespace {

namespace fs = std::filesystem;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr std::uint64_t kBodyLimit = 1000;

class Countdown final : public BodySource {
 public:
  base::Result<std::size_t> read(base::MutableByteView buffer) override {
    if (left_ == 0) return 0;
    buffer[0] = static_cast<std::uint8_t>('0' + left_--);
    return 1;
  }

 private:
  int left_ = 3;
};

class BrokenSource final : public BodySource {
 public:
  base::Result<std::size_t> read(base::MutableByteView buffer) override {
    if (std::exchange(begun_, true)) return base::fail(base::ErrorCode::kIo, "the disk is gone");
    buffer[0] = 'x';
    return 1;
  }

 private:
  bool begun_ = false;
};

class TestService final : public Service {
 public:
  Response serve(const RequestHead& head, BodyReader& body) override {
    if (head.path == "/stream") return {.content_type = "text/plain", .body = std::make_unique<Countdown>()};
    if (head.path == "/broken")
      return {.content_type = "text/plain", .body = std::make_unique<BrokenSource>()};
    if (head.path == "/uid") return {.body = std::to_string(head.peer.local_uid.value_or(0))};
    if (head.path == "/wait") {
      arrived.count_down();
      release.wait();
      return {.body = std::string("waited")};
    }
    if (head.path == "/throws") throw std::bad_alloc();
    if (head.path == "/unread") return {.body = std::string("not read")};
    auto text = read_body(body, kBodyLimit);
    if (!text) return problem(text.error());
    return {.body = fmt::format("{} {} [{}]", to_string(head.method), head.path, *text)};
  }
  [[nodiscard]] std::uint64_t max_body_bytes(const RequestHead& head) const override {
    return head.path == "/unread" ? 0 : kBodyLimit;
  }

  std::latch arrived{1};
  std::latch release{1};
};

// A connection that speaks in bytes.
class RawClient {
 public:
  explicit RawClient(base::UniqueFd socket) : socket_(std::move(socket)) {}
  static RawClient to_unix(const fs::path& path) {
    base::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return RawClient(std::move(fd));
  }
  static RawClient to_loopback(std::uint16_t port) {
    base::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return RawClient(std::move(fd));
  }

  RawClient& send(std::string_view text) {
    EXPECT_EQ(::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
    return *this;
  }
  // What comes until `end` has come, or the other side closes.
  std::string receive_until(std::string_view end) {
    std::string text;
    char byte = 0;
    while (!text.ends_with(end) && ::recv(socket_.get(), &byte, 1, 0) == 1) text.push_back(byte);
    return text;
  }
  std::string receive_all() {
    std::string text;
    char byte = 0;
    while (::recv(socket_.get(), &byte, 1, 0) == 1) text.push_back(byte);
    return text;
  }
  [[nodiscard]] int fd() const { return socket_.get(); }

 private:
  base::UniqueFd socket_;
};

struct Identity {
  std::string certificate;
  base::Secret key;
};

Identity make_identity() {
  auto& random = base::system_random();
  const auto& clock = base::system_clock();
  const auto authority = crypto::CertificateAuthority::create("test", clock, random).value();
  const auto key = crypto::PrivateKey::generate(crypto::KeyAlgorithm::kEcdsaP256);
  const auto leaf =
      authority.issue_server(key.public_key(), {.dns = {"localhost"}}, std::chrono::hours(1), clock, random)
          .value();
  return {.certificate = leaf.to_pem(), .key = key.to_pem()};
}

class ListenerTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "holdfast-server-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  void TearDown() override {
    listener_.reset();
    fs::remove_all(folder_);
  }

  ListenerOptions options() {
    auto identity = make_identity();
    ListenerOptions options;
    options.port = 0;
    options.certificate_chain_pem = identity.certificate;
    options.private_key_pem = std::move(identity.key);
    options.unix_socket = folder_ / "control";
    return options;
  }
  void start(ListenerOptions options) {
    listener_ = std::make_unique<Listener>(Listener::start(std::move(options), service_).value());
  }
  RawClient client() { return RawClient::to_unix(folder_ / "control"); }
  // The answer to one request that asks to be the last.
  std::string answer(std::string_view request) { return client().send(request).receive_all(); }

  fs::path folder_;
  TestService service_;
  std::unique_ptr<Listener> listener_;
};

TEST_F(ListenerTest, AnswersOneRequestAfterAnother) {
  start(options());
  auto connection = client();
  connection.send("GET /a%20b HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(connection.receive_until("[]"), HasSubstr("HTTP/1.1 200 OK\r\n"));
  connection.send("POST /c HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
  EXPECT_THAT(connection.receive_all(), EndsWith("POST /c [hello]"));
}

TEST_F(ListenerTest, TakesAChunkedBodyAndSaysContinue) {
  start(options());
  auto connection = client();
  connection.send(
      "PUT /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\nConnection: "
      "close\r\n\r\n");
  EXPECT_EQ(connection.receive_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  connection.send("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_THAT(connection.receive_all(), EndsWith("PUT /c [abcde]"));
}

TEST_F(ListenerTest, StreamsAnAnswerAndCutsABrokenOne) {
  start(options());
  EXPECT_THAT(answer("GET /stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
              EndsWith("\r\n\r\n1\r\n3\r\n1\r\n2\r\n1\r\n1\r\n0\r\n\r\n"));
  EXPECT_THAT(answer("GET /broken HTTP/1.1\r\nHost: x\r\n\r\n"), EndsWith("\r\n\r\n1\r\nx\r\n"));
}

TEST_F(ListenerTest, RefusesABodyOverTheLimit) {
  start(options());
  EXPECT_THAT(answer("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
  auto connection = client();
  connection.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" +
                  std::string(1001, 'x') + "\r\n");
  EXPECT_THAT(connection.receive_all(), StartsWith("HTTP/1.1 413 "));
}

TEST_F(ListenerTest, RefusesWhatCouldBeUnderstoodInTwoWays) {
  start(options());
  for (const auto* request :
       {"GET / HTTP/1.0\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "GET /../x HTTP/1.1\r\nHost: x\r\n\r\n",
        "BREW / HTTP/1.1\r\nHost: x\r\n\r\n", "nonsense\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nBad Header: y\r\n\r\n"}) {
    EXPECT_THAT(answer(request), StartsWith("HTTP/1.1 400 Bad Request\r\n")) << request;
  }
  const auto huge = "GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n";
  EXPECT_THAT(answer(huge), StartsWith("HTTP/1.1 431 "));
}

TEST_F(ListenerTest, AClientThatIsTooSlowIsLeft) {
  auto slow = options();
  slow.header_timeout = std::chrono::milliseconds(200);
  slow.read_timeout = std::chrono::milliseconds(200);
  start(std::move(slow));
  EXPECT_THAT(answer("GET / HTTP/1.1\r\nHos"), IsEmpty());
  EXPECT_THAT(answer("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhel"), IsEmpty());
}

// The pool has one thread, which a body that trickles in without telling its size must not hold.
TEST_F(ListenerTest, ASlowBodyHoldsUpNobodyElse) {
  auto small = options();
  small.pool_threads = 1;
  start(std::move(small));
  for (const auto* how : {"", "Expect: 100-continue\r\n"}) {
    auto slow = client();
    slow.send(
        fmt::format("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n{}\r\n1\r\na\r\n", how));
    EXPECT_THAT(answer("GET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), EndsWith("GET /b []"));
    slow.send("0\r\n\r\n");
    EXPECT_THAT(slow.receive_until("[a]"), EndsWith("POST / [a]"));
  }
}

TEST_F(ListenerTest, WhatSurroundsABodyIsBoundedToo) {
  start(options());
  const std::string begin = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  std::string trailers;
  while (trailers.size() < 200'000) trailers += "A: b\r\n";
  for (const auto& rest : {"1;" + std::string(200'000, 'x') + "\r\na\r\n", "0\r\n" + trailers}) {
    EXPECT_THAT(answer(begin + rest), StartsWith("HTTP/1.1 400 "));
  }
}

TEST_F(ListenerTest, AnExceptionEndsOneRequestAlone) {
  start(options());
  EXPECT_THAT(answer("GET /throws HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(answer("GET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), EndsWith("GET /b []"));
}

// For the rest of its scope the process may open no more files than it has by now, and `spare` more.
class FewFiles {
 public:
  explicit FewFiles(rlim_t spare) {
    EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0);
    const base::UniqueFd next(::dup(0));
    rlimit few = before_;
    few.rlim_cur = static_cast<rlim_t>(next.get()) + spare;
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  }
  FewFiles(const FewFiles&) = delete;
  FewFiles& operator=(const FewFiles&) = delete;
  ~FewFiles() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

// Who can't be accepted waits, and is heard when there is room again.
TEST_F(ListenerTest, IsBackWhenFilesCanBeOpenedAgain) {
  start(options());
  auto first = client();
  const std::string request = "GET /b HTTP/1.1\r\nHost: x\r\n\r\n";
  EXPECT_THAT(first.send(request).receive_until("[]"), EndsWith("GET /b []"));
  std::optional<RawClient> second;
  {
    const FewFiles few(1);
    second.emplace(client());
    second->send(request);
    EXPECT_THAT(first.send(request).receive_until("[]"), EndsWith("GET /b []"));
  }
  EXPECT_THAT(second->receive_until("[]"), EndsWith("GET /b []"));
}

TEST_F(ListenerTest, ABodyThatNobodyReadsEndsTheConnection) {
  start(options());
  const auto text = answer("POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_THAT(text, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(text, EndsWith("not read"));
}

TEST_F(ListenerTest, KnowsWhoIsOnTheLocalSocket) {
  start(options());
  EXPECT_THAT(answer("GET /uid HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
              EndsWith(std::to_string(getuid())));
  EXPECT_EQ(fs::status(folder_ / "control").permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(ListenerTest, MoreRequestsThanItCanHoldAreToldToComeBack) {
  auto small = options();
  small.pool_threads = 1;
  small.max_waiting = 0;
  start(std::move(small));
  auto first = client();
  first.send("GET /wait HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  service_.arrived.wait();
  EXPECT_THAT(answer("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), StartsWith("HTTP/1.1 503 "));
  service_.release.count_down();
  EXPECT_THAT(first.receive_all(), EndsWith("waited"));
}

TEST_F(ListenerTest, ARequestUnderWayOutlivesTheStop) {
  start(options());
  auto busy = client();
  busy.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  service_.arrived.wait();
  auto idle = client();
  std::thread stop([this] { listener_.reset(); });
  EXPECT_THAT(idle.receive_all(), IsEmpty());  // the stop has come this far
  service_.release.count_down();
  EXPECT_THAT(busy.receive_all(), EndsWith("waited"));
  stop.join();
  EXPECT_FALSE(fs::exists(folder_ / "control"));
}

// Whether a TLS handshake of this version succeeds.
// What both sides agree on to speak (RFC 7301), of the protocols that a client offers; none where it can't
// shake hands.
std::optional<std::string> protocol_spoken(std::uint16_t port, std::string_view offered) {
  const auto socket = RawClient::to_loopback(port);
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  SSL_CTX_free);
  const std::unique_ptr<SSL, decltype(&SSL_free)> tls(SSL_new(context.get()), SSL_free);
  SSL_set_alpn_protos(tls.get(), base::as_bytes(offered).data(), static_cast<unsigned>(offered.size()));
  SSL_set_fd(tls.get(), socket.fd());
  if (SSL_connect(tls.get()) != 1) return std::nullopt;
  const unsigned char* chosen = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(tls.get(), &chosen, &size);
  return std::string(chosen, chosen + size);
}

bool shakes_hands(std::uint16_t port, int version) {
  const auto socket = RawClient::to_loopback(port);
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  SSL_CTX_free);
  SSL_CTX_set_min_proto_version(context.get(), version);
  SSL_CTX_set_max_proto_version(context.get(), version);
  const std::unique_ptr<SSL, decltype(&SSL_free)> tls(SSL_new(context.get()), SSL_free);
  SSL_set_fd(tls.get(), socket.fd());
  return SSL_connect(tls.get()) == 1;
}

TEST_F(ListenerTest, SpeaksTls13AndNothingOlder) {
  auto counted = options();
  const auto counts = counted.counts;
  start(std::move(counted));
  EXPECT_TRUE(shakes_hands(listener_->port(), TLS1_3_VERSION));
  EXPECT_FALSE(shakes_hands(listener_->port(), TLS1_2_VERSION));
  auto plain = RawClient::to_loopback(listener_->port());
  EXPECT_THAT(
      plain.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").receive_all(),
      testing::AllOf(testing::StartsWith("HTTP/1.1 400 Bad Request\r\n"), HasSubstr("speaks TLS alone")));
  auto other = RawClient::to_loopback(listener_->port());
  EXPECT_THAT(other.send("DELETE / HTTP/1.1\r\nHost: x\r\n\r\n").receive_all(),
              HasSubstr("speaks TLS alone"));
  EXPECT_EQ(counts->tls13, 1U);
  EXPECT_EQ(counts->old_version_refused, 1U);
  EXPECT_EQ(counts->plaintext_refused, 2U);
}

TEST_F(ListenerTest, AgreesOnHttp1WithWhoeverOffersIt) {
  start(options());
  EXPECT_EQ(protocol_spoken(listener_->port(), "\x02h2\x08http/1.1"), "http/1.1");
  EXPECT_EQ(protocol_spoken(listener_->port(), "\x08http/1.1"), "http/1.1");
  EXPECT_EQ(protocol_spoken(listener_->port(), "\x02h2"), std::nullopt);
}

TEST_F(ListenerTest, SaysWhatIsWrongWithItsOptions) {
  start(options());
  auto taken = options();
  taken.port = listener_->port();
  taken.unix_socket.clear();
  EXPECT_EQ(Listener::start(std::move(taken), service_).error().code, base::ErrorCode::kAlreadyExists);
  auto mismatched = options();
  mismatched.unix_socket.clear();
  mismatched.private_key_pem = make_identity().key;
  EXPECT_EQ(Listener::start(std::move(mismatched), service_).error().code, base::ErrorCode::kInvalidArgument);
  auto nowhere = options();
  nowhere.unix_socket.clear();
  nowhere.address = "nowhere";
  EXPECT_EQ(Listener::start(std::move(nowhere), service_).error().code, base::ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace holdfast::server
