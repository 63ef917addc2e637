#include "crypto/age_header.h"

#include <gmock/gmock-matchers.h>

#include "crypto/test_vectors.h"

namespace holdfast::crypto {
namespace {

using base::as_bytes;
using base::Bytes;
using base::ErrorCode;
using base::Result;
using base::Secret;
using testing::HasSubstr;

// age.md, "Header".
const std::string kExample =
    "age-encryption.org/v1\n"
    "-> X25519 XEl0dJ6y3C7KZkgmgWUicg63EyXJiwBJW8PdYJ/cYBE\n"
    "qRS0AMjdjPvZ/WT08U2KL4G+PIooA3hy38SvLpvaC1E\n"
    "--- HK2NmOBN9Dpq0Gw6xMCuhFcQlQLvZ/wQUi/2scLG75s\n";
const std::string kMacLine = "--- HK2NmOBN9Dpq0Gw6xMCuhFcQlQLvZ/wQUi/2scLG75s\n";

Secret file_key() { return Secret::copy_of(as_bytes("YELLOW SUBMARINE")); }

Result<AgeHeader> parse(std::string_view text) {
  MemoryReader bytes(as_bytes(text));
  LineReader lines(bytes);
  return read_age_header(lines);
}

TEST(AgeHeader, IsReadAndNothingAfterIt) {
  const std::string file = kExample + "payload";
  MemoryReader bytes(as_bytes(file));
  LineReader lines(bytes);
  const auto header = read_age_header(lines);
  ASSERT_TRUE(header.has_value()) << header.error().message;
  ASSERT_EQ(header->stanzas.size(), 1U);
  EXPECT_THAT(header->stanzas[0].arguments,
              testing::ElementsAre("X25519", "XEl0dJ6y3C7KZkgmgWUicg63EyXJiwBJW8PdYJ/cYBE"));
  EXPECT_EQ(header->stanzas[0].body.size(), 32U);
  EXPECT_EQ(header->authenticated, kExample.substr(0, kExample.find("---") + 3));
  EXPECT_EQ(header->size, kExample.size());
  Bytes rest(100);
  EXPECT_EQ(read_full(lines, rest).value(), 7U);
}

TEST(AgeHeader, ComesBackFromItsText) {
  for (std::size_t size = 0; size < 200; ++size) {
    const std::vector<AgeStanza> stanzas{{.arguments = {"a", "!~"}, .body = CountingRandom().take(size)},
                                         {.arguments = {"b"}, .body = {}}};
    const std::string text = write_age_header(stanzas, file_key());
    const auto header = parse(text);
    ASSERT_TRUE(header.has_value()) << header.error().message << "\n" << text;
    ASSERT_EQ(header->stanzas.size(), 2U);
    EXPECT_EQ(header->stanzas[0].arguments, stanzas[0].arguments);
    EXPECT_EQ(header->stanzas[0].body, stanzas[0].body);
    EXPECT_TRUE(header->stanzas[1].body.empty());
    EXPECT_TRUE(check_age_header(*header, file_key()));
    EXPECT_EQ(write_age_header(header->stanzas, file_key()), text);
  }
}

TEST(AgeHeader, ShowsEveryChange) {
  const std::string text = write_age_header({{.arguments = {"X", "y"}, .body = Bytes(50, 7)}}, file_key());
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const char c : {'\0', '\n', '\r', ' ', 'A', '-', '/', '\x7f', '\xff'}) {
      std::string changed = text;
      changed[at] = c;
      const auto header = parse(changed);
      const bool accepted = header && check_age_header(*header, file_key());
      EXPECT_EQ(accepted, changed == text) << at;
    }
    EXPECT_FALSE(parse(std::string_view(text).substr(0, at))) << at;
  }
  const auto header = parse(text);
  ASSERT_TRUE(header.has_value());
  const auto checked = check_age_header(*header, Secret(kAgeFileKeyBytes));
  ASSERT_FALSE(checked.has_value());
  EXPECT_EQ(checked.error().code, ErrorCode::kDataCorrupt);
}

TEST(AgeHeader, IsRefusedInAnyOtherForm) {
  const std::string version = "age-encryption.org/v1\n";
  const std::string row(64, 'A');
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "ends too early"},
      {"age-encryption.org/v1\r\n-> a\n\n" + kMacLine, "no file that age sealed"},
      {"AGE-encryption.org/v1\n-> a\n\n" + kMacLine, "no file that age sealed"},
      {version + kMacLine, "names no recipient"},
      {version + "\n" + kMacLine, "does not begin with"},
      {version + "->a\n\n" + kMacLine, "does not begin with"},
      {version + "-> \n\n" + kMacLine, "argument"},
      {version + "-> a \n\n" + kMacLine, "argument"},
      {version + "-> a  b\n\n" + kMacLine, "argument"},
      {version + "-> a\tb\n\n" + kMacLine, "argument"},
      {version + "-> a\xc3\xa4\n\n" + kMacLine, "argument"},
      {version + "-> a\r\n\n" + kMacLine, "argument"},
      {version + "-> a\nAA==\n" + kMacLine, "canonical base64"},
      {version + "-> a\nAB\n" + kMacLine, "canonical base64"},  // bits beyond the last byte
      {version + "-> a\nA\n" + kMacLine, "canonical base64"},   // no byte at all
      {version + "-> a\n" + row + "A\n" + kMacLine, "64 columns"},
      {version + "-> a\n" + row + "\n" + kMacLine, "canonical base64"},  // no short line
      {version + "-> a\nAAA\nAAA\n" + kMacLine, "does not begin with"},
      {version + "-> a\n" + kMacLine, "canonical base64"},
      {version + "-> a\n\n---\n", "MAC"},
      {version + "-> a\n\n--- \n", "MAC"},
      {version + "-> a\n\n---" + kMacLine.substr(4), "MAC"},
      {version + "-> a\n\n---  " + kMacLine.substr(4), "MAC"},
      {version + "-> a\n\n" + kMacLine.substr(0, 46) + " \n", "MAC"},
      {version + "-> a\n\n" + kMacLine.substr(0, 45) + "\n", "MAC"},
      {version + "-> a\n\n" + kMacLine.substr(0, 46) + "t\n", "MAC"},  // the last character has bits too many
      {version + "-> a\n\n--- " + std::string(44, 'A') + "\n", "MAC"},
  };
  for (const auto& [text, says] : cases) {
    const auto header = parse(text);
    ASSERT_FALSE(header.has_value()) << text;
    EXPECT_EQ(header.error().code, ErrorCode::kDataCorrupt) << text;
    EXPECT_THAT(header.error().message, HasSubstr(says)) << text;
  }
}

TEST(AgeHeader, OfALaterVersionIsUnsupported) {
  const auto header = parse("age-encryption.org/v2\n{}");
  ASSERT_FALSE(header.has_value());
  EXPECT_EQ(header.error().code, ErrorCode::kUnsupported);
}

// Counts what was asked of it: text without end.
class EndlessReader final : public Reader {
 public:
  EndlessReader(std::string start, std::string again) : text_(std::move(start)), again_(std::move(again)) {}
  Result<std::size_t> read(base::MutableByteView buffer) override {
    while (text_.size() < buffer.size()) text_ += again_;
    std::ranges::copy(text_.substr(0, buffer.size()), buffer.begin());
    text_.erase(0, buffer.size());
    given_ += buffer.size();
    return buffer.size();
  }
  [[nodiscard]] std::size_t given() const { return given_; }

 private:
  std::string text_;
  std::string again_;
  std::size_t given_ = 0;
};

TEST(AgeHeader, IsBoundedInSizeStanzasAndArguments) {
  const std::string version = "age-encryption.org/v1\n";
  for (const auto& [start, again] : std::vector<std::pair<std::string, std::string>>{
           {version, "-> a\n\n"},                              // stanzas without end
           {version + "-> a\n", std::string(64, 'A') + "\n"},  // a body
           {version + "-> a", "a"},                            // an argument
           {version + "-> a", " a"},                           // arguments
           {"age", "a"},                                       // a version
       }) {
    EndlessReader reader(start, again);
    LineReader lines(reader);
    const auto header = read_age_header(lines);
    ASSERT_FALSE(header.has_value()) << again;
    EXPECT_EQ(header.error().code, ErrorCode::kLimitExceeded) << header.error().message;
    EXPECT_LE(reader.given(), kMaxAgeHeaderBytes + (128UL << 10));
  }
}

}  // namespace
}  // namespace holdfast::crypto
