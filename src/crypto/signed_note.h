#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/sign.h"

// Signed notes (C2SP signed-note.md): text with the signatures of named Ed25519 keys (type 0x01), the form of
// a transparency log's checkpoints. Text that nobody we know has signed can't be reached. Plain values.

namespace holdfast::crypto {

inline constexpr std::size_t kMaxNoteBytes = 1UL << 20;
inline constexpr std::size_t kMaxNoteSignatures = 100;

// A key by the name under which it signs, and its public half: the "vkey" that people configure.
class NoteVerifier {
 public:
  // `name`: not empty, UTF-8 without white space, control characters and '+'; best a URL without scheme.
  // kUnsupported unless the key is Ed25519.
  static base::Result<NoteVerifier> create(std::string name, PublicKey key);
  // From text(); kDataCorrupt where the id does not belong to the name and key.
  static base::Result<NoteVerifier> parse(std::string_view vkey);

  [[nodiscard]] std::string text() const;  // "<name>+<8 hexadecimal digits>+<base64>"
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::uint32_t id() const { return id_; }
  [[nodiscard]] const PublicKey& key() const { return key_; }

 private:
  NoteVerifier(std::string name, std::uint32_t id, PublicKey key)
      : name_(std::move(name)), id_(id), key_(std::move(key)) {}
  std::string name_;
  std::uint32_t id_;
  PublicKey key_;
};

class NoteSigner {
 public:
  // As NoteVerifier::create.
  static base::Result<NoteSigner> create(std::string name, PrivateKey key);

  [[nodiscard]] const NoteVerifier& verifier() const { return verifier_; }
  [[nodiscard]] const PrivateKey& key() const { return key_; }

 private:
  NoteSigner(NoteVerifier verifier, PrivateKey key) : verifier_(std::move(verifier)), key_(std::move(key)) {}
  NoteVerifier verifier_;
  PrivateKey key_;
};

struct NoteSignature {
  std::string name;
  std::uint32_t key_id = 0;
  base::Bytes signature;  // what follows the key id
};

class VerifiedNote {
 public:
  // With the line feed at its end.
  [[nodiscard]] const std::string& text() const { return text_; }
  // By the known keys: one at least, each key once, each verified.
  [[nodiscard]] const std::vector<NoteSignature>& signatures() const { return signatures_; }
  // By keys not known here, of any type: worth nothing until somebody else verifies them.
  [[nodiscard]] const std::vector<NoteSignature>& unverified() const { return unverified_; }

 private:
  friend base::Result<VerifiedNote> verify_note(std::string_view note, std::span<const NoteVerifier> known);
  std::string text_;
  std::vector<NoteSignature> signatures_;
  std::vector<NoteSignature> unverified_;
};

// The note over `text`: UTF-8 that ends with a line feed and has no other control character. kInvalidArgument
// for another text or for no signer.
base::Result<std::string> sign_note(std::string_view text, std::span<const NoteSigner> signers);

// kDataCorrupt for a note that is malformed or has a wrong signature under a known name and id, even beside
// right ones; kUnauthenticated where no known key signed it; kLimitExceeded over the bounds above;
// kInvalidArgument where two known keys share name and id.
base::Result<VerifiedNote> verify_note(std::string_view note, std::span<const NoteVerifier> known);

}  // namespace holdfast::crypto
