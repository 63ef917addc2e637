#include "crypto/age.h"

#include <algorithm>

#include "base/assert.h"
#include "crypto/age_header.h"
#include "crypto/age_wrap.h"

namespace holdfast::crypto {

using base::ByteView;
using base::ErrorCode;
using base::fail;
using base::MutableByteView;
using base::Result;
using base::Secret;

AgeSealer::AgeSealer(Writer& out, std::unique_ptr<AgeArmorWriter> armor, AeadKey key)
    : out_(&out),
      armor_(std::move(armor)),
      key_(std::move(key)),
      chunk_(kAgeChunkBytes),
      sealed_(kAgeSealedChunkBytes) {}

Result<AgeSealer> AgeSealer::create(Writer& out, const AgeRecipients& recipients, AgeForm form,
                                    base::RandomSource& random) {
  Secret file_key(kAgeFileKeyBytes);
  random.fill(file_key.writable());
  HF_TRY(const auto stanzas, wrap_file_key(file_key, recipients, random));
  const base::Bytes nonce = random.take(kAgeNonceBytes);

  auto armor = form == AgeForm::kArmored ? std::make_unique<AgeArmorWriter>(out) : nullptr;
  Writer& target = armor ? static_cast<Writer&>(*armor) : out;
  HF_CHECK(target.write(base::as_bytes(write_age_header(stanzas, file_key))));
  HF_CHECK(target.write(nonce));
  return AgeSealer(target, std::move(armor), age_payload_key(file_key, nonce));
}

Result<> AgeSealer::put(ByteView plaintext, AgeChunkPlace place) {
  const auto sealed = MutableByteView(sealed_).first(plaintext.size() + kAeadTagBytes);
  seal_age_chunk(key_, index_++, place, plaintext, sealed);
  return out_->write(sealed);
}

// A full chunk waits until it is known whether it is the last.
Result<> AgeSealer::write(ByteView plaintext) {
  HF_ASSERT(!finished_);
  while (!plaintext.empty()) {
    if (filled_ == kAgeChunkBytes) {
      HF_CHECK(put(chunk_.reveal(), AgeChunkPlace::kWithin));
      filled_ = 0;
    }
    if (filled_ == 0 && plaintext.size() > kAgeChunkBytes) {
      HF_CHECK(put(plaintext.first(kAgeChunkBytes), AgeChunkPlace::kWithin));
      plaintext = plaintext.subspan(kAgeChunkBytes);
      continue;
    }
    const std::size_t taken = std::min(plaintext.size(), kAgeChunkBytes - filled_);
    std::ranges::copy(plaintext.first(taken), chunk_.writable().subspan(filled_).begin());
    filled_ += taken;
    plaintext = plaintext.subspan(taken);
  }
  return {};
}

Result<> AgeSealer::finish() {
  HF_ASSERT(!finished_);
  finished_ = true;
  HF_CHECK(put(chunk_.reveal().first(filled_), AgeChunkPlace::kLast));
  return armor_ ? armor_->finish() : Result<>();
}

// The sealed bytes, out of their armor if they are in one.
struct AgeUnsealer::Source {
  explicit Source(Reader& sealed) : raw(sealed), armor(raw), dearmored(armor) {}
  LineReader raw;
  AgeArmorReader armor;
  LineReader dearmored;
  LineReader* front = &raw;
};

AgeUnsealer::AgeUnsealer(std::unique_ptr<Source> source, AeadKey key)
    : source_(std::move(source)),
      key_(std::move(key)),
      sealed_(kAgeSealedChunkBytes),
      chunk_(kAgeChunkBytes) {}
AgeUnsealer::AgeUnsealer(AgeUnsealer&&) noexcept = default;
AgeUnsealer::~AgeUnsealer() = default;

Result<AgeUnsealer> AgeUnsealer::open(Reader& sealed, const AgeKeys& keys) {
  auto source = std::make_unique<Source>(sealed);
  HF_TRY(const auto first, source->raw.peek());
  // Armor begins with hyphens, or with white space before them; the version line of the binary form with
  // neither.
  if (first && (*first == '-' || *first <= ' ')) source->front = &source->dearmored;
  HF_TRY(AgePayload payload, open_age_payload(*source->front, keys));
  return AgeUnsealer(std::move(source), std::move(payload.key));
}

Result<> AgeUnsealer::next_chunk() {
  const auto damaged = [](std::string why) {
    return fail(ErrorCode::kDataCorrupt, "the sealed file is damaged: " + std::move(why));
  };
  HF_TRY(const std::size_t got, read_full(*source_->front, sealed_));
  if (got < kAeadTagBytes) return damaged("it is truncated");
  const ByteView sealed = ByteView(sealed_).first(got);
  const MutableByteView plaintext = chunk_.writable().first(got - kAeadTagBytes);
  // A short chunk can only be the last; a full one can be either.
  const bool within =
      got == kAgeSealedChunkBytes && open_age_chunk(key_, index_, AgeChunkPlace::kWithin, sealed, plaintext);
  if (!within) {
    HF_CHECK(open_age_chunk(key_, index_, AgeChunkPlace::kLast, sealed, plaintext));
    if (plaintext.empty() && index_ > 0) return damaged("its last chunk is empty");
    ended_ = true;
    const auto next = source_->front->peek();
    if (!next) failure_ = next.error();
    if (next && *next) failure_ = damaged("there is something after its last chunk").value();
  }
  ++index_;
  rest_ = plaintext;
  return {};
}

Result<std::size_t> AgeUnsealer::read(MutableByteView buffer) {
  while (rest_.empty()) {
    if (failure_) return fail(*failure_);
    if (ended_) return 0;
    if (auto next = next_chunk(); !next) failure_ = std::move(next).error();
  }
  const std::size_t count = std::min(buffer.size(), rest_.size());
  std::copy_n(rest_.begin(), count, buffer.begin());
  rest_ = rest_.subspan(count);
  return count;
}

}  // namespace holdfast::crypto
