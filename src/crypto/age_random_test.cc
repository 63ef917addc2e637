#include "crypto/age_random.h"

#include <gtest/gtest.h>

#include "crypto/age_samples.h"

namespace holdfast::crypto {
namespace {

using base::as_bytes;
using base::Bytes;
using base::ByteView;
using base::ErrorCode;

Bytes sealed_sample(std::size_t size) { return seal(sample_text(size), sample_recipients({1})); }

TEST(AgeRandomReader, GivesEveryRange) {
  for (const std::size_t size : {0UL, 1UL, kAgeChunkBytes, kAgeChunkBytes + 1, 3 * kAgeChunkBytes - 1}) {
    const Bytes text = sample_text(size);
    const BytesRandomReader sealed(sealed_sample(size));
    const auto reader = AgeRandomReader::open(sealed, sample_keys({1}));
    ASSERT_TRUE(reader.has_value()) << reader.error().message;
    EXPECT_EQ(reader->size(), size);
    for (const std::size_t offset :
         {0UL, 1UL, kAgeChunkBytes - 1, kAgeChunkBytes, 2 * kAgeChunkBytes, size, size + 9}) {
      for (const std::size_t count : {0UL, 1UL, 100UL, kAgeChunkBytes + 2, 4 * kAgeChunkBytes}) {
        const std::size_t begin = std::min(offset, size);
        const std::size_t expected = std::min(count, size - begin);
        Bytes buffer(count);
        EXPECT_EQ(reader->read_at(offset, buffer).value(), expected) << offset << " " << count;
        EXPECT_TRUE(
            std::ranges::equal(ByteView(buffer).first(expected), ByteView(text).subspan(begin, expected)));
      }
    }
  }
}

TEST(AgeRandomReader, SeesATruncatedFileAtOnce) {
  const Bytes sealed = sealed_sample(2 * kAgeChunkBytes + 10);
  const std::size_t payload = sealed.size() - (2 * kAgeSealedChunkBytes + 10 + kAeadTagBytes);
  for (const std::size_t size :
       {payload - 1, payload, payload + kAeadTagBytes - 1, payload + kAgeSealedChunkBytes - 1,
        payload + kAgeSealedChunkBytes, payload + kAgeSealedChunkBytes + kAeadTagBytes,
        payload + 2 * kAgeSealedChunkBytes, payload + 2 * kAgeSealedChunkBytes + 1, sealed.size() - 1}) {
    const BytesRandomReader truncated(
        Bytes(sealed.begin(), sealed.begin() + static_cast<std::ptrdiff_t>(size)));
    const auto reader = AgeRandomReader::open(truncated, sample_keys({1}));
    ASSERT_FALSE(reader.has_value()) << size;
    EXPECT_EQ(reader.error().code, ErrorCode::kDataCorrupt) << reader.error().message;
  }
}

TEST(AgeRandomReader, SeesWhatWasAdded) {
  Bytes sealed = sealed_sample(kAgeChunkBytes);
  sealed.push_back(0);
  EXPECT_FALSE(AgeRandomReader::open(BytesRandomReader(sealed), sample_keys({1})));
}

TEST(AgeRandomReader, ReadsAroundAChangedChunk) {
  Bytes sealed = sealed_sample(3 * kAgeChunkBytes);
  sealed[sealed.size() - 2 * kAgeSealedChunkBytes + 7] ^= 1;
  const BytesRandomReader bytes(sealed);
  const auto reader = AgeRandomReader::open(bytes, sample_keys({1}));
  ASSERT_TRUE(reader.has_value()) << reader.error().message;
  Bytes buffer(10);
  EXPECT_TRUE(reader->read_at(0, buffer));
  EXPECT_EQ(reader->read_at(kAgeChunkBytes, buffer).error().code, ErrorCode::kDataCorrupt);
  EXPECT_EQ(reader->read_at(kAgeChunkBytes - 5, buffer).error().code, ErrorCode::kDataCorrupt);
  EXPECT_TRUE(reader->read_at(2 * kAgeChunkBytes, buffer));
}

TEST(AgeRandomReader, RefusesArmorAndTheWrongKey) {
  const BytesRandomReader armored(seal(as_bytes("text"), sample_recipients({1}), AgeForm::kArmored));
  EXPECT_EQ(AgeRandomReader::open(armored, sample_keys({1})).error().code, ErrorCode::kUnsupported);
  const BytesRandomReader sealed(sealed_sample(1));
  EXPECT_EQ(AgeRandomReader::open(sealed, sample_keys({2})).error().code, ErrorCode::kPermissionDenied);
}

}  // namespace
}  // namespace holdfast::crypto
