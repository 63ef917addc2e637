#include "registry/blob_bytes.h"

#include <fmt/format.h>

namespace holdfast::registry {

base::Result<store::Blob> keep_blob(const Parts& parts, const base::WorkspaceId& workspace,
                                    const formats::Source& source) {
  HF_TRY(const auto keys, parts.keys.blob_keys(workspace));
  SourceReader content(source);
  return parts.blobs.put(keys, content);
}

base::Result<base::Bytes> read_blob(const Parts& parts, const base::WorkspaceId& workspace,
                                    const base::Digest& digest) {
  constexpr std::size_t kPiece = 1UL << 20;
  HF_TRY(const auto keys, parts.keys.blob_keys(workspace));
  HF_TRY(const auto reader, parts.blobs.read(keys, digest));
  base::Bytes content;
  base::Bytes piece(kPiece);
  for (;;) {
    HF_TRY(const std::size_t got, reader->read(piece));
    if (got == 0) return content;
    if (content.size() + got > kMaxBlobInMemory) {
      return base::fail(base::ErrorCode::kLimitExceeded,
                        fmt::format("what is stored as {} is too large for memory", digest.prefixed()));
    }
    content.insert(content.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(got));
  }
}

}  // namespace holdfast::registry
