#include "base/assert.h"
#include "crypto/signed_note.h"

// A note that verifies is the note that its own text and signatures make again; a vkey that parses is its own
// text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast::crypto;
  static const std::vector kKnown{
      NoteVerifier::parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").value()};
  const auto input = holdfast::base::as_text({data, size});
  if (const auto note = verify_note(input, kKnown)) {
    HF_ASSERT(!note->signatures().empty() && input.starts_with(note->text()));
  }
  if (const auto verifier = NoteVerifier::parse(input)) HF_ASSERT(verifier->text() == input);
  return 0;
}
