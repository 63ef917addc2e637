#include "audit/checkpoint.h"

#include <gmock/gmock-matchers.h>

#include "audit/merkle.h"

namespace holdfast::audit {
namespace {

using base::ErrorCode;
using testing::StartsWith;

const std::string kOrigin = "log.example/credit";

crypto::NoteSigner signer(std::uint8_t seed) {
  return crypto::NoteSigner::create(kOrigin,
                                    crypto::PrivateKey::from_ed25519_seed(base::Bytes(32, seed)).value())
      .value();
}

std::string note_over(std::string_view text) {
  const auto by = signer(1);
  return crypto::sign_note(text, {&by, 1}).value();
}

base::Result<Checkpoint> opened(std::string_view note) { return open_checkpoint(note, signer(1).verifier()); }

TEST(Checkpoint, HasTheFormOfTheSpecification) {
  const auto note = sign_checkpoint(42, empty_root(), signer(1)).value();
  EXPECT_THAT(note,
              StartsWith("log.example/credit\n42\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n\u2014 " +
                         kOrigin));
  EXPECT_EQ(opened(note).value(), (Checkpoint{.origin = kOrigin, .size = 42, .root = empty_root()}));
}

TEST(Checkpoint, AnotherKeyOrAChangedByteIsRefused) {
  auto note = sign_checkpoint(42, empty_root(), signer(1)).value();
  EXPECT_EQ(open_checkpoint(note, signer(2).verifier()).error().code, ErrorCode::kUnauthenticated);
  note[note.find("42")] = '9';
  EXPECT_EQ(opened(note).error().code, ErrorCode::kDataCorrupt);
}

TEST(Checkpoint, ExtensionLinesAreOverlooked) {
  EXPECT_EQ(opened(note_over(kOrigin + "\n7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nextra\n"))->size,
            7U);
}

TEST(Checkpoint, ASignedTextThatIsNoCheckpointIsRefused) {
  for (const auto* text :
       {"log.example/credit\n", "log.example/credit\n7\n",
        "other\n7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "log.example/credit\n07\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "log.example/credit\n-7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "log.example/credit\n18446744073709551616\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "log.example/credit\n7\n47DEQpj8HBSa\n", "log.example/credit\n7\nnonsense\n"}) {
    const auto checkpoint = opened(note_over(text));
    ASSERT_FALSE(checkpoint) << text;
    EXPECT_EQ(checkpoint.error().code, ErrorCode::kDataCorrupt) << text;
  }
}

}  // namespace
}  // namespace holdfast::audit
