#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "base/strong.h"
#include "crypto/stream.h"
#include "formats/source.h"
#include "registry/parts.h"

namespace holdfast::registry {

// A Source as crypto/ and store/ read it.
class SourceReader final : public crypto::Reader {
 public:
  explicit SourceReader(const formats::Source& source) : stream_(source) {}
  base::Result<std::size_t> read(base::MutableByteView buffer) override { return stream_.read(buffer); }

 private:
  formats::SourceStream stream_;
};

// Seals and keeps all of `source`.
base::Result<store::Blob> keep_blob(const Parts& parts, const base::WorkspaceId& workspace,
                                    const formats::Source& source);

inline constexpr std::uint64_t kMaxBlobInMemory = 2UL << 30;

// A blob's content, whole and verified, in memory alone. kLimitExceeded over kMaxBlobInMemory, kNotFound,
// kDataCorrupt.
base::Result<base::Bytes> read_blob(const Parts& parts, const base::WorkspaceId& workspace,
                                    const base::Digest& digest);

}  // namespace holdfast::registry
