#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "patterns/secrets.h"

// The patterns, as data.

namespace holdfast::patterns {

// How the text around a keyword is read.
enum class Shape : std::uint8_t {
  kPrefix,    // the keyword begins the secret, which goes on in characters of `alphabet`
  kBehind,    // the secret begins behind the keyword, in characters of `alphabet`
  kAssigned,  // the keyword is part of a name, to which a secret in characters of `alphabet` is assigned
  kSas,       // the signature of an Azure shared access URL
  kJwt,       // RFC 7519, compact
  kPem,       // RFC 7468 and its forerunners
  kUrl,       // RFC 3986: user and password before the host
  kPassword,  // the keyword is part of a name, to which any text in quotation marks is assigned
};

enum class Alphabet : std::uint8_t {
  kLetters,
  kBase62,
  kBase32,       // A-Z, 2-7
  kUpperDigits,  // A-Z, 0-9
  kHex,
  kBase64,   // with + / =
  kUrlSafe,  // base 62 with - _
  kDashed,   // base 62 with -
  kWord,     // base 62 with _
  kDotted,   // kUrlSafe with .
  kPath,     // base 62 with /
};

enum class Check : std::uint8_t {
  kNone,
  kCrc32,          // the last 6 characters are the CRC-32 of those before, in base 62: GitHub's and npm's
  kCrc32Confirms,  // the same over the part behind the last "_", where a mismatch says nothing
  kOpenAi,         // "T3BlbkFJ" in the middle
  kSendGrid,       // two parts of 22 and 43 characters
};

struct SecretPattern {
  std::string_view id;
  std::string_view title;
  SecretKind kind;
  std::string_view keyword;  // as it must stand there; of kAssigned, kUrl and kPassword in any case
  Shape shape;
  Alphabet alphabet = Alphabet::kBase62;
  std::size_t min = 0;  // characters behind the keyword
  std::size_t max = 0;
  Check check = Check::kNone;
  std::string_view source;  // who says so
};

// Those in force: the program's own, or what use_secret_patterns (secret_pattern_text.h) put in their place.
std::span<const SecretPattern> secret_patterns();

bool is_in(Alphabet alphabet, char c);

}  // namespace holdfast::patterns
