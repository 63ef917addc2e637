#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/random.h"
#include "store/blobs.h"

// For the tests of store/ alone: keys, contents, and short ways to put and get them.

namespace holdfast::store {

inline BlobKeys make_keys(std::string workspace) {
  auto identity = crypto::AgeIdentity::generate(base::system_random());
  BlobKeys keys{.workspace = base::WorkspaceId(std::move(workspace)),
                .recipients = {identity.recipient()},
                .identities = {},
                .naming = base::Secret(base::system_random().take(32))};
  keys.identities.identities.push_back(std::move(identity));
  return keys;
}

// Bytes that differ from place to place and with the size.
inline base::Bytes pattern(std::size_t size) {
  base::Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 31 + i / 251 + size);
  return bytes;
}

inline base::Result<Blob> put(BlobStore& store, const BlobKeys& keys, const base::Bytes& content) {
  crypto::MemoryReader reader(content);
  return store.put(keys, reader);
}

inline base::Result<base::Bytes> get(const BlobStore& store, const BlobKeys& keys,
                                     const base::Digest& digest) {
  HF_TRY(const auto reader, store.read(keys, digest));
  base::Bytes content;
  base::Bytes buffer(10'000);
  for (;;) {
    HF_TRY(const std::size_t got, reader->read(buffer));
    if (got == 0) return content;
    base::append(content, base::ByteView(buffer).first(got));
  }
}

inline void flip_byte(const std::filesystem::path& file, std::uintmax_t at) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(at));
  const int byte = stream.get();
  stream.seekp(static_cast<std::streamoff>(at));
  stream.put(static_cast<char>(byte ^ 1));
}

inline std::size_t count_files(const std::filesystem::path& folder) {
  std::filesystem::recursive_directory_iterator entries(folder);
  return static_cast<std::size_t>(
      std::count_if(begin(entries), end(entries), [](const auto& entry) { return entry.is_regular_file(); }));
}

}  // namespace holdfast::store
