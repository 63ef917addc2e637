#include "model/sealed_model.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "crypto/sha256.h"

namespace holdfast::model {

using base::ErrorCode;
using base::fail;
using base::fail_errno;
using base::Result;

namespace {
constexpr std::size_t kChunkBytes = 1UL << 20;
}

Result<SealedModel> SealedModel::copy(const formats::Source& source) {
  const std::uint64_t size = source.size();
  if (size == 0) return fail(ErrorCode::kInvalidArgument, "the model is empty");
  if (size > kMaxBytes) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("the model has {} bytes; an engine takes at most {}", size, kMaxBytes));
  }
  base::UniqueFd fd(::memfd_create("model", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd.valid()) return fail_errno("cannot hold a model in memory", errno);
  crypto::Sha256 hash;
  base::Bytes chunk(std::min<std::uint64_t>(size, kChunkBytes));
  for (std::uint64_t at = 0; at < size;) {
    const std::size_t wanted = std::min<std::uint64_t>(chunk.size(), size - at);
    HF_TRY(const std::size_t got, source.read_at(at, base::MutableByteView(chunk).first(wanted)));
    if (got != wanted) return fail(ErrorCode::kDataCorrupt, "the model became shorter while it was read");
    const base::ByteView bytes = base::ByteView(chunk).first(got);
    hash.update(bytes);
    HF_CHECK(base::write_full(fd.get(), bytes));
    at += got;
  }
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0) {
    return fail_errno("cannot seal a model in memory", errno);
  }
  return SealedModel(std::move(fd), size, hash.finish());
}

}  // namespace holdfast::model
