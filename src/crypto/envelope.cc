#include "crypto/envelope.h"

#include <algorithm>
#include <array>

namespace holdfast::crypto {

using base::Bytes;
using base::ByteView;
using base::ErrorCode;
using base::fail;
using base::Result;
using base::Secret;

namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kHeadBytes = 1 + std::tuple_size_v<AeadNonce>;

Bytes associated_data(std::string_view context) {
  Bytes data{kVersion};
  base::append(data, context);
  return data;
}

}  // namespace

Bytes seal_envelope(const AeadKey& key, std::string_view context, ByteView secret,
                    base::RandomSource& random) {
  AeadNonce nonce{};
  random.fill(nonce);
  Bytes envelope(kHeadBytes + secret.size() + kAeadTagBytes);
  envelope[0] = kVersion;
  std::ranges::copy(nonce, envelope.begin() + 1);
  aead_seal_into(key, nonce, associated_data(context), secret,
                 base::MutableByteView(envelope).subspan(kHeadBytes));
  return envelope;
}

Result<Secret> open_envelope(const AeadKey& key, std::string_view context, ByteView envelope) {
  if (envelope.size() < kHeadBytes + kAeadTagBytes) {
    return fail(ErrorCode::kDataCorrupt, "a sealed secret is truncated");
  }
  if (envelope[0] != kVersion) {
    return fail(ErrorCode::kUnsupported, "a sealed secret is of a version that this program does not know");
  }
  AeadNonce nonce{};
  std::copy_n(envelope.begin() + 1, nonce.size(), nonce.begin());
  return aead_open(key, nonce, associated_data(context), envelope.subspan(kHeadBytes));
}

}  // namespace holdfast::crypto
