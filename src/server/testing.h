#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "server/api.h"
#include "server/router.h"

// For the tests of server/ alone: an installation in a folder of its own, asked by its routes in this
// process.

namespace holdfast::server {

class TextBody final : public BodyReader {
 public:
  explicit TextBody(std::string text) : text_(std::move(text)) {}
  void limit(std::uint64_t max_bytes) override { max_ = max_bytes; }
  base::Result<std::size_t> read(base::MutableByteView buffer) override {
    if (text_.size() > max_) return base::fail(base::ErrorCode::kLimitExceeded, "the body is too long");
    const auto rest = std::string_view(text_).substr(at_, buffer.size());
    std::copy(rest.begin(), rest.end(), buffer.begin());
    at_ += rest.size();
    return rest.size();
  }

 private:
  std::string text_;
  std::uint64_t max_ = kDefaultMaxBytes;
  std::size_t at_ = 0;
};

struct Answered {
  int status = 0;
  nlohmann::json json;
  Response response;
};

class InstallationTest : public testing::Test {
 protected:
  InstallationTest() {
    std::string name = (std::filesystem::temp_directory_path() / "holdfast-server-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    EXPECT_TRUE(keys::MasterKey::generate_file(folder_ / "master.key", state(), base::system_random()));
  }
  ~InstallationTest() override {
    close();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  [[nodiscard]] std::filesystem::path state() const { return folder_ / "state"; }

  base::Result<> open() {
    HF_TRY(auto master, keys::MasterKey::from_file(folder_ / "master.key", state()));
    HF_TRY(installation_, Installation::open({.state = state(), .version = "test"}, std::move(master)));
    HF_CHECK(installation_->bootstrap());
    deployment_ = std::make_unique<Deployment>(*installation_, WatchOptions{.window_rows = 300});
    HF_CHECK(deployment_->restore());
    router_ =
        std::make_unique<Router>(api_routes({.installation = *installation_, .deployment = *deployment_}),
                                 installation_->access(), Installation::workspace(), ::geteuid());
    return {};
  }
  void close() {
    router_.reset();
    deployment_.reset();
    installation_.reset();
  }

  // As the local operator over the Unix socket, unless a bearer is given: then over TLS.
  Answered ask(Method method, const std::string& target, std::string body = {},
               const std::string& bearer = {}, bool local = true) {
    auto parsed = parse_target(target).value();
    RequestHead head{.method = method,
                     .path = parsed.path,
                     .query = parsed.query,
                     .headers = {},
                     .peer = {.address = "local", .local_uid = ::geteuid()}};
    if (!bearer.empty() || !local) head.peer = {.address = "127.0.0.1", .local_uid = std::nullopt};
    if (!bearer.empty()) head.headers["authorization"] = "Bearer " + bearer;
    TextBody reader(std::move(body));
    Answered answered{.status = 0, .json = {}, .response = router_->serve(head, reader)};
    answered.status = answered.response.status;
    if (const auto* text = std::get_if<std::string>(&answered.response.body)) {
      answered.json = nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
    }
    return answered;
  }

  std::filesystem::path folder_;
  std::unique_ptr<Installation> installation_;
  std::unique_ptr<Deployment> deployment_;
  std::unique_ptr<Router> router_;
};

}  // namespace holdfast::server
