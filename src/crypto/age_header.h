#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/stream.h"

// The header of an age v1 file (age.md, "Header"): who may unwrap the file key, in text, and a MAC of it all.

namespace holdfast::crypto {

inline constexpr std::size_t kAgeFileKeyBytes = 16;
inline constexpr std::size_t kMaxAgeStanzas = 1024;
inline constexpr std::size_t kMaxAgeHeaderBytes = 2UL << 20;

// The file key, wrapped in one way.
struct AgeStanza {
  std::vector<std::string> arguments;  // at least one, of visible ASCII; the first is the type
  base::Bytes body;
};

struct AgeHeader {
  std::vector<AgeStanza> stanzas;  // at least one
  std::string authenticated;       // what the MAC is of: the text from its start through "---"
  base::Digest mac;
  std::size_t size = 0;  // in bytes, with the line of the MAC
};

// Consumes the header, and nothing after it. kDataCorrupt where it is not written exactly as age.md says;
// kUnsupported for another version of age; kLimitExceeded past the bounds above.
base::Result<AgeHeader> read_age_header(LineReader& reader);

std::string write_age_header(const std::vector<AgeStanza>& stanzas, const base::Secret& file_key);

// kDataCorrupt unless the header was written by somebody who had this file key.
base::Result<> check_age_header(const AgeHeader& header, const base::Secret& file_key);

}  // namespace holdfast::crypto
