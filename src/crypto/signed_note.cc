#include "crypto/signed_note.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/encoding.h"
#include "crypto/sha256.h"

namespace holdfast::crypto {

using base::Bytes;
using base::ByteView;
using base::ErrorCode;
using base::fail;
using base::Result;

namespace {

constexpr std::uint8_t kTypeEd25519 = 0x01;
constexpr std::size_t kKeyIdBytes = 4;
constexpr std::string_view kSignaturePrefix = "\u2014 ";

tl::unexpected<base::Error> malformed(std::string_view why) {
  return fail(ErrorCode::kDataCorrupt, fmt::format("the signed note is malformed: {}", why));
}

// The code point at the front of `text`, taken off it; nothing where that is not UTF-8 (Unicode 15, table
// 3-7).
std::optional<char32_t> take_code_point(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  const std::size_t length = lead < 0x80   ? 1
                             : lead < 0xC2 ? 0
                             : lead < 0xE0 ? 2
                             : lead < 0xF0 ? 3
                             : lead < 0xF5 ? 4
                                           : 0;
  if (length == 0 || text.size() < length) return std::nullopt;
  char32_t point = length == 1 ? lead : lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return std::nullopt;
    point = point << 6 | (byte(i) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
  if (point < kLeast[length] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return std::nullopt;
  text.remove_prefix(length);
  return point;
}

bool is_text(std::string_view text) {
  while (!text.empty()) {
    const auto point = take_code_point(text);
    if (!point || (*point < 0x20 && *point != '\n')) return false;
  }
  return true;
}

// White_Space of Unicode's PropList.txt, without those below U+0020.
bool is_space(char32_t point) {
  return point == 0x20 || point == 0x85 || point == 0xA0 || point == 0x1680 ||
         (point >= 0x2000 && point <= 0x200A) || point == 0x2028 || point == 0x2029 || point == 0x202F ||
         point == 0x205F || point == 0x3000;
}

bool is_key_name(std::string_view name) {
  if (name.empty()) return false;
  while (!name.empty()) {
    const auto point = take_code_point(name);
    if (!point || *point < 0x20 || *point == '+' || is_space(*point)) return false;
  }
  return true;
}

// The type byte and the point: what both the id and the vkey are made of.
Bytes typed_key(ByteView point) {
  Bytes typed{kTypeEd25519};
  base::append(typed, point);
  return typed;
}

std::uint32_t key_id(std::string_view name, ByteView typed) {
  Sha256 hash;
  hash.update(base::as_bytes(name));
  hash.update(base::as_bytes("\n"));
  hash.update(typed);
  return base::load_be<std::uint32_t>(hash.finish().bytes());
}

Result<NoteSignature> parse_signature(std::string_view line) {
  if (!line.starts_with(kSignaturePrefix))
    return malformed("a signature line does not begin with an em dash");
  line.remove_prefix(kSignaturePrefix.size());
  const std::size_t space = line.find(' ');
  const std::string_view name = line.substr(0, space);
  if (space == std::string_view::npos || !is_key_name(name))
    return malformed("a signature has no proper key name");
  const auto blob = base::base64_decode(line.substr(space + 1));
  if (!blob || blob->size() <= kKeyIdBytes) {
    return malformed(fmt::format("the signature of {} is not base64 of a key id and a signature", name));
  }
  return NoteSignature{.name = std::string(name),
                       .key_id = base::load_be<std::uint32_t>(*blob),
                       .signature = Bytes(blob->begin() + kKeyIdBytes, blob->end())};
}

Result<std::vector<NoteSignature>> parse_signatures(std::string_view lines) {
  if (lines.empty() || lines.back() != '\n')
    return malformed("it does not end with a signature and a line feed");
  std::vector<NoteSignature> signatures;
  while (!lines.empty()) {
    if (signatures.size() == kMaxNoteSignatures) {
      return fail(ErrorCode::kLimitExceeded,
                  fmt::format("the signed note has more than {} signatures", kMaxNoteSignatures));
    }
    const std::size_t end = lines.find('\n');
    HF_TRY(NoteSignature signature, parse_signature(lines.substr(0, end)));
    signatures.push_back(std::move(signature));
    lines.remove_prefix(end + 1);
  }
  return signatures;
}

// The one known key of this name and id, or null.
Result<const NoteVerifier*> find_known(std::span<const NoteVerifier> known, const NoteSignature& signature) {
  const NoteVerifier* found = nullptr;
  for (const NoteVerifier& candidate : known) {
    if (candidate.name() != signature.name || candidate.id() != signature.key_id) continue;
    if (found != nullptr && found->key() != candidate.key()) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("two known keys are called {}+{:08x}; keep one",
                                                           candidate.name(), candidate.id()));
    }
    found = &candidate;
  }
  return found;
}

}  // namespace

Result<NoteVerifier> NoteVerifier::create(std::string name, PublicKey key) {
  if (!is_key_name(name)) {
    return fail(ErrorCode::kInvalidArgument,
                "the name of a note's key is text without white space and '+', e.g. log.example.com/audit");
  }
  HF_TRY(const Bytes point, key.to_ed25519());
  const std::uint32_t id = key_id(name, typed_key(point));
  return NoteVerifier(std::move(name), id, std::move(key));
}

Result<NoteVerifier> NoteVerifier::parse(std::string_view vkey) {
  const auto wrong = [](std::string_view why) {
    return fail(
        ErrorCode::kDataCorrupt,
        fmt::format("the verifier key {}; it is written <name>+<8 hexadecimal digits>+<base64>", why));
  };
  const std::size_t first = vkey.find('+');
  const std::size_t second = vkey.find('+', first == std::string_view::npos ? first : first + 1);
  if (vkey.size() > kMaxNoteBytes || second == std::string_view::npos)
    return wrong("does not have three parts");
  const auto typed = base::base64_decode(vkey.substr(second + 1));
  if (!typed || typed->empty()) return wrong("is not base64");
  if (typed->front() != kTypeEd25519) return wrong("is not of type 1, Ed25519");
  auto key = PublicKey::from_ed25519(ByteView(*typed).subspan(1));
  if (!key) return wrong("has not 32 bytes of key");
  HF_TRY(NoteVerifier verifier, create(std::string(vkey.substr(0, first)), *std::move(key)));
  if (verifier.text() != vkey) return wrong("has an id that belongs to another name or key");
  return verifier;
}

std::string NoteVerifier::text() const {
  return fmt::format("{}+{:08x}+{}", name_, id_, base::base64_encode(typed_key(key_.to_ed25519().value())));
}

Result<NoteSigner> NoteSigner::create(std::string name, PrivateKey key) {
  HF_TRY(NoteVerifier verifier, NoteVerifier::create(std::move(name), key.public_key()));
  return NoteSigner(std::move(verifier), std::move(key));
}

Result<std::string> sign_note(std::string_view text, std::span<const NoteSigner> signers) {
  if (text.empty() || text.back() != '\n' || !is_text(text)) {
    return fail(ErrorCode::kInvalidArgument,
                "the text of a note is UTF-8, ends with a line feed and has no other control character");
  }
  if (signers.empty() || signers.size() > kMaxNoteSignatures) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("a note has 1 to {} signers", kMaxNoteSignatures));
  }
  std::string note = fmt::format("{}\n", text);
  for (const NoteSigner& signer : signers) {
    Bytes blob;
    base::append_be(blob, signer.verifier().id());
    base::append(blob, signer.key().sign(base::as_bytes(text)));
    note += fmt::format("{}{} {}\n", kSignaturePrefix, signer.verifier().name(), base::base64_encode(blob));
  }
  if (note.size() > kMaxNoteBytes) return fail(ErrorCode::kInvalidArgument, "the note is too long");
  return note;
}

Result<VerifiedNote> verify_note(std::string_view note, std::span<const NoteVerifier> known) {
  if (note.size() > kMaxNoteBytes) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("a signed note of {} bytes is over the limit of {}", note.size(), kMaxNoteBytes));
  }
  if (!is_text(note)) return malformed("it is not UTF-8, or has a control character");
  const std::size_t blank = note.rfind("\n\n");
  if (blank == std::string_view::npos) return malformed("no empty line stands before its signatures");
  VerifiedNote verified;
  verified.text_ = note.substr(0, blank + 1);
  HF_TRY(auto signatures, parse_signatures(note.substr(blank + 2)));
  for (NoteSignature& signature : signatures) {
    HF_TRY(const NoteVerifier* const verifier, find_known(known, signature));
    if (verifier == nullptr) {
      verified.unverified_.push_back(std::move(signature));
      continue;
    }
    if (!verifier->key().verify(base::as_bytes(verified.text_), signature.signature)) {
      return fail(ErrorCode::kDataCorrupt, fmt::format("the signature of {}+{:08x} on the note is wrong",
                                                       signature.name, signature.key_id));
    }
    const bool repeated = std::any_of(
        verified.signatures_.begin(), verified.signatures_.end(),
        [&](const auto& seen) { return seen.name == signature.name && seen.key_id == signature.key_id; });
    if (!repeated) verified.signatures_.push_back(std::move(signature));
  }
  if (verified.signatures_.empty()) {
    return fail(ErrorCode::kUnauthenticated, "no key that is known here has signed the note");
  }
  return verified;
}

}  // namespace holdfast::crypto
