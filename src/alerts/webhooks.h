#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "alerts/alerts.h"
#include "base/digest.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"
#include "crypto/aead.h"
#include "store/database.h"

// Where alerts are told: a webhook has a name, an address, and a secret with which each message to it is
// signed. The secret lies sealed in the database; the key comes with each call.

namespace holdfast::alerts {

inline constexpr std::size_t kMinWebhookSecretBytes = 16;
inline constexpr std::size_t kMaxWebhookSecretBytes = 256;
inline constexpr std::int64_t kMaxWebhooks = 32;  // of a workspace

struct Webhook {
  base::WorkspaceId workspace;
  std::string name;  // lower-case letters, digits and "-", 1 to 64
  std::string url;   // http or https (net/url.h)
  base::Timestamp changed_at;
  base::Digest record = {};  // the audit record that made or last changed it
};

// Makes the webhook, or replaces the address and secret of the one with this name. Whether the egress list
// allows the address is decided at each delivery. Its record is what `record` writes. kInvalidArgument names
// the field; kLimitExceeded over kMaxWebhooks.
base::Result<> put_webhook(store::Transaction& transaction, const Webhook& webhook,
                           const base::Secret& secret, const crypto::AeadKey& key, base::RandomSource& random,
                           const RecordRows& record);

// kNotFound where there is none. Messages that still wait for it fail, and are given up in the end.
base::Result<> remove_webhook(store::Transaction& transaction, const base::WorkspaceId& workspace,
                              std::string_view name, const RecordRows& record);

// All of a workspace, by name.
base::Result<std::vector<Webhook>> list_webhooks(const store::Snapshot& snapshot,
                                                 const base::WorkspaceId& workspace);

// The address as it may be shown: scheme, host and path, without the last part of the path and the query.
// Many receivers know their sender by nothing else than those.
std::string shown_url(const Webhook& webhook);

struct OpenWebhook {
  Webhook webhook;
  base::Secret secret;
};
// kNotFound where there is none; kDataCorrupt where the secret doesn't open with this key.
base::Result<OpenWebhook> open_webhook(const store::Snapshot& snapshot, const base::WorkspaceId& workspace,
                                       std::string_view name, const crypto::AeadKey& key);

// The name that the outbox knows a webhook's queue by: "webhook/<name>".
std::string webhook_destination(std::string_view name);

// What stands in X-Holdfast-Signature-256 (docs/alerts.md): "sha256=" and the hexadecimal HMAC-SHA-256, under
// the secret, of the timestamp's text, a full stop, and the body.
std::string sign_message(const base::Secret& secret, std::string_view timestamp, base::ByteView body);

}  // namespace holdfast::alerts
