#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

// Bech32 (BIP 173) without its limit of 90 characters, as age writes keys: <prefix>1<data and checksum>.

namespace holdfast::crypto {

inline constexpr std::size_t kMaxBech32Chars = 4096;

struct Bech32 {
  std::string prefix;  // as written, in lower or upper case
  base::Secret data;   // a private key, perhaps
};

// In lower case. `prefix` is of lower-case letters, digits and hyphens, at least one.
std::string bech32_encode(std::string_view prefix, base::ByteView data);

// kInvalidArgument for what is not Bech32, all of one case and whole bytes; kLimitExceeded past
// kMaxBech32Chars. Messages never repeat the text.
base::Result<Bech32> bech32_decode(std::string_view text);

}  // namespace holdfast::crypto
