#pragma once

#include <filesystem>
#include <memory>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/result.h"
#include "crypto/stream.h"

// SHA-256 (FIPS 180-4), at the speed of the processor's own instructions where it has them.

namespace holdfast::crypto {

// Hashes what comes in pieces. Used by one thread at a time.
class Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();

  void update(base::ByteView bytes);
  // The digest of all that was given; the object then starts afresh.
  base::Digest finish();

 private:
  struct Free {
    void operator()(void* context) const;
  };
  std::unique_ptr<void, Free> context_;  // EVP_MD_CTX
};

base::Digest sha256(base::ByteView bytes);

// What `reader` gives until its end. The reader's own errors.
base::Result<base::Digest> sha256_stream(Reader& reader, const Progress& progress = {});

// A regular file, whole. Errors as base::open_regular_file, and kIo; both name the file.
base::Result<base::Digest> sha256_file(const std::filesystem::path& path, const Progress& progress = {});

}  // namespace holdfast::crypto
