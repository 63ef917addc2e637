#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "crypto/age.h"
#include "crypto/test_vectors.h"

// What the tests of age share: keys that stand still, and sealing from memory to memory.

namespace holdfast::crypto {

class BytesWriter final : public Writer {
 public:
  base::Result<> write(base::ByteView bytes) override {
    base::append(bytes_, bytes);
    return {};
  }
  [[nodiscard]] const base::Bytes& bytes() const { return bytes_; }

 private:
  base::Bytes bytes_;
};

class BytesRandomReader final : public RandomReader {
 public:
  explicit BytesRandomReader(base::Bytes bytes) : bytes_(std::move(bytes)) {}
  [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }
  base::Result<std::size_t> read_at(std::uint64_t offset, base::MutableByteView buffer) const override {
    MemoryReader rest(base::ByteView(bytes_).subspan(std::min<std::size_t>(offset, bytes_.size())));
    return rest.read(buffer);
  }

 private:
  base::Bytes bytes_;
};

// The same key for the same number, another for another.
inline AgeIdentity sample_identity(std::uint8_t number) {
  CountingRandom random(number);
  return AgeIdentity::generate(random);
}

inline AgeKeys sample_keys(const std::vector<std::uint8_t>& numbers) {
  AgeKeys keys;
  for (const auto number : numbers) keys.identities.push_back(sample_identity(number));
  return keys;
}

inline AgeRecipients sample_recipients(const std::vector<std::uint8_t>& numbers) {
  std::vector<AgeRecipient> recipients;
  for (const auto number : numbers) recipients.push_back(sample_identity(number).recipient());
  return recipients;
}

// Bytes that differ from chunk to chunk.
inline base::Bytes sample_text(std::size_t size) {
  base::Bytes text(size);
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<std::uint8_t>(i * 31 + (i >> 16));
  return text;
}

// Sealed with randomness that stands still.
inline base::Bytes seal(base::ByteView plaintext, const AgeRecipients& recipients,
                        AgeForm form = AgeForm::kBinary) {
  CountingRandom random(100);
  BytesWriter writer;
  auto sealer = AgeSealer::create(writer, recipients, form, random);
  EXPECT_TRUE(sealer.has_value()) << sealer.error().message;
  EXPECT_TRUE(sealer->write(plaintext));
  EXPECT_TRUE(sealer->finish());
  return writer.bytes();
}

// What came out before the end or the error, and the error if there was one.
struct Unsealed {
  base::Bytes released;
  base::Result<> end;
};

inline Unsealed unseal(base::ByteView sealed, const AgeKeys& keys) {
  MemoryReader reader(sealed);
  auto unsealer = AgeUnsealer::open(reader, keys);
  if (!unsealer) return {.released = {}, .end = base::fail(unsealer.error())};
  BytesWriter writer;
  base::Bytes buffer(5000);
  while (true) {
    const auto got = unsealer->read(buffer);
    if (!got) return {.released = writer.bytes(), .end = base::fail(got.error())};
    if (*got == 0) return {.released = writer.bytes(), .end = {}};
    EXPECT_TRUE(writer.write(base::ByteView(buffer).first(*got)));
  }
}

}  // namespace holdfast::crypto
