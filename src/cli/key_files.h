#pragma once

#include <filesystem>
#include <vector>

#include "base/result.h"
#include "crypto/sign.h"
#include "crypto/x509.h"

// Keys and certificates out of PEM files. Errors name the file. A private key is read only from a file that
// its owner alone has access to.

namespace holdfast::cli {

base::Result<crypto::PrivateKey> read_private_key(const std::filesystem::path& path);
base::Result<crypto::PublicKey> read_public_key(const std::filesystem::path& path);
base::Result<std::vector<crypto::Certificate>> read_certificates(const std::filesystem::path& path);

}  // namespace holdfast::cli
