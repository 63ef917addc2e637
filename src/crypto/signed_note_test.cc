#include "crypto/signed_note.h"

#include <gmock/gmock-matchers.h>

#include "base/encoding.h"

namespace holdfast::crypto {
namespace {

using base::as_bytes;
using base::ErrorCode;
using testing::HasSubstr;

// The example of golang.org/x/mod/sumdb/note: its key, seed, text and signature line.
constexpr std::string_view kVkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
constexpr std::string_view kSeed = "gQoUAtUUbI2E8kQzMPVAgOv5juF9nHT2JS/F1ccoMXM=";
constexpr std::string_view kText =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n";
constexpr std::string_view kLine =
    "— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
// Of a key that nobody here knows (C2SP signed-note.md, its first example).
constexpr std::string_view kStrangersLine =
    "— quasimodo.example/salvatore "
    "NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3Z"
    "ekRwNtIc=\n";

std::string published() { return std::string(kText) + "\n" + std::string(kLine); }

NoteVerifier peter() { return NoteVerifier::parse(kVkey).value(); }

NoteSigner signer(const std::string& name) {
  return NoteSigner::create(name, PrivateKey::generate(KeyAlgorithm::kEd25519)).value();
}

base::Result<VerifiedNote> verify(std::string_view note) {
  const std::vector known{peter()};
  return verify_note(note, known);
}

TEST(SignedNote, ReproducesThePublishedExample) {
  const auto key = PrivateKey::from_ed25519_seed(base::base64_decode(kSeed).value());
  const std::vector signers{NoteSigner::create("PeterNeumann", *key).value()};
  EXPECT_EQ(signers.front().verifier().text(), kVkey);
  EXPECT_EQ(sign_note(kText, signers).value(), published());
  const auto note = verify(published());
  ASSERT_TRUE(note.has_value()) << note.error().message;
  EXPECT_EQ(note->text(), kText);
  ASSERT_EQ(note->signatures().size(), 1U);
  EXPECT_EQ(note->signatures().front().name, "PeterNeumann");
  EXPECT_EQ(note->signatures().front().key_id, 0xc74f20a3U);
}

TEST(SignedNote, ReadsThePublicChecksumDatabaseKey) {
  constexpr std::string_view kGo = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
  EXPECT_EQ(NoteVerifier::parse(kGo)->text(), kGo);  // its base64 holds a '+' of its own
}

TEST(SignedNote, EveryChangedByteIsSeen) {
  const std::string note = published();
  for (std::size_t i = 0; i < note.size(); ++i) {
    std::string changed = note;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(verify(changed)) << i;
    EXPECT_FALSE(verify(note.substr(0, i))) << i;
  }
}

TEST(SignedNote, StrangersAreKeptApartUnverified) {
  const auto note = verify(std::string(kText) + "\n" + std::string(kStrangersLine) + std::string(kLine));
  ASSERT_TRUE(note.has_value()) << note.error().message;
  EXPECT_EQ(note->signatures().size(), 1U);
  ASSERT_EQ(note->unverified().size(), 1U);
  EXPECT_EQ(note->unverified().front().name, "quasimodo.example/salvatore");
  EXPECT_EQ(note->unverified().front().key_id, 0x367ba04bU);
  EXPECT_EQ(note->unverified().front().signature.size(), 64U);
}

TEST(SignedNote, AKnownNameOrIdAloneIsAStranger) {
  const auto other_key = signer("PeterNeumann");
  const auto note = sign_note(kText, std::vector{other_key});
  const auto refused = verify(*note);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnauthenticated);
}

TEST(SignedNote, AWrongSignatureOfAKnownKeyRejectsTheRightOneBesideIt) {
  std::string wrong(kLine);
  wrong[wrong.size() - 20] = wrong[wrong.size() - 20] == 'A' ? 'B' : 'A';
  for (const auto& lines : {std::string(kLine) + wrong, wrong + std::string(kLine)}) {
    const auto note = verify(std::string(kText) + "\n" + lines);
    ASSERT_FALSE(note.has_value());
    EXPECT_EQ(note.error().code, ErrorCode::kDataCorrupt);
    EXPECT_THAT(note.error().message, HasSubstr("PeterNeumann+c74f20a3"));
  }
}

TEST(SignedNote, ARepeatedSignatureCountsOnce) {
  const auto note = verify(published() + std::string(kLine));
  ASSERT_TRUE(note.has_value());
  EXPECT_EQ(note->signatures().size(), 1U);
}

TEST(SignedNote, TextMayHoldEmptyLinesAndSignatureLines) {
  const auto key = signer("a");
  for (const std::string text : {"\n", "\n\n", "x\n\ny\n", "x\n\n— a AAAAAAA=\n", "caf\u00e9 \U0001f600\n"}) {
    const auto note = sign_note(text, std::vector{key});
    ASSERT_TRUE(note.has_value()) << text;
    const auto verified = verify_note(*note, std::vector{key.verifier()});
    ASSERT_TRUE(verified.has_value()) << text << verified.error().message;
    EXPECT_EQ(verified->text(), text);
  }
}

TEST(SignedNote, RefusesToSignWhatIsNoText) {
  const std::vector key{signer("a")};
  for (const std::string text : {"", "x", "x\r\n", "x\t\n", "\xff\n", "\xc0\x80\n", "\xed\xa0\x80\n",
                                 "\xf4\x90\x80\x80\n", "\xe2\x82\n"}) {
    EXPECT_FALSE(sign_note(text, key)) << base::hex_encode(as_bytes(text));
  }
  EXPECT_FALSE(sign_note("x\n", {}));
}

TEST(SignedNote, RefusesMalformedSignatureBlocks) {
  const std::string text(kText);
  const std::string line(kLine);
  const std::string blob = line.substr(line.rfind(' ') + 1);
  for (const std::string& note :
       {text, text + line, text + "\n", text + "\n" + line.substr(0, line.size() - 1),
        text + "\n" + line + "\n", text + "\n" + "- PeterNeumann " + blob, text + "\n" + "—  " + blob,
        text + "\n" + "— a+b " + blob, text + "\n" + "— a\u00a0b " + blob, text + "\n" + "— a b " + blob,
        text + "\n" + "— a\n", text + "\n" + "— a x08goA==\n" + "x", text + "\n" + "— a x08gow==\n",
        text + "\n" + "— a !\n"}) {
    const auto refused = verify(note);
    ASSERT_FALSE(refused.has_value()) << note;
    EXPECT_EQ(refused.error().code, ErrorCode::kDataCorrupt) << note;
  }
}

TEST(SignedNote, BoundsBytesAndSignatures) {
  EXPECT_EQ(verify(std::string(kMaxNoteBytes + 1, 'x')).error().code, ErrorCode::kLimitExceeded);
  std::string note = published();
  for (std::size_t i = 1; i < kMaxNoteSignatures; ++i) note += kStrangersLine;
  EXPECT_TRUE(verify(note));
  EXPECT_EQ(verify(note + std::string(kStrangersLine)).error().code, ErrorCode::kLimitExceeded);
}

TEST(SignedNote, NamesHaveNoSpaceOrPlus) {
  const auto key = PrivateKey::generate(KeyAlgorithm::kEd25519).public_key();
  EXPECT_TRUE(NoteVerifier::create("log.example.com/\u00fc", key));
  for (const std::string name : {"", "a b", "a+b", "a\nb", "a\u2003b", "a\u0085", "\xff"}) {
    EXPECT_FALSE(NoteVerifier::create(name, key)) << name;
  }
  EXPECT_EQ(
      NoteVerifier::create("a", PrivateKey::generate(KeyAlgorithm::kEcdsaP256).public_key()).error().code,
      ErrorCode::kUnsupported);
}

TEST(SignedNote, VerifierKeysComeBackFromTheirTextAndNoOther) {
  const auto verifier = signer("a.example/log").verifier();
  EXPECT_EQ(NoteVerifier::parse(verifier.text())->key(), verifier.key());
  const std::string good(kVkey);
  for (const std::string& bad :
       {std::string(), std::string("a"), std::string("a+b"), good + "x", good.substr(0, good.size() - 1),
        "x" + good, std::string("PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"),
        std::string("PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"),
        std::string("PeterNeumann+c74f20a3+BBpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"),
        std::string("PeterNeumann+c74f20a3+AQ=="),
        std::string("+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")}) {
    EXPECT_FALSE(NoteVerifier::parse(bad)) << bad;
  }
}

}  // namespace
}  // namespace holdfast::crypto
