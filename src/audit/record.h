#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/strong.h"
#include "base/time.h"
#include "crypto/aead.h"
#include "keys/key_name.h"

// What the log keeps of one action, and how it is sealed. Plain values and pure functions.

namespace holdfast::audit {

inline constexpr std::size_t kMaxFieldBytes = 1024;
inline constexpr std::size_t kMaxDetailsBytes = 16UL << 10;

struct Record {
  base::WorkspaceId workspace;  // as keys::KeyName asks
  std::string actor;            // who; these four are UTF-8 of at most kMaxFieldBytes
  std::string action;           // what, e.g. "model.register"
  std::string resource;         // on what
  std::string decision;         // "allow", "deny" or what else came of it
  // A JSON object of at most kMaxDetailsBytes, whose numbers are integers (figures go in as text); empty for
  // none.
  std::string details;

  friend bool operator==(const Record&, const Record&) = default;
};

// Where a record stands: what row integrity and answers refer to.
struct Receipt {
  std::uint64_t index = 0;
  base::Digest leaf;  // leaf_hash (merkle.h) of its entry

  friend bool operator==(const Receipt&, const Receipt&) = default;
};

enum class BodyState {
  kOpen,
  kDestroyed,     // by destroy_body()
  kKeyDestroyed,  // by destroying the workspace's key
};

struct StoredRecord {
  Receipt receipt;
  BodyState body = BodyState::kOpen;
  base::Timestamp time;  // when the log was given it; this and `record` are empty unless the body is open
  Record record;
};

// A record ready to be logged: its plain body is a salt of 32 bytes, then canonical JSON with the members
// action, actor, at (microseconds), decision, details, resource and workspace.
struct Prepared {
  base::WorkspaceId workspace;
  base::Secret plain;
  base::Digest commitment;  // SHA-256("holdfast audit record 1\n" || plain)
};

// kInvalidArgument for a field that is malformed, kLimitExceeded over a bound; both name the field.
base::Result<Prepared> prepare(const Record& record, base::Timestamp now, base::RandomSource& random);

// Bodies of one workspace share a key for this many records in a row, so that a span of time can be shredded
// and no key seals too much.
inline constexpr std::uint64_t kRecordsPerKey = 1ULL << 20;
keys::KeyName body_key_name(const base::WorkspaceId& workspace, std::uint64_t index);

// An envelope (crypto/envelope.h) whose context is the key's full name, a slash, and the index.
base::Bytes seal_body(const Prepared& record, std::uint64_t index, const crypto::AeadKey& key,
                      base::RandomSource& random);

struct OpenedBody {
  base::Timestamp time;
  Record record;
  base::Digest commitment;  // for comparison with the log's
};
// A plain body as prepare() has it, salt included. kDataCorrupt where it is no record.
base::Result<OpenedBody> read_plain_body(base::ByteView plain);
// The plain body. kDataCorrupt where it was changed, or belongs elsewhere.
base::Result<base::Secret> open_plain_body(base::ByteView body, const base::WorkspaceId& workspace,
                                           std::uint64_t index, const crypto::AeadKey& key);
// kDataCorrupt where it was changed, belongs elsewhere, or is no record.
base::Result<OpenedBody> open_body(base::ByteView body, const base::WorkspaceId& workspace,
                                   std::uint64_t index, const crypto::AeadKey& key);

// What the Merkle tree commits to, 64 bytes: the commitment to the plain body, and a digest of the sealed
// one, so that a change to either is found, the second even without keys.
//   commitment || SHA-256("holdfast audit body 1\n" || workspace || "\n" || sealed body)
inline constexpr std::size_t kEntryBytes = 64;
base::Digest sealed_digest(const base::WorkspaceId& workspace, base::ByteView body);
base::Bytes make_entry(const base::Digest& commitment, const base::Digest& sealed);

}  // namespace holdfast::audit
