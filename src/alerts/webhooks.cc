#include "alerts/webhooks.h"

#include <fmt/format.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "alerts/rows.h"
#include "crypto/envelope.h"
#include "crypto/hmac.h"
#include "net/url.h"
#include "store/bounds.h"

namespace holdfast::alerts {
namespace {

using base::ErrorCode;
using base::Result;
using base::WorkspaceId;
using store::Sql;

constexpr std::size_t kMaxWebhookNameBytes = 64;
constexpr std::string_view kChange = "webhook";

// Stands in the envelope's context and in the queue's name, so it holds no slash.
Result<> check_webhook_name(std::string_view name) {
  const bool good = !name.empty() && name.size() <= kMaxWebhookNameBytes &&
                    std::all_of(name.begin(), name.end(), [](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
                    });
  if (good) return {};
  return base::fail(ErrorCode::kInvalidArgument,
                    "a webhook's name must be 1 to 64 lower-case letters, digits and hyphens");
}

Result<> check_secret(const base::Secret& secret) {
  if (secret.size() >= kMinWebhookSecretBytes && secret.size() <= kMaxWebhookSecretBytes) return {};
  return base::fail(ErrorCode::kInvalidArgument, fmt::format("a webhook's secret must have {} to {} bytes",
                                                             kMinWebhookSecretBytes, kMaxWebhookSecretBytes));
}

std::string context(const WorkspaceId& workspace, std::string_view name) {
  return fmt::format("{}/webhook/{}", workspace.value(), name);
}

tl::unexpected<base::Error> no_such(const WorkspaceId& workspace, std::string_view name) {
  return base::fail(ErrorCode::kNotFound,
                    fmt::format("there is no webhook \"{}\" in workspace {}", name, workspace.value()));
}

}  // namespace

Result<> put_webhook(store::Transaction& transaction, const Webhook& webhook, const base::Secret& secret,
                     const crypto::AeadKey& key, base::RandomSource& random, const RecordRows& record) {
  HF_CHECK(store::check_name("a webhook's workspace", webhook.workspace.value()));
  HF_CHECK(check_webhook_name(webhook.name));
  HF_CHECK(check_secret(secret));
  if (auto url = net::Url::parse(webhook.url); !url) {
    return base::fail(std::move(url).error().within("a webhook's url"));
  }
  HF_TRY(
      const std::int64_t others,
      number_of(transaction.view(), Sql("SELECT COUNT(*) FROM webhooks WHERE workspace = $1 AND name <> $2"),
                webhook.workspace, webhook.name));
  if (others >= kMaxWebhooks) {
    return base::fail(ErrorCode::kLimitExceeded,
                      fmt::format("a workspace has at most {} webhooks", kMaxWebhooks));
  }
  const base::Bytes sealed =
      crypto::seal_envelope(key, context(webhook.workspace, webhook.name), secret.reveal(), random);
  HF_TRY(const auto receipt, record(audit::named_rows({name_row(webhook.workspace, webhook.name, webhook.url,
                                                                webhook.changed_at, sealed)})));
  HF_CHECK(transaction.execute(
      Sql("INSERT INTO webhooks (workspace, name, url, secret, changed_at, record, record_index)"
          " VALUES ($1, $2, $3, $4, $5, $6, $7)"
          " ON CONFLICT (workspace, name) DO UPDATE SET url = excluded.url, secret = excluded.secret,"
          " changed_at = excluded.changed_at, record = excluded.record,"
          " record_index = excluded.record_index"),
      webhook.workspace, webhook.name, webhook.url, sealed, webhook.changed_at, receipt.leaf,
      static_cast<std::int64_t>(receipt.index)));
  HF_CHECK(transaction.next_change(webhook.workspace, kChange, webhook.name));
  return {};
}

Result<> remove_webhook(store::Transaction& transaction, const WorkspaceId& workspace, std::string_view name,
                        const RecordRows& record) {
  HF_TRY(
      const auto removed,
      transaction.execute(Sql("DELETE FROM webhooks WHERE workspace = $1 AND name = $2"), workspace, name));
  if (removed == 0) return no_such(workspace, name);
  HF_CHECK(record({{fmt::format("webhooks/{}/{}", workspace.value(), name), nullptr}}));
  HF_CHECK(transaction.next_change(workspace, kChange, name));
  return {};
}

Result<std::vector<Webhook>> list_webhooks(const store::Snapshot& snapshot, const WorkspaceId& workspace) {
  HF_TRY(auto rows,
         snapshot.rows<WorkspaceId, std::string, std::string, base::Timestamp, base::Digest>(
             Sql("SELECT workspace, name, url, changed_at, record FROM webhooks WHERE workspace = $1"
                 " ORDER BY name"),
             workspace));
  std::vector<Webhook> webhooks;
  for (auto& row : rows) webhooks.push_back(std::make_from_tuple<Webhook>(std::move(row)));
  return webhooks;
}

Result<OpenWebhook> open_webhook(const store::Snapshot& snapshot, const WorkspaceId& workspace,
                                 std::string_view name, const crypto::AeadKey& key) {
  HF_TRY(auto row,
         snapshot.row<std::string, base::Bytes, base::Timestamp, base::Digest>(
             Sql("SELECT url, secret, changed_at, record FROM webhooks WHERE workspace = $1 AND name = $2"),
             workspace, name));
  if (!row) return no_such(workspace, name);
  auto& [url, sealed, changed_at, record] = *row;
  auto secret = crypto::open_envelope(key, context(workspace, name), sealed);
  if (!secret) {
    return base::fail(std::move(secret).error().within(fmt::format("the secret of webhook \"{}\"", name)));
  }
  return OpenWebhook{.webhook = {.workspace = workspace,
                                 .name = std::string(name),
                                 .url = std::move(url),
                                 .changed_at = changed_at,
                                 .record = record},
                     .secret = *std::move(secret)};
}

std::string shown_url(const Webhook& webhook) {
  constexpr std::string_view kHidden = "***";
  const auto url = net::Url::parse(webhook.url);
  if (!url) return std::string(kHidden);
  net::Url shown = *url;
  const auto query = shown.target.find('?');
  const bool asks = query != std::string::npos;
  if (asks) shown.target.resize(query);
  auto end = shown.target.find_last_not_of('/');
  if (end != std::string::npos) {
    shown.target.resize(shown.target.find_last_of('/', end) + 1);
    shown.target += kHidden;
  }
  if (asks) shown.target += fmt::format("?{}", kHidden);
  return shown.text();
}

std::string webhook_destination(std::string_view name) { return fmt::format("webhook/{}", name); }

std::string sign_message(const base::Secret& secret, std::string_view timestamp, base::ByteView body) {
  base::Bytes text;
  text.reserve(timestamp.size() + 1 + body.size());
  base::append(text, timestamp);
  base::append(text, ".");
  base::append(text, body);
  return "sha256=" + crypto::hmac_sha256(secret.reveal(), text).hex();
}

}  // namespace holdfast::alerts
