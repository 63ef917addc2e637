#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/digest.h"
#include "base/mutex.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/strong.h"
#include "crypto/age_keys.h"
#include "crypto/stream.h"
#include "store/disk.h"

// Blobs: contents of any size, addressed by their digest, in a folder that tells nothing about them. Each is
// an age file (crypto/age.h) under <workspace>/ab/cd/<id>, where the id, which begins with abcd, is a keyed
// code of the digest: without the key nobody can ask the folder whether it holds a file that he has.

namespace holdfast::store {

// A blob's name within its workspace.
struct BlobId {
  base::Digest code;

  friend auto operator<=>(const BlobId&, const BlobId&) = default;
};

inline constexpr std::uint64_t kMaxBlobBytes = 1ULL << 40;
inline constexpr std::size_t kMaxListedBlobs = 10'000;

// The keys of one workspace. Each workspace has its own.
struct BlobKeys {
  base::WorkspaceId workspace;                   // 1 to 64 of a-z, 0-9, "_" and "-", the first no hyphen
  std::vector<crypto::AgeRecipient> recipients;  // to whom put() seals: one at least
  crypto::AgeKeys identities;                    // what reading unseals with
  base::Secret naming;                           // of 32 bytes at least
};

// HMAC-SHA-256 of the digest under the naming key.
BlobId blob_id(const BlobKeys& keys, const base::Digest& digest);

struct Blob {
  BlobId id;
  base::Digest digest;     // SHA-256 of the content
  std::uint64_t size = 0;  // of the content, in bytes
};

// Used by any number of threads of one process, the one that holds the folder (folder_lock.h). Errors name
// the blob.
class BlobStore {
 public:
  // Makes the folder where there is none, and removes what an interrupted put() left. `disk` outlives the
  // store.
  static base::Result<std::unique_ptr<BlobStore>> open(const std::filesystem::path& folder,
                                                       Disk& disk = system_disk());

  // Seals and keeps what `content` gives until its end, in constant memory. Durable on return; on an error
  // nothing half done is to be seen. What is there already is replaced by an equal, which also mends a
  // damaged one. kUnavailable for a full disk, kLimitExceeded over kMaxBlobBytes, and the errors of
  // `content`.
  base::Result<Blob> put(const BlobKeys& keys, crypto::Reader& content,
                         base::RandomSource& random = base::system_random());

  // The content from front to back, in constant memory. Only the end is the proof that it is the content
  // asked for: at the end read() fails with kDataCorrupt if the digest is another. kNotFound where there is
  // none.
  [[nodiscard]] base::Result<std::unique_ptr<crypto::Reader>> read(const BlobKeys& keys,
                                                                   const base::Digest& digest) const;

  // The content at any place. What it gives was sealed to this workspace; that it is this blob and no other,
  // only read() or verify() can tell.
  [[nodiscard]] base::Result<std::unique_ptr<crypto::RandomReader>> read_at_random(
      const BlobKeys& keys, const base::Digest& digest) const;

  // Reads the whole blob: kDataCorrupt where a byte of it was changed, or where it stands under another's
  // name.
  [[nodiscard]] base::Result<> verify(const BlobKeys& keys, const BlobId& id) const;

  // Durable on return. kNotFound where there is none.
  base::Result<> remove(const base::WorkspaceId& workspace, const BlobId& id);

  // The blobs of a workspace in the order of their ids, from the one after `after` on, at most `limit` (1 to
  // kMaxListedBlobs).
  [[nodiscard]] base::Result<std::vector<BlobId>> list(const base::WorkspaceId& workspace,
                                                       const std::optional<BlobId>& after = std::nullopt,
                                                       std::size_t limit = kMaxListedBlobs) const;

 private:
  BlobStore(std::filesystem::path folder, Disk& disk) : folder_(std::move(folder)), disk_(&disk) {}
  base::Result<> sweep();
  base::Result<> make_folders(const base::WorkspaceId& workspace, const BlobId& id) HF_EXCLUDES(mutex_);

  std::filesystem::path folder_;
  Disk* disk_;
  base::Mutex mutex_;
  std::unordered_set<std::string> durable_folders_ HF_GUARDED_BY(mutex_);  // at most 65,793 of a workspace
};

}  // namespace holdfast::store
