#include "cli/api_client.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <fstream>

#include <nlohmann/json.hpp>

#include "cli/settings.h"
#include "cli/testing.h"
#include "net/testing.h"

namespace holdfast::cli {
namespace {

using base::ErrorCode;
using testing::HasSubstr;

ApiClient::Options options_for(const std::filesystem::path& state, std::string bearer = {}) {
  return {.state = state,
          .settings = base::Config::load(setting_keys(), "", "",
                                         [](const std::string&) { return std::optional<std::string>(); })
                          .value(),
          .bearer = std::move(bearer)};
}

TEST(ApiTarget, EncodesWhatANameMayHold) {
  EXPECT_EQ(path_of({"v1", "models", "a/../b?c d", "versions"}), "/v1/models/a%2F..%2Fb%3Fc%20d/versions");
  EXPECT_EQ(with_query("/v1/models", {{"model", ""}, {"file", "m&n=1.onnx"}, {"x", "ü"}}),
            "/v1/models?file=m%26n%3D1.onnx&x=%C3%BC");
  EXPECT_EQ(form_of({{"password", "a b&c=d+e"}, {"audience", "api"}}),
            "password=a%20b%26c%3Dd%2Be&audience=api");
}

TEST(ApiAnswer, BecomesTheErrorThatItsProblemTells) {
  struct Case {
    int status;
    ErrorCode code;
  };
  for (const auto& [status, code] :
       {Case{400, ErrorCode::kInvalidArgument}, Case{401, ErrorCode::kUnauthenticated},
        Case{403, ErrorCode::kPermissionDenied}, Case{404, ErrorCode::kNotFound},
        Case{409, ErrorCode::kConflict}, Case{429, ErrorCode::kLimitExceeded},
        Case{422, ErrorCode::kUnsupported}, Case{503, ErrorCode::kUnavailable}}) {
    const auto refused = accepted(answer_of(status, R"({"title":"T","detail":"because\u001b[31m"})"));
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, code) << status;
    EXPECT_EQ(refused.error().message, "because?[31m");
  }
  EXPECT_EQ(accepted(answer_of(502, "<html>\n")).error().message,
            "the server answered with status 502: <html>?");
  EXPECT_EQ(accepted(answer_of(404, R"({"title":"Not Found"})")).error().message, "Not Found");
  EXPECT_EQ(accepted(answer_of(200, R"({"a":1})")).value()["a"], 1);
  EXPECT_THAT(accepted(answer_of(200, "{\"a\":")).error().message, HasSubstr("the server's answer"));
}

TEST(ApiClient, RefusesAFolderThatHoldsNoInstallation) {
  const TestFolder folder;
  ScriptedBackend backend([](const ApiRequest&) { return answer_of(200, "{}"); });
  for (const auto& state : {folder.path(), folder.path() / "misspelt"}) {
    const auto client = ApiClient::connect(options_for(state), backend);
    ASSERT_FALSE(client.has_value());
    EXPECT_EQ(client.error().code, ErrorCode::kNotFound);
    EXPECT_THAT(client.error().message, HasSubstr("there is no installation in " + state.string()));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path())) << "looking makes nothing";
}

TEST(ApiClient, AnswersInProcessWhereNobodyServes) {
  const TestFolder folder;
  make_installation(folder.path());
  ScriptedBackend backend([](const ApiRequest&) { return answer_of(200, "{}"); });
  const auto client = ApiClient::connect(options_for(folder.path(), "hft_x"), backend);
  ASSERT_TRUE(client.has_value()) << client.error().message;
  EXPECT_FALSE(client->is_remote());
  EXPECT_TRUE(client->send_json("POST", "/v1/endpoints", {{"name", "credit"}}).has_value());
  ASSERT_EQ(backend.seen.size(), 1U);
  EXPECT_EQ(backend.seen[0].bearer, "hft_x");
  EXPECT_EQ(std::get<std::string>(backend.seen[0].body), R"({"name":"credit"})");
}

TEST(ApiClient, SpeaksWithTheServerThatListens) {
  const TestFolder folder;
  std::string seen;
  ScriptedBackend backend([](const ApiRequest&) { return answer_of(500, "not to be asked"); });
  // The first connection asks nothing: it finds out that somebody listens.
  net::TestServer server(
      [&seen](net::TestPeer& peer, const std::string& request) {
        if (request.empty()) return;
        seen = request;
        peer.answer(R"({"ok":true})", "201 Created", "Content-Type: application/json\r\n");
      },
      net::TestServer::plain, folder.path() / kSocketFile);
  const auto client = ApiClient::connect(options_for(folder.path(), "hft_x"), backend);
  ASSERT_TRUE(client.has_value()) << client.error().message;
  EXPECT_TRUE(client->is_remote());
  const auto answer = client->send_json("POST", "/v1/people", {{"name", "ada"}});
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->status, 201);
  EXPECT_EQ(answer->content_type, "application/json");
  EXPECT_THAT(seen, HasSubstr("POST /v1/people HTTP/1.1\r\n"));
  EXPECT_THAT(seen, HasSubstr("Authorization: Bearer hft_x\r\n"));
  EXPECT_THAT(seen, HasSubstr(R"({"name":"ada"})"));
  EXPECT_TRUE(backend.seen.empty());
}

TEST(ApiClient, TakesTheSocketOfAKilledServerForNone) {
  const TestFolder folder;
  make_installation(folder.path());
  {
    const net::TestServer gone([](net::TestPeer&, const std::string&) {}, net::TestServer::plain,
                               folder.path() / kSocketFile);
  }
  ScriptedBackend backend([](const ApiRequest&) { return answer_of(200, "{}"); });
  EXPECT_FALSE(ApiClient::connect(options_for(folder.path()), backend).value().is_remote());
  EXPECT_EQ(ApiClient::connect(options_for(folder.path() / std::string(120, 'a')), backend).error().code,
            ErrorCode::kInvalidArgument);
}

TEST(BearerToken, ComesFromTheFile) {
  const TestFolder folder;
  const auto file = folder.path() / "token";
  std::ofstream(file) << "hft_abc\n";
  EXPECT_EQ(bearer_token(file).error().code, ErrorCode::kPermissionDenied);
  using std::filesystem::perms;
  std::filesystem::permissions(file, perms::owner_read | perms::owner_write);
  EXPECT_EQ(bearer_token(file).value(), "hft_abc");
  std::ofstream(file) << "\n";
  EXPECT_EQ(bearer_token(file).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(bearer_token(folder.path() / "none").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace holdfast::cli
