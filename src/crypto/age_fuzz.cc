#include <algorithm>
#include <optional>

#include "base/assert.h"
#include "crypto/age.h"
#include "crypto/age_header.h"
#include "crypto/age_random.h"

namespace {

namespace base = holdfast::base;
namespace crypto = holdfast::crypto;
using base::Bytes;
using base::ByteView;

// The example of age.md. No passphrase, so that scrypt, whose work is bounded elsewhere, does not run.
const crypto::AgeKeys& keys() {
  static const crypto::AgeKeys kKeys = [] {
    crypto::AgeKeys made;
    made.identities.push_back(
        crypto::AgeIdentity::parse(
            "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX")
            .value());
    return made;
  }();
  return kKeys;
}

class BytesReader final : public crypto::RandomReader {
 public:
  explicit BytesReader(ByteView bytes) : bytes_(bytes) {}
  [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }
  base::Result<std::size_t> read_at(std::uint64_t offset, base::MutableByteView buffer) const override {
    crypto::MemoryReader rest(bytes_.subspan(std::min<std::size_t>(offset, bytes_.size())));
    return rest.read(buffer);
  }

 private:
  ByteView bytes_;
};

class BytesWriter final : public crypto::Writer {
 public:
  base::Result<> write(ByteView bytes) override {
    base::append(bytes_, bytes);
    return {};
  }
  [[nodiscard]] const Bytes& bytes() const { return bytes_; }

 private:
  Bytes bytes_;
};

std::optional<Bytes> unseal(ByteView sealed) {
  crypto::MemoryReader reader(sealed);
  auto unsealer = crypto::AgeUnsealer::open(reader, keys());
  BytesWriter out;
  if (!unsealer || !crypto::copy(*unsealer, out)) return std::nullopt;
  return out.bytes();
}

std::optional<Bytes> read_randomly(ByteView sealed) {
  const BytesReader bytes(sealed);
  const auto reader = crypto::AgeRandomReader::open(bytes, keys());
  if (!reader) return std::nullopt;
  Bytes out(static_cast<std::size_t>(reader->size()));
  if (!reader->read_at(0, out)) return std::nullopt;
  return out;
}

// A header that is read is written in the same way.
void check_header(ByteView sealed) {
  crypto::MemoryReader bytes(sealed);
  crypto::LineReader lines(bytes);
  const auto header = crypto::read_age_header(lines);
  if (!header) return;
  const auto written = crypto::write_age_header(header->stanzas, base::Secret(crypto::kAgeFileKeyBytes));
  HF_ASSERT(written.starts_with(header->authenticated) && written.size() == header->size);
}

void check_round_trip(ByteView plaintext) {
  BytesWriter out;
  const crypto::AgeRecipients recipients = std::vector{keys().identities[0].recipient()};
  auto sealer = crypto::AgeSealer::create(out, recipients);
  HF_ASSERT(sealer && sealer->write(plaintext) && sealer->finish());
  const Bytes text(plaintext.begin(), plaintext.end());
  HF_ASSERT(unseal(out.bytes()) == text && read_randomly(out.bytes()) == text);
}

}  // namespace

// The input is unsealed, front to back and at random, and the two agree; then it is sealed, and comes back.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  check_header(input);
  const auto unsealed = unseal(input);
  const bool armored = size > 0 && data[0] != 'a';
  if (!armored) HF_ASSERT(unsealed == read_randomly(input));
  check_round_trip(input);
  return 0;
}
