#pragma once

#include <filesystem>

#include "base/random.h"
#include "base/result.h"
#include "crypto/age.h"
#include "crypto/age_keys.h"
#include "crypto/stream.h"

// Sealing and unsealing of whole files. The output appears only when it is complete and durable: what was at
// its path stays on any failure. It must not be the input under whatever name (kInvalidArgument). Errors name
// the file.

namespace holdfast::crypto {

struct SealFileOptions {
  AgeForm form = AgeForm::kBinary;
  Progress progress;  // of the bytes of plaintext
};

// Errors as AgeSealer::create, and those of the files. The output gets mode 0644 within the umask.
base::Result<> seal_file(const std::filesystem::path& in, const std::filesystem::path& out,
                         const AgeRecipients& recipients, const SealFileOptions& options = {},
                         base::RandomSource& random = base::system_random());

// Errors as AgeUnsealer::open and read, and those of the files. The output gets mode 0600.
base::Result<> unseal_file(const std::filesystem::path& in, const std::filesystem::path& out,
                           const AgeKeys& keys, const Progress& progress = {});

}  // namespace holdfast::crypto
