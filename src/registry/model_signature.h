#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/result.h"
#include "crypto/sign.h"

// The signature of one file as OpenSSF Model Signing writes it (inspect/signing.h does the same for files on
// a disk): `holdfast verify` and model_signing accept it.

namespace holdfast::registry {

// A bundle over one file with this SHA-256, as this version of the model. `key` is ECDSA.
base::Result<std::string> sign_model(const crypto::PrivateKey& key, std::string_view name,
                                     std::int64_t version, const base::Digest& digest);

// That the holder of `key` signed exactly one file, with this SHA-256. kUnauthenticated for another signer,
// kDataCorrupt for anything else.
base::Result<> check_model_signature(std::string_view bundle, const crypto::PublicKey& key,
                                     const base::Digest& digest);

}  // namespace holdfast::registry
