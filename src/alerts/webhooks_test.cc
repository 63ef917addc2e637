#include "alerts/webhooks.h"

#include <fmt/format.h>
#include <gmock/gmock-matchers.h>
#include <stdio.h>

#include <cstdlib>

#include "alerts/testing.h"
#include "base/file.h"

namespace holdfast::alerts {
namespace {

using base::ErrorCode;

class WebhooksTest : public AlertsFixture {
 protected:
  base::Result<> try_put(const Webhook& webhook, std::string_view secret = kSecret) {
    return in_transaction([&](store::Transaction& t) {
      return put_webhook(t, webhook, base::Secret::copy_of(base::as_bytes(secret)), key_,
                         base::system_random(), recorded(7));
    });
  }
  Webhook webhook(std::string name, std::string url = "https://hooks.example.com/x") {
    return {
        .workspace = kDefault, .name = std::move(name), .url = std::move(url), .changed_at = clock_.now()};
  }
};

TEST_F(WebhooksTest, AreKeptByName) {
  ASSERT_TRUE(try_put(webhook("pager")));
  ASSERT_TRUE(try_put(webhook("chat")));
  ASSERT_TRUE(try_put(webhook("pager", "https://other.example/y"), "another secret of ours"));
  const auto all = list_webhooks(snapshot(), kDefault).value();
  ASSERT_EQ(all.size(), 2UL);
  EXPECT_EQ(all[0].name, "chat");
  EXPECT_EQ(all[1].url, "https://other.example/y");
  EXPECT_EQ(all[1].record, digest_of(7));
  const auto open = open_webhook(snapshot(), kDefault, "pager", key_).value();
  EXPECT_EQ(open.secret.reveal_text(), "another secret of ours");
  EXPECT_TRUE(list_webhooks(snapshot(), base::WorkspaceId("other"))->empty());
  const auto remove = [&] {
    return in_transaction(
        [&](store::Transaction& t) { return remove_webhook(t, kDefault, "chat", recorded(8)); });
  };
  EXPECT_TRUE(remove());
  EXPECT_EQ(remove().error().code, ErrorCode::kNotFound);
  EXPECT_EQ(open_webhook(snapshot(), kDefault, "chat", key_).error().code, ErrorCode::kNotFound);
}

TEST_F(WebhooksTest, ARowThatIsNotAsRecordedIsNamed) {
  ASSERT_TRUE(try_put(webhook("chat")));
  ASSERT_TRUE(try_put(webhook("pager")));
  ASSERT_TRUE(in_transaction(
      [&](store::Transaction& t) { return remove_webhook(t, kDefault, "chat", recorded(8)); }));
  EXPECT_EQ(fault(), "");
  behind_the_back(store::Sql("UPDATE webhooks SET url = 'https://eve.example/'"));
  EXPECT_THAT(fault(), testing::HasSubstr("the row webhooks/default/pager is not as record"));
  behind_the_back(store::Sql("UPDATE webhooks SET name = 'chat'"));
  EXPECT_THAT(fault(), testing::HasSubstr("the row webhooks/default/chat was removed by record"));
  behind_the_back(store::Sql("DELETE FROM webhooks"));
  EXPECT_THAT(fault(), testing::HasSubstr("the row webhooks/default/pager, which record"));
}

TEST_F(WebhooksTest, TheSecretLiesSealedInItsPlace) {
  ASSERT_TRUE(try_put(webhook("pager")));
  ASSERT_TRUE(try_put(webhook("chat"), "another secret of ours"));
  const auto sealed = [&] {
    return std::get<0>(
        snapshot().row<base::Bytes>(store::Sql("SELECT secret FROM webhooks WHERE name = 'pager'"))->value());
  };
  EXPECT_THAT(std::string(base::as_text(sealed())), testing::Not(testing::HasSubstr("sixteen")));
  const auto other = crypto::AeadKey::generate(crypto::AeadAlgorithm::kAes256Gcm, base::system_random());
  EXPECT_EQ(open_webhook(snapshot(), kDefault, "pager", other).error().code, ErrorCode::kDataCorrupt);
  // Moved to another row it doesn't open.
  ASSERT_TRUE(in_transaction([&](store::Transaction& t) {
    return t.execute(store::Sql("UPDATE webhooks SET secret = $1 WHERE name = 'chat'"), sealed());
  }));
  EXPECT_EQ(open_webhook(snapshot(), kDefault, "chat", key_).error().code, ErrorCode::kDataCorrupt);
}

TEST_F(WebhooksTest, RefusesWhatIsMalformed) {
  for (const auto* name : {"", "Pager", "a/b", "a b", "a.b"}) {
    EXPECT_EQ(try_put(webhook(name)).error().code, ErrorCode::kInvalidArgument) << name;
  }
  EXPECT_EQ(try_put(webhook(std::string(65, 'a'))).error().code, ErrorCode::kInvalidArgument);
  for (const auto* url : {"", "hooks.example.com", "ftp://a/", "https://u:p@a/", "file:///etc/passwd"}) {
    EXPECT_EQ(try_put(webhook("pager", url)).error().code, ErrorCode::kInvalidArgument) << url;
  }
  EXPECT_EQ(try_put(webhook("pager"), "fifteen bytes !").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(try_put(webhook("pager"), std::string(257, 'x')).error().code, ErrorCode::kInvalidArgument);
  for (int i = 0; i < kMaxWebhooks; ++i) ASSERT_TRUE(try_put(webhook("w" + std::to_string(i))));
  EXPECT_EQ(try_put(webhook("pager")).error().code, ErrorCode::kLimitExceeded);
  EXPECT_TRUE(try_put(webhook("w0")));
}

TEST(SignMessage, IsWhatAReceiverComputes) {
  // python3 -c 'import hmac; print(hmac.new(b"sixteen bytes or more", b"1764000000.{}",
  // "sha256").hexdigest())'
  EXPECT_EQ(sign_message(base::Secret::copy_of(base::as_bytes("sixteen bytes or more")), "1764000000",
                         base::as_bytes("{}")),
            "sha256=17faa3e6d4a1f3d1c73b85d313002877dbbe16948b0f49c310258b6e307dd53d");
}

// The example in docs/alerts.md, run as it stands there.
TEST(SignMessage, IsVerifiedByTheDocumentedExample) {
  if (std::system("python3 -c ''") != 0) GTEST_SKIP() << "python3 is not installed";
  const auto root = std::filesystem::path(HOLDFAST_TESTDATA).parent_path().parent_path().parent_path();
  const auto page = base::read_file(root / "docs" / "alerts.md", 1UL << 20).value();
  const std::string_view text = base::as_text(page);
  const std::size_t begin = text.find("```python\n") + 10;
  const std::string example(text.substr(begin, text.find("```", begin) - begin));
  const std::string stamp = std::to_string(base::system_clock().now().microseconds() / 1'000'000);
  const std::string signature =
      sign_message(base::Secret::copy_of(base::as_bytes("a secret of ours")), stamp, base::as_bytes("{}"));
  const auto check = [&](std::string_view when, std::string_view body) {
    const std::string program = fmt::format(
        "{}\nh = {{'X-Holdfast-Timestamp': '{}', 'X-Holdfast-Signature-256': '{}'}}\n"
        "raise SystemExit(0 if genuine(b'a secret of ours', h, b'{}') else 1)\n",
        example, when, signature, body);
    FILE* const python = ::popen("python3 -", "w");
    EXPECT_EQ(std::fwrite(program.data(), 1, program.size(), python), program.size());
    return ::pclose(python) == 0;
  };
  EXPECT_TRUE(check(stamp, "{}"));
  EXPECT_FALSE(check(stamp, "{ }"));
  EXPECT_FALSE(check(std::to_string(std::stoll(stamp) - 1), "{}"));
}

TEST(ShownUrl, HidesWhatMayBeASecret) {
  const auto shown = [](std::string url) { return shown_url({.name = "chat", .url = std::move(url)}); };
  EXPECT_EQ(shown("https://hooks.example.com/services/T0/B0/x7f9"),
            "https://hooks.example.com:443/services/T0/B0/***");
  EXPECT_EQ(shown("https://hooks.example.com/hook/?token=abc"), "https://hooks.example.com:443/***?***");
  EXPECT_EQ(shown("https://hooks.example.com/secret"), "https://hooks.example.com:443/***");
  EXPECT_EQ(shown("http://127.0.0.1:9000/?a=/b/c"), "http://127.0.0.1:9000/?***");
  EXPECT_EQ(shown("http://127.0.0.1:9000/"), "http://127.0.0.1:9000/");
  EXPECT_EQ(shown("no address"), "***");
}

}  // namespace
}  // namespace holdfast::alerts
