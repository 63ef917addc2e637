#include "crypto/age_armor.h"

#include <gmock/gmock-matchers.h>

#include "crypto/age_samples.h"

namespace holdfast::crypto {
namespace {

using base::as_bytes;
using base::Bytes;
using base::ErrorCode;
using base::Result;
using testing::HasSubstr;

const std::string kBegin = "-----BEGIN AGE ENCRYPTED FILE-----\n";
const std::string kEnd = "-----END AGE ENCRYPTED FILE-----\n";
const std::string kRow(64, 'A');

Result<Bytes> dearmor(std::string_view text) {
  MemoryReader bytes(as_bytes(text));
  LineReader lines(bytes);
  AgeArmorReader armor(lines);
  Bytes out(10'000);
  HF_TRY(const std::size_t got, read_full(armor, out));
  out.resize(got);
  return out;
}

std::string armor(base::ByteView bytes, std::size_t piece) {
  BytesWriter out;
  AgeArmorWriter writer(out);
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    EXPECT_TRUE(writer.write(bytes.subspan(at, std::min(piece, bytes.size() - at))));
  }
  EXPECT_TRUE(writer.finish());
  return std::string(base::as_text(out.bytes()));
}

TEST(AgeArmor, KeepsItsForm) {
  EXPECT_EQ(armor(Bytes(50), 50), kBegin + kRow + "\nAAA=\n" + kEnd);
  EXPECT_EQ(armor(Bytes(48), 1), kBegin + kRow + "\n" + kEnd);
  EXPECT_EQ(armor({}, 1), kBegin + kEnd);
}

TEST(AgeArmor, GivesBackWhatItTook) {
  for (std::size_t size = 0; size < 200; ++size) {
    const Bytes bytes = CountingRandom().take(size);
    for (const std::size_t piece : {1UL, 7UL, 48UL, 1000UL}) {
      const auto back = dearmor(armor(bytes, piece));
      ASSERT_TRUE(back.has_value()) << back.error().message;
      EXPECT_EQ(*back, bytes);
    }
  }
}

TEST(AgeArmor, AllowsWhiteSpaceAroundItAndEitherLineEnd) {
  for (const std::string& text : {
           kBegin + "AAAA\n" + kEnd.substr(0, kEnd.size() - 1),
           " \n\t\r\n" + kBegin + "AAAA\n" + kEnd + " \n\r\n\t",
           std::string("-----BEGIN AGE ENCRYPTED FILE-----\r\nAAAA\r\n-----END AGE ENCRYPTED FILE-----\r\n"),
           std::string(1023, '\n') + kBegin + "AAAA\n" + kEnd + std::string(1024, '\n'),
       }) {
    const auto bytes = dearmor(text);
    ASSERT_TRUE(bytes.has_value()) << bytes.error().message;
    EXPECT_EQ(*bytes, Bytes(3));
  }
}

TEST(AgeArmor, IsRefusedInAnyOtherForm) {
  for (const std::string& text : {
           std::string(),
           std::string("\n"),
           kBegin,
           kBegin + "AAAA\n",
           "x\n" + kBegin + "AAAA\n" + kEnd,
           " " + kBegin + "AAAA\n" + kEnd,
           kBegin + "AAAA\n " + kEnd,
           kBegin + "AAAA\n" + kEnd + "x",
           kBegin + "AAAA\n" + kEnd + kBegin + "AAAA\n" + kEnd,
           kBegin + "\nAAAA\n" + kEnd,
           kBegin + "AAAA\n\n" + kEnd,
           kBegin + "AAAA\nAAAA\n" + kEnd,
           kBegin + kRow + "AAAA\n" + kEnd,
           kBegin + "AAAA \n" + kEnd,
           kBegin + " AAAA\n" + kEnd,
           kBegin + "AAA\n" + kEnd,
           kBegin + "AAB=\n" + kEnd,
           kBegin + "AA=\n" + kEnd,
           kBegin + "AA-_\n" + kEnd,
           kBegin + "Comment: none\n\nAAAA\n" + kEnd,
           kBegin + "AAAA\n=aaaa\n" + kEnd,
           std::string("-----begin age encrypted file-----\nAAAA\n") + kEnd,
           std::string("-----BEGIN AGE ENCRYPTED MESSAGE-----\nAAAA\n-----END AGE ENCRYPTED MESSAGE-----\n"),
           std::string(1025, '\n') + kBegin + "AAAA\n" + kEnd,
           kBegin + "AAAA\n" + kEnd + std::string(1025, '\n'),
           std::string(2000, ' ') + "\n" + kBegin + "AAAA\n" + kEnd,
       }) {
    const auto bytes = dearmor(text);
    ASSERT_FALSE(bytes.has_value()) << text;
    EXPECT_EQ(bytes.error().code, ErrorCode::kDataCorrupt) << text;
    EXPECT_THAT(bytes.error().message, HasSubstr("ASCII armor"));
  }
}

TEST(AgeArmor, OpensNothingThatIsTruncated) {
  const std::string text = armor(CountingRandom().take(100), 100);
  for (std::size_t size = 0; size + 1 < text.size(); ++size) {
    EXPECT_FALSE(dearmor(std::string_view(text).substr(0, size))) << size;
  }
}

}  // namespace
}  // namespace holdfast::crypto
