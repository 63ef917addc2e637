#include "net/http.h"

#include <fmt/format.h>
#include <gmock/gmock-matchers.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <latch>

#include "net/testing.h"

namespace holdfast::net {
namespace {

using base::ErrorCode;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

void echo(TestPeer& peer, const std::string& request) { peer.answer(request); }

HttpClient client(std::vector<std::string> allowed) {
  return HttpClient::create({.egress = EgressPolicy::parse(allowed).value()}).value();
}
// A client that may speak with this server alone.
HttpClient client_of(const TestServer& server) { return client({"http://" + server.authority()}); }
std::string url_of(const TestServer& server, std::string_view target = "/") {
  return fmt::format("http://{}{}", server.authority(), target);
}
ErrorCode code_of(const base::Result<Response>& result) {
  EXPECT_FALSE(result);
  return result ? ErrorCode::kInternal : result.error().code;
}

TEST(HttpClient, SendsARequestAndReadsItsAnswer) {
  const TestServer server([](TestPeer& peer, const std::string& request) {
    peer.answer(request, "201 Created", "X-A: 1\r\nx-a: 2\r\n");
  });
  const auto response = client_of(server)
                            .send({.method = "POST",
                                   .target = url_of(server, "/a/../b?c=%20"),
                                   .headers = {{"X-One", "1"}, {"X-Empty", ""}},
                                   .body = std::string("hello\0there", 11)})
                            .value();
  EXPECT_EQ(response.status, 201);
  EXPECT_TRUE(response.ok());
  EXPECT_EQ(response.header("x-a"), "1, 2");
  EXPECT_EQ(response.header("absent"), "");
  EXPECT_THAT(response.body, testing::StartsWith("POST /a/../b?c=%20 HTTP/1.1\r\n"));
  EXPECT_THAT(response.body, HasSubstr("\r\nHost: " + server.authority() + "\r\n"));
  EXPECT_THAT(response.body, HasSubstr("\r\nX-One: 1\r\n"));
  EXPECT_THAT(response.body, HasSubstr("\r\nX-Empty:"));
  EXPECT_THAT(response.body, HasSubstr("\r\nContent-Length: 11\r\n"));
  EXPECT_THAT(response.body, testing::EndsWith(std::string("\r\n\r\nhello\0there", 15)));
  EXPECT_THAT(response.body, Not(HasSubstr("Expect")));
  EXPECT_THAT(response.body, Not(HasSubstr("Content-Type")));
}

TEST(HttpClient, SendsEachMethodAsItStands) {
  const TestServer server(echo);
  for (const auto* method : {"GET", "PUT", "DELETE", "PATCH", "POST"}) {
    const auto response = client_of(server).send({.method = method, .target = url_of(server)}).value();
    EXPECT_THAT(response.body, testing::StartsWith(fmt::format("{} / HTTP/1.1\r\n", method)));
  }
  EXPECT_EQ(client_of(server).send({.method = "HEAD", .target = url_of(server)}).value().body, "");
}

TEST(HttpClient, ADestinationThatIsNotAllowedSeesNoConnection) {
  const TestServer server(echo);
  EXPECT_EQ(code_of(client({}).send({.target = url_of(server)})), ErrorCode::kPermissionDenied);
  EXPECT_EQ(code_of(client({server.authority()}).send({.target = url_of(server)})),
            ErrorCode::kPermissionDenied);
  EXPECT_EQ(code_of(client({"http://a.example:80"}).send({.target = url_of(server)})),
            ErrorCode::kPermissionDenied);
  EXPECT_EQ(server.connections(), 0);
}

TEST(HttpClient, ANameThatLeadsInsideSeesNoConnectionUnlessMarked) {
  const TestServer server(echo);
  const std::string entry = fmt::format("http://localhost:{}", server.port());
  const auto refused = client({entry}).send({.target = entry});
  EXPECT_EQ(code_of(refused), ErrorCode::kPermissionDenied);
  EXPECT_THAT(refused.error().message, HasSubstr(entry + " private"));
  EXPECT_EQ(server.connections(), 0);
  EXPECT_TRUE(client({entry + " private"}).send({.target = entry}));
}

TEST(HttpClient, FollowsNoRedirect) {
  const TestServer target(echo);
  const TestServer server([&](TestPeer& peer, const std::string&) {
    peer.answer("", "302 Found", "Location: " + url_of(target) + "\r\n");
  });
  const auto both = client({"http://" + server.authority(), "http://" + target.authority()});
  EXPECT_EQ(both.send({.target = url_of(server)}).value().status, 302);
  EXPECT_EQ(target.connections(), 0);
}

TEST(HttpClient, UsesNoProxyOfTheEnvironment) {
  const TestServer proxy(echo);
  const TestServer server([](TestPeer& peer, const std::string&) { peer.answer("direct"); });
  for (const auto* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) {
    ASSERT_EQ(::setenv(name, url_of(proxy).c_str(), 1), 0);
  }
  const auto response = client_of(server).send({.target = url_of(server)});
  for (const auto* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) ASSERT_EQ(::unsetenv(name), 0);
  EXPECT_EQ(response.value().body, "direct");
  EXPECT_EQ(proxy.connections(), 0);
}

TEST(HttpClient, BoundsBodyAndHeaders) {
  const TestServer big([](TestPeer& peer, const std::string&) { peer.answer(std::string(1001, 'x')); });
  EXPECT_EQ(client_of(big).send({.target = url_of(big), .max_body_bytes = 1001}).value().body.size(), 1001UL);
  EXPECT_EQ(code_of(client_of(big).send({.target = url_of(big), .max_body_bytes = 1000})),
            ErrorCode::kLimitExceeded);
  // Without an end, and without a length that would tell.
  const TestServer endless([](TestPeer& peer, const std::string&) {
    peer.send("HTTP/1.1 200 OK\r\n\r\n");
    for (int i = 0; i < 1000; ++i) peer.send(std::string(10'000, 'x'));
  });
  EXPECT_EQ(code_of(client_of(endless).send({.target = url_of(endless), .max_body_bytes = 100'000})),
            ErrorCode::kLimitExceeded);
  const TestServer heads([](TestPeer& peer, const std::string&) {
    peer.send("HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 100; ++i) peer.send(fmt::format("X-{}: {}\r\n", i, std::string(1000, 'x')));
    peer.send("\r\n");
  });
  EXPECT_EQ(code_of(client_of(heads).send({.target = url_of(heads)})), ErrorCode::kLimitExceeded);
}

TEST(HttpClient, ASlowServerMeetsTheDeadline) {
  const TestServer silent([](TestPeer& peer, const std::string&) { peer.wait_until_closed(); });
  const TestServer half([](TestPeer& peer, const std::string&) {
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    peer.wait_until_closed();
  });
  for (const TestServer* server : {&silent, &half}) {
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(code_of(client_of(*server).send({.target = url_of(*server), .deadline = milliseconds(200)})),
              ErrorCode::kDeadline);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(20));
  }
  EXPECT_EQ(code_of(client_of(silent).send({.target = url_of(silent), .deadline = milliseconds(0)})),
            ErrorCode::kDeadline);
}

TEST(HttpClient, EndsWhenItIsToldToStop) {
  std::latch arrived(1);
  const TestServer silent([&](TestPeer& peer, const std::string&) {
    arrived.count_down();
    peer.wait_until_closed();
  });
  std::stop_source source;
  std::thread stopper([&] {
    arrived.wait();
    source.request_stop();
  });
  EXPECT_EQ(
      code_of(client_of(silent).send({.target = url_of(silent), .deadline = {}, .stop = source.get_token()})),
      ErrorCode::kUnavailable);
  stopper.join();
}

TEST(HttpClient, SaysWhatIsWrongWithAnAnswer) {
  const TestServer mute([](TestPeer&, const std::string&) {});
  EXPECT_EQ(code_of(client_of(mute).send({.target = url_of(mute)})), ErrorCode::kUnavailable);
  const TestServer cut([](TestPeer& peer, const std::string&) {
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  });
  EXPECT_EQ(code_of(client_of(cut).send({.target = url_of(cut)})), ErrorCode::kUnavailable);
  const TestServer other([](TestPeer& peer, const std::string&) { peer.send("SSH-2.0-OpenSSH\r\n"); });
  EXPECT_EQ(code_of(client_of(other).send({.target = url_of(other)})), ErrorCode::kDataCorrupt);
  std::string gone;
  {
    const TestServer server(echo);
    gone = "http://" + server.authority();
  }
  EXPECT_EQ(code_of(client({gone}).send({.target = gone})), ErrorCode::kUnavailable);
}

TEST(HttpClient, OverlooksInterimAnswersAndTrailers) {
  const TestServer server([](TestPeer& peer, const std::string&) {
    peer.send(
        "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n"
        "HTTP/1.1 200 OK\r\nX-Late: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Trailer: "
        "1\r\n\r\n");
  });
  const auto response = client_of(server).send({.target = url_of(server)}).value();
  EXPECT_EQ(response.body, "ok");
  EXPECT_EQ(response.header("x-early"), "");
  EXPECT_EQ(response.header("x-late"), "1");
  EXPECT_EQ(response.header("x-trailer"), "");
}

TEST(HttpClient, SendsNothingThatCouldBeReadInTwoWays) {
  const TestServer server(echo);
  const auto with = [&](std::string name, std::string value) {
    return client_of(server).send(
        {.target = url_of(server), .headers = {{std::move(name), std::move(value)}}});
  };
  EXPECT_EQ(code_of(with("X", "a\r\nY: b")), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of(with("X", std::string("a\0b", 3))), ErrorCode::kInvalidArgument);
  for (const auto* name :
       {"", "X Y", "X:", "X\r\n", "Host", "content-length", "Transfer-Encoding", "Expect"}) {
    EXPECT_EQ(code_of(with(name, "1")), ErrorCode::kInvalidArgument) << name;
  }
  EXPECT_EQ(code_of(with("X", std::string(kMaxHeaderBytes, 'x'))), ErrorCode::kLimitExceeded);
  for (const auto* method : {"", "get", "GET /x HTTP/1.1\r\n", "ABCDEFGHIJKLMNOPQ"}) {
    EXPECT_EQ(code_of(client_of(server).send({.method = method, .target = url_of(server)})),
              ErrorCode::kInvalidArgument);
  }
  EXPECT_EQ(code_of(client_of(server).send({.target = "no url"})), ErrorCode::kInvalidArgument);
  EXPECT_EQ(server.connections(), 0);
}

TEST(HttpClient, ServesManyThreads) {
  const TestServer server(echo);
  const auto shared = client_of(server);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      const auto target = url_of(server, fmt::format("/{}", i));
      for (int j = 0; j < 5; ++j) {
        EXPECT_THAT(shared.send({.target = target}).value().body, HasSubstr(fmt::format("GET /{} ", i)));
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

class UnixHttp : public testing::Test {
 protected:
  // A file without a name that holds this, read from its start.
  static base::UniqueFd file_of(std::string_view content) {
    base::UniqueFd fd(::memfd_create("body", MFD_CLOEXEC));
    EXPECT_TRUE(base::write_full(fd.get(), base::as_bytes(content)));
    EXPECT_EQ(::lseek(fd.get(), 0, SEEK_SET), 0);
    return fd;
  }
  const TestFolder folder_;
  const std::filesystem::path socket_ = folder_.path() / "control";
  const UnixHttpClient client_{socket_};
};

TEST_F(UnixHttp, SpeaksOverTheSocket) {
  const TestServer server(echo, TestServer::plain, socket_);
  const auto response =
      client_.send({.method = "PUT", .target = "/v1/x?y=z", .body = std::string("{}")}).value();
  EXPECT_THAT(response.body, testing::StartsWith("PUT /v1/x?y=z HTTP/1.1\r\nHost: localhost\r\n"));
  EXPECT_EQ(code_of(client_.send({.target = "http://a.example/"})), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of(client_.send({.target = "/ x"})), ErrorCode::kInvalidArgument);
}

TEST_F(UnixHttp, SaysThatNobodyIsThere) {
  const auto absent = client_.send({.target = "/"});
  EXPECT_EQ(code_of(absent), ErrorCode::kUnavailable);
  EXPECT_THAT(absent.error().message, HasSubstr(socket_.string()));
  const UnixHttpClient deep(folder_.path() / std::string(200, 'x'));
  EXPECT_EQ(code_of(deep.send({.target = "/"})), ErrorCode::kInvalidArgument);
}

TEST_F(UnixHttp, StreamsAFileUp) {
  std::string received;
  const TestServer server(
      [&](TestPeer& peer, const std::string& request) {
        received = request;
        peer.answer("stored", "201 Created");
      },
      TestServer::plain, socket_);
  const std::string content(5'000'000, 'm');
  for (const bool known : {true, false}) {
    const auto file = file_of(content);
    const auto size = known ? std::optional<std::uint64_t>(content.size()) : std::nullopt;
    const auto response =
        client_
            .send({.method = "POST", .target = "/models", .body = FileBody{.fd = file.get(), .size = size}})
            .value();
    EXPECT_EQ(response.body, "stored");
    EXPECT_THAT(received.substr(0, 200), testing::StartsWith("POST /models HTTP/1.1\r\n"));
    EXPECT_THAT(received.substr(0, 200),
                HasSubstr(known ? "Content-Length: 5000000" : "Transfer-Encoding: chunked"));
    EXPECT_GE(received.size(), content.size());
    if (known) {
      EXPECT_TRUE(received.ends_with("\r\n\r\n" + content));
    }
  }
}

TEST_F(UnixHttp, SendsTheBytesThatItPromised) {
  std::string received;
  const TestServer server(
      [&](TestPeer& peer, const std::string& request) {
        received = request;
        peer.answer("");
      },
      TestServer::plain, socket_);
  const auto longer = file_of("0123456789");
  ASSERT_TRUE(
      client_.send({.method = "PUT", .target = "/", .body = FileBody{.fd = longer.get(), .size = 4}}));
  EXPECT_THAT(received, testing::EndsWith("\r\n\r\n0123"));
  const auto shorter = file_of("0123");
  EXPECT_EQ(code_of(client_.send(
                {.method = "PUT", .target = "/", .body = FileBody{.fd = shorter.get(), .size = 10}})),
            ErrorCode::kDataCorrupt);
  const auto none = file_of("");
  ASSERT_TRUE(client_.send({.method = "PUT", .target = "/", .body = FileBody{.fd = none.get(), .size = 0}}));
  EXPECT_EQ(code_of(client_.send({.method = "PUT", .target = "/", .body = FileBody{.fd = -1, .size = 1}})),
            ErrorCode::kIo);
}

// Answers as soon as it has seen the head, reads no further and closes.
class HastyPeer final : public TestPeer {
 public:
  using TestPeer::TestPeer;
  bool handshake() override {
    std::string head;
    char byte = 0;
    while (!head.ends_with("\r\n\r\n") && receive(&byte, 1) == 1) head.push_back(byte);
    answer("you may not", "403 Forbidden", "Connection: close\r\n");
    return false;
  }
};

TEST_F(UnixHttp, HearsARefusalWhileItIsStillSending) {
  const TestServer server(echo, [](int fd) { return std::make_unique<HastyPeer>(fd); }, socket_);
  const std::string content(20'000'000, 'm');
  const auto file = file_of(content);
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(::lseek(file.get(), 0, SEEK_SET), 0);
    const auto response = client_.send(
        {.method = "PUT", .target = "/", .body = FileBody{.fd = file.get(), .size = content.size()}});
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->status, 403);
    EXPECT_EQ(response->body, "you may not");
  }
}

TEST_F(UnixHttp, StreamsAnAnswerDown) {
  const std::string content(5'000'000, 'd');
  const TestServer server(
      [&](TestPeer& peer, const std::string& request) {
        peer.answer(content, request.starts_with("GET /missing") ? "404 Not Found" : "200 OK");
      },
      TestServer::plain, socket_);
  std::size_t taken = 0;
  const BodySink sink = [&](base::ByteView part) -> base::Result<> {
    taken += part.size();
    return {};
  };
  const auto response = client_.send({.target = "/blob", .max_body_bytes = 10, .sink = sink}).value();
  EXPECT_EQ(taken, content.size());
  EXPECT_EQ(response.body, "");
  // A refusal is kept, in its bound, and never taken for what was asked for.
  taken = 0;
  EXPECT_EQ(client_.send({.target = "/missing", .max_body_bytes = content.size(), .sink = sink})
                .value()
                .body.size(),
            content.size());
  EXPECT_EQ(code_of(client_.send({.target = "/missing", .max_body_bytes = 10, .sink = sink})),
            ErrorCode::kLimitExceeded);
  EXPECT_EQ(taken, 0UL);
}

TEST_F(UnixHttp, ASinkThatFailsEndsTheRequest) {
  const TestServer server(
      [](TestPeer& peer, const std::string&) { peer.answer(std::string(5'000'000, 'd')); }, TestServer::plain,
      socket_);
  const auto failed = client_.send({.target = "/", .sink = [](base::ByteView) -> base::Result<> {
                                      return base::fail(ErrorCode::kUnavailable, "the disk is full");
                                    }});
  EXPECT_EQ(code_of(failed), ErrorCode::kUnavailable);
  EXPECT_EQ(failed.error().message, "the disk is full");
}

}  // namespace
}  // namespace holdfast::net
