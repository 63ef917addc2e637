#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

// Hexadecimal and base64 (RFC 4648). Decoders are strict: one text for each value, nothing skipped.

namespace holdfast::base {

std::string hex_encode(ByteView bytes);           // lower case
Result<Bytes> hex_decode(std::string_view text);  // either case, even length

enum class Base64 {
  kStandard,  // section 4, padded
  kRaw,       // section 4's alphabet, no padding (age)
  kUrl,       // section 5's alphabet, no padding (JOSE)
};

std::string base64_encode(ByteView bytes, Base64 variant = Base64::kStandard);

// Refuses white space, missing or superfluous padding, and bits set beyond the last byte.
Result<Bytes> base64_decode(std::string_view text, Base64 variant = Base64::kStandard);

}  // namespace holdfast::base
