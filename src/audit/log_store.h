#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/segment.h"
#include "base/result.h"
#include "crypto/signed_note.h"
#include "store/disk.h"

namespace holdfast::audit {

// A sealed record with its place.
struct PendingBody {
  std::uint64_t index = 0;
  base::WorkspaceId workspace;
  base::Digest commitment;
  base::Bytes body;
  base::Bytes entry;
};

// Where a log is kept: the seam behind which a folder stands, and later a bucket that several writers share.
// Used by one thread, but for read().
class LogStore {
 public:
  virtual ~LogStore() = default;
  [[nodiscard]] virtual const Checkpoint& last() const = 0;
  // How many records the next group may have; 1 at least.
  [[nodiscard]] virtual std::uint64_t room() const = 0;
  // Appends a group and signs the checkpoint over it, durable on return. Compares and swaps: kConflict where
  // last() is not `expected` any more. After any other error the store is to be opened anew.
  virtual base::Result<> commit(const Checkpoint& expected, std::span<const PendingBody> group) = 0;
  // Brings the tiles and the file `checkpoint`, which others read, up to last(). Durable on return.
  virtual base::Result<> publish() = 0;
  // Leaves the digests in the place of a committed body.
  virtual base::Result<> destroy_body(std::uint64_t index) = 0;
  // The lines from `from` on, `limit` at most, which all lie below a size committed before. Thread-safe.
  [[nodiscard]] virtual base::Result<std::vector<BodyLine>> read(std::uint64_t from,
                                                                 std::uint64_t limit) const = 0;
  // That record `index` is in the log as last published. kUnavailable where it is not published yet.
  // Thread-safe.
  struct Inclusion {
    std::vector<base::Digest> path;  // from the leaf's sibling up
    std::string checkpoint;          // the signed note
  };
  [[nodiscard]] virtual base::Result<Inclusion> prove(std::uint64_t index) const = 0;
};

// Opens or makes a log in a folder, which it locks; recovers it as log.h says.
base::Result<std::unique_ptr<LogStore>> open_log_folder(const std::filesystem::path& folder,
                                                        const crypto::NoteSigner& signer, store::Disk& disk);

}  // namespace holdfast::audit
