#pragma once

#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/sign.h"

namespace holdfast::cli {

// A service's proof of who it is (RFC 7523, section 3): a JSON Web Token that `key` signs for `issuer` alone,
// good for a minute and for one use. kUnsupported for a key that is neither Ed25519 nor ECDSA on P-256.
base::Result<std::string> make_client_assertion(const crypto::PrivateKey& key, std::string_view service_id,
                                                std::string_view issuer, base::Timestamp now,
                                                base::RandomSource& random);

}  // namespace holdfast::cli
