// Digests and sealing, against `openssl speed -evp sha256`, `openssl speed -evp chacha20-poly1305` and `age`.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>

#include "base/secret.h"
#include "crypto/age.h"
#include "crypto/age_header.h"
#include "crypto/age_random.h"
#include "crypto/hmac.h"
#include "crypto/password.h"
#include "crypto/sha256.h"

namespace holdfast::crypto {
namespace {

using base::Bytes;
using base::ByteView;

constexpr std::size_t kFileBytes = 64UL << 20;

class CountingWriter final : public Writer {
 public:
  base::Result<> write(ByteView bytes) override {
    count_ += bytes.size();
    return {};
  }
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  std::uint64_t count_ = 0;
};

class KeepingWriter final : public Writer {
 public:
  base::Result<> write(ByteView bytes) override {
    base::append(bytes_, bytes);
    return {};
  }
  [[nodiscard]] const Bytes& bytes() const { return bytes_; }

 private:
  Bytes bytes_;
};

class BytesReader final : public RandomReader {
 public:
  explicit BytesReader(ByteView bytes) : bytes_(bytes) {}
  [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }
  base::Result<std::size_t> read_at(std::uint64_t offset, base::MutableByteView buffer) const override {
    MemoryReader rest(bytes_.subspan(std::min<std::size_t>(offset, bytes_.size())));
    return rest.read(buffer);
  }

 private:
  ByteView bytes_;
};

AgeIdentity identity() { return AgeIdentity::generate(base::system_random()); }

void seal(ByteView text, Writer& out, const AgeIdentity& to, AgeForm form) {
  auto sealer = AgeSealer::create(out, std::vector{to.recipient()}, form);
  if (!sealer || !sealer->write(text) || !sealer->finish()) std::abort();
}

void count_bytes(benchmark::State& state, std::size_t each) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(each));
}

void sha256_bytes(benchmark::State& state) {
  const Bytes text(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(sha256(text));
  count_bytes(state, text.size());
}
BENCHMARK(sha256_bytes)->Arg(64)->Arg(1024)->Arg(64 << 10)->Arg(16 << 20);

void hmac_sha256_of_a_token(benchmark::State& state) {
  const Bytes key(32);
  const Bytes message(200);
  for (auto _ : state) benchmark::DoNotOptimize(hmac_sha256(key, message));
}
BENCHMARK(hmac_sha256_of_a_token);

void aead_seal_chunk(benchmark::State& state) {
  const auto key = AeadKey::generate(static_cast<AeadAlgorithm>(state.range(0)), base::system_random());
  const Bytes text(kAgeChunkBytes);
  Bytes sealed(text.size() + kAeadTagBytes);
  for (auto _ : state) aead_seal_into(key, AeadNonce{}, {}, text, sealed);
  count_bytes(state, text.size());
}
BENCHMARK(aead_seal_chunk)
    ->Arg(static_cast<int>(AeadAlgorithm::kAes256Gcm))
    ->Arg(static_cast<int>(AeadAlgorithm::kChaCha20Poly1305));

void age_seal(benchmark::State& state) {
  const auto to = identity();
  const Bytes text(kFileBytes);
  for (auto _ : state) {
    CountingWriter out;
    seal(text, out, to, static_cast<AgeForm>(state.range(0)));
    benchmark::DoNotOptimize(out.count());
  }
  count_bytes(state, text.size());
}
BENCHMARK(age_seal)
    ->Arg(static_cast<int>(AgeForm::kBinary))
    ->Arg(static_cast<int>(AgeForm::kArmored))
    ->Unit(benchmark::kMillisecond);

void age_unseal(benchmark::State& state) {
  AgeKeys keys;
  keys.identities.push_back(identity());
  KeepingWriter sealed;
  seal(Bytes(kFileBytes), sealed, keys.identities[0], static_cast<AgeForm>(state.range(0)));
  for (auto _ : state) {
    MemoryReader reader(sealed.bytes());
    auto unsealer = AgeUnsealer::open(reader, keys);
    CountingWriter out;
    if (!unsealer || !copy(*unsealer, out) || out.count() != kFileBytes) std::abort();
  }
  count_bytes(state, kFileBytes);
}
BENCHMARK(age_unseal)
    ->Arg(static_cast<int>(AgeForm::kBinary))
    ->Arg(static_cast<int>(AgeForm::kArmored))
    ->Unit(benchmark::kMillisecond);

void age_read_at_random(benchmark::State& state) {
  AgeKeys keys;
  keys.identities.push_back(identity());
  KeepingWriter sealed;
  seal(Bytes(kFileBytes), sealed, keys.identities[0], AgeForm::kBinary);
  const BytesReader bytes(sealed.bytes());
  const auto reader = AgeRandomReader::open(bytes, keys);
  Bytes buffer(4096);
  std::uint64_t at = 0;
  for (auto _ : state) {
    at = (at * 6364136223846793005 + 1442695040888963407) % kFileBytes;
    if (!reader || !reader->read_at(at, buffer)) std::abort();
  }
}
BENCHMARK(age_read_at_random);

// The worst header that is allowed: every stanza tried with every identity.
void age_open_without_a_fitting_key(benchmark::State& state) {
  const std::vector<AgeRecipient> recipients(kMaxAgeStanzas, identity().recipient());
  KeepingWriter sealed;
  auto sealer = AgeSealer::create(sealed, recipients);
  if (!sealer || !sealer->finish()) std::abort();
  AgeKeys keys;
  for (std::size_t i = 0; i < kMaxAgeIdentities; ++i) keys.identities.push_back(identity());
  for (auto _ : state) {
    MemoryReader reader(sealed.bytes());
    if (AgeUnsealer::open(reader, keys)) std::abort();
  }
}
BENCHMARK(age_open_without_a_fitting_key)->Unit(benchmark::kMillisecond);

void password_check(benchmark::State& state) {
  const auto nobody = PasswordHash::of_nobody();
  const auto password = base::Secret::copy_of(base::as_bytes("correct horse"));
  for (auto _ : state) benchmark::DoNotOptimize(nobody.matches(password));
}
BENCHMARK(password_check)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace holdfast::crypto
