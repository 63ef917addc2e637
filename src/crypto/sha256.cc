#include "crypto/sha256.h"

#include <openssl/evp.h>

#include <array>

#include "base/assert.h"
#include "base/file.h"

namespace holdfast::crypto {

using base::ByteView;
using base::Digest;
using base::Result;

namespace {

constexpr std::size_t kReadBytes = 1UL << 20;

// Fetched once: EVP_sha256() would be looked up again at each EVP_DigestInit (OpenSSL crypto(7),
// "Performance"). OpenSSL frees it at exit.
const EVP_MD* algorithm() {
  static const EVP_MD* const kFetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  HF_ASSERT(kFetched != nullptr);
  return kFetched;
}

EVP_MD_CTX* native(const auto& context) { return static_cast<EVP_MD_CTX*>(context.get()); }

}  // namespace

void Sha256::Free::operator()(void* context) const { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context)); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  HF_ASSERT(context_ != nullptr && EVP_DigestInit_ex2(native(context_), algorithm(), nullptr) == 1);
}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(ByteView bytes) {
  HF_ASSERT(EVP_DigestUpdate(native(context_), bytes.data(), bytes.size()) == 1);
}

Digest Sha256::finish() {
  std::array<std::uint8_t, Digest::kSize> digest{};
  HF_ASSERT(EVP_DigestFinal_ex(native(context_), digest.data(), nullptr) == 1);
  HF_ASSERT(EVP_DigestInit_ex2(native(context_), nullptr, nullptr) == 1);
  return Digest(digest);
}

Digest sha256(ByteView bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

Result<Digest> sha256_stream(Reader& reader, const Progress& progress) {
  Sha256 hash;
  base::Bytes buffer(kReadBytes);
  std::uint64_t done = 0;
  while (true) {
    HF_TRY(const std::size_t got, read_full(reader, buffer));
    if (got == 0) return hash.finish();
    hash.update(ByteView(buffer).first(got));
    done += got;
    if (progress) progress(done);
  }
}

Result<Digest> sha256_file(const std::filesystem::path& path, const Progress& progress) {
  HF_TRY(const base::UniqueFd fd, base::open_regular_file(path));
  FdReader reader(fd.get());
  auto digest = sha256_stream(reader, progress);
  if (!digest) return base::fail(std::move(digest).error().within(path.string()));
  return digest;
}

}  // namespace holdfast::crypto
