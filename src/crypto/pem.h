#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

// PEM (RFC 7468): DER between BEGIN and END lines. Plain values, no state.

namespace holdfast::crypto {

inline constexpr std::size_t kMaxPemBytes = 1UL << 20;
inline constexpr std::size_t kMaxPemBlocks = 1024;

struct PemBlock {
  std::string label;  // "CERTIFICATE", "PRIVATE KEY", ...
  base::Secret der;   // wiped when it goes, since it may be a private key
};

// Every block, in order; text outside of blocks is skipped (section 5.2), so the result may be empty.
// kUnsupported for an encrypted block, with the command that decrypts it; kInvalidArgument for one that is
// malformed; kLimitExceeded over the bounds above.
base::Result<std::vector<PemBlock>> parse_pem(std::string_view text);

// One block in strict form: 64 columns, a line feed after each line. A Secret, since it may be a private key.
base::Secret write_pem(std::string_view label, base::ByteView der);

}  // namespace holdfast::crypto
