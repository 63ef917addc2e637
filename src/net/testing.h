#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "base/file.h"

// For tests alone: a real HTTP server in a thread of its own. It serves one connection after the other, one
// request each.

namespace holdfast::net {

// The server's end of one connection.
class TestPeer {
 public:
  explicit TestPeer(int fd) : fd_(fd) {}
  TestPeer(const TestPeer&) = delete;
  TestPeer& operator=(const TestPeer&) = delete;
  virtual ~TestPeer() = default;

  virtual bool handshake() { return true; }
  // 0 where the other side has gone.
  virtual std::size_t receive(char* buffer, std::size_t size) {
    const ssize_t got = ::recv(fd_.get(), buffer, size, 0);
    return got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  virtual void send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  void answer(std::string_view body, std::string_view status = "200 OK", std::string_view headers = "") {
    send("HTTP/1.1 " + std::string(status) + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(headers) + "\r\n" + std::string(body));
  }
  // Says nothing more until the other side has gone.
  void wait_until_closed() {
    char byte = 0;
    while (receive(&byte, 1) != 0) {
    }
  }

 protected:
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  base::UniqueFd fd_;
};

class TestServer {
 public:
  // Gets the request, head and body, as it came.
  using Handler = std::function<void(TestPeer& peer, const std::string& request)>;
  using Wrap = std::function<std::unique_ptr<TestPeer>(int fd)>;

  static std::unique_ptr<TestPeer> plain(int fd) { return std::make_unique<TestPeer>(fd); }

  // On a free port of 127.0.0.1, or on the Unix socket named.
  explicit TestServer(Handler handler, Wrap wrap = plain, const std::filesystem::path& socket = {})
      : handler_(std::move(handler)), wrap_(std::move(wrap)), listener_(listen_at(socket)), port_(port_of()) {
    thread_ = std::thread([this] { run(); });
  }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;
  ~TestServer() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }

  [[nodiscard]] int port() const { return port_; }
  // "127.0.0.1:<port>"
  [[nodiscard]] std::string authority() const { return "127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] int connections() const { return connections_; }

 private:
  static base::UniqueFd listen_at(const std::filesystem::path& path) {
    base::UniqueFd fd(::socket(path.empty() ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    int bound = -1;
    if (path.empty()) {
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      bound = ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    } else {
      sockaddr_un address{};
      address.sun_family = AF_UNIX;
      path.string().copy(address.sun_path, sizeof address.sun_path - 1);
      bound = ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    }
    EXPECT_EQ(bound, 0);
    EXPECT_EQ(::listen(fd.get(), 16), 0);
    return fd;
  }
  [[nodiscard]] int port_of() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    EXPECT_EQ(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    return address.sin_family == AF_INET ? ntohs(address.sin_port) : 0;
  }
  void run() {
    // OpenSSL writes without MSG_NOSIGNAL. In this thread alone, so that a client that would be killed shows.
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    for (;;) {
      const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      ++connections_;
      const auto peer = wrap_(fd);
      if (!peer->handshake()) continue;
      const std::string request = read_request(*peer);
      if (!request.empty()) handler_(*peer, request);
    }
  }
  static bool whole(const std::string& request) {
    const std::size_t head = request.find("\r\n\r\n");
    if (head == std::string::npos) return false;
    if (request.find("Transfer-Encoding: chunked") < head) return request.ends_with("\r\n0\r\n\r\n");
    const std::size_t length = request.find("Content-Length: ");
    if (length > head) return true;
    return request.size() >= head + 4 + std::stoull(request.substr(length + 16));
  }
  static std::string read_request(TestPeer& peer) {
    std::string request;
    std::string buffer(65'536, '\0');
    while (!whole(request)) {
      const std::size_t got = peer.receive(buffer.data(), buffer.size());
      if (got == 0) return {};
      request.append(buffer, 0, got);
    }
    return request;
  }

  Handler handler_;
  Wrap wrap_;
  base::UniqueFd listener_;
  int port_;
  std::atomic<int> connections_ = 0;
  std::thread thread_;
};

// A folder that goes with its scope.
class TestFolder {
 public:
  TestFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "holdfast-net-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "cannot make a temporary folder";
    path_ = name;
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace holdfast::net
