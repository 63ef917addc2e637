#include "inspect/utf16_text.h"

#include <gmock/gmock-more-matchers.h>
#include <gtest/gtest.h>

#include "inspect/artefact.h"

namespace holdfast::inspect {
namespace {

using base::Bytes;
using testing::Contains;
using testing::Field;
using testing::IsEmpty;

Bytes utf16(std::u16string_view text, Utf16 order, bool marked) {
  Bytes bytes;
  const auto put = [&](std::uint16_t unit) {
    order == Utf16::kLittle ? base::append_le(bytes, unit) : base::append_be(bytes, unit);
  };
  if (marked) put(0xFEFF);
  for (const char16_t unit : text) put(static_cast<std::uint16_t>(unit));
  return bytes;
}

std::string decoded(const Bytes& bytes, Utf16 order, std::size_t step = 7) {
  const formats::MemorySource source(bytes);
  formats::SourceStream stream(source);
  Utf16Stream text(stream, order);
  std::string out;
  Bytes buffer(step);
  while (true) {
    const auto got = text.read(buffer);
    EXPECT_TRUE(got);
    if (!got || *got == 0) return out;
    out.append(base::as_text(buffer), 0, *got);
  }
}

TEST(Utf16Text, IsReadAsUtf8) {
  for (const Utf16 order : {Utf16::kLittle, Utf16::kBig}) {
    for (const bool marked : {true, false}) {
      const Bytes bytes = utf16(u"token = \u00E4\u20AC\U0001F600 and more", order, marked);
      EXPECT_EQ(utf16_of(bytes), order);
      EXPECT_EQ(decoded(bytes, order), "token = \u00E4\u20AC\U0001F600 and more");
    }
  }
}

TEST(Utf16Text, ThatIsBrokenIsReplaced) {
  EXPECT_EQ(decoded({'a', 0, 0x00, 0xD8, 'b', 0}, Utf16::kLittle), "a\uFFFDb");
  EXPECT_EQ(decoded({0x00, 0xDC}, Utf16::kLittle), "\uFFFD");
  EXPECT_EQ(decoded({'a', 0, 'b'}, Utf16::kLittle), "a\uFFFD");
  EXPECT_EQ(decoded({0x00, 0xD8}, Utf16::kLittle), "\uFFFD");
  EXPECT_EQ(decoded({}, Utf16::kLittle), "");
}

TEST(Utf16Text, IsNotSeenInOtherBytes) {
  EXPECT_EQ(utf16_of({}), Utf16::kNone);
  EXPECT_EQ(utf16_of(base::as_bytes("plain text, of more than sixteen bytes")), Utf16::kNone);
  EXPECT_EQ(utf16_of(Bytes(64)), Utf16::kNone);
}

TEST(Utf16Text, GivesAwayWhatStandsInIt) {
  // Put together here, so that no scanner finds a key in this file.
  std::u16string text = u"# settings of the job\naws_access_key_id = AK";
  text += u"IAQ7RSTUVWX5YZ2345\n";
  for (const Utf16 order : {Utf16::kLittle, Utf16::kBig}) {
    for (const bool marked : {true, false}) {
      const Bytes bytes = utf16(text, order, marked);
      Findings findings;
      const formats::MemorySource source(bytes);
      const auto coverage = inspect_artefact(source, "f", findings);
      EXPECT_THAT(coverage.not_looked_at, IsEmpty());
      EXPECT_EQ(coverage.format, "text (UTF-16)");
      EXPECT_THAT(findings.items(), Contains(Field(&Finding::rule_id, "secret.token")));
    }
  }
}

}  // namespace
}  // namespace holdfast::inspect
