#include "crypto/age_random.h"

#include <algorithm>

namespace holdfast::crypto {

using base::ErrorCode;
using base::fail;
using base::MutableByteView;
using base::Result;

namespace {

// From the front of a random reader.
class FrontReader final : public Reader {
 public:
  explicit FrontReader(const RandomReader& source) : source_(&source) {}
  Result<std::size_t> read(MutableByteView buffer) override {
    HF_TRY(const std::size_t got, source_->read_at(offset_, buffer));
    offset_ += got;
    return got;
  }

 private:
  const RandomReader* source_;
  std::uint64_t offset_ = 0;
};

}  // namespace

AgeRandomReader::AgeRandomReader(const RandomReader& sealed, AgePayload payload, std::uint64_t sealed_size)
    : sealed_(&sealed),
      payload_(std::move(payload)),
      chunks_((sealed_size + kAgeSealedChunkBytes - 1) / kAgeSealedChunkBytes),
      size_(sealed_size - chunks_ * kAeadTagBytes),
      buffer_(kAgeSealedChunkBytes),
      chunk_(kAgeChunkBytes) {}

Result<AgeRandomReader> AgeRandomReader::open(const RandomReader& sealed, const AgeKeys& keys) {
  FrontReader front(sealed);
  LineReader lines(front);
  HF_TRY(const auto first, lines.peek());
  if (first == '-') {
    return fail(ErrorCode::kUnsupported, "an armored file can't be read at random places: unseal it whole");
  }
  HF_TRY(AgePayload payload, open_age_payload(lines, keys));
  const std::uint64_t sealed_size = sealed.size() - std::min(sealed.size(), payload.offset);
  // A last chunk that is only a tag is that of an empty file.
  const std::uint64_t rest = sealed_size % kAgeSealedChunkBytes;
  if (sealed_size < kAeadTagBytes ||
      (sealed_size > kAgeSealedChunkBytes && rest != 0 && rest <= kAeadTagBytes)) {
    return fail(ErrorCode::kDataCorrupt, "the sealed file is damaged: it is truncated");
  }
  AgeRandomReader reader(sealed, std::move(payload), sealed_size);
  HF_CHECK(reader.load(reader.chunks_ - 1));
  return reader;
}

Result<> AgeRandomReader::load(std::uint64_t index) const {
  if (loaded_ == index) return {};
  loaded_.reset();
  const std::uint64_t start = index * kAgeChunkBytes;
  const auto plain_size = static_cast<std::size_t>(std::min<std::uint64_t>(kAgeChunkBytes, size_ - start));
  const auto sealed = MutableByteView(buffer_).first(plain_size + kAeadTagBytes);
  HF_TRY(const std::size_t got, sealed_->read_at(payload_.offset + index * kAgeSealedChunkBytes, sealed));
  if (got != sealed.size()) {
    return fail(ErrorCode::kDataCorrupt, "the sealed file was truncated while it was read");
  }
  const auto place = index + 1 == chunks_ ? AgeChunkPlace::kLast : AgeChunkPlace::kWithin;
  HF_CHECK(open_age_chunk(payload_.key, index, place, sealed, chunk_.writable().first(plain_size)));
  loaded_ = index;
  return {};
}

Result<std::size_t> AgeRandomReader::read_at(std::uint64_t offset, MutableByteView buffer) const {
  std::size_t done = 0;
  while (done < buffer.size() && offset + done < size_) {
    const std::uint64_t at = offset + done;
    HF_CHECK(load(at / kAgeChunkBytes));
    const auto within = static_cast<std::size_t>(at % kAgeChunkBytes);
    const auto there = static_cast<std::size_t>(std::min<std::uint64_t>(kAgeChunkBytes - within, size_ - at));
    const std::size_t count = std::min(there, buffer.size() - done);
    std::ranges::copy(chunk_.reveal().subspan(within, count), buffer.subspan(done).begin());
    done += count;
  }
  return done;
}

}  // namespace holdfast::crypto
