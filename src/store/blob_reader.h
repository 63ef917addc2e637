#pragma once

#include <memory>
#include <string>

#include "base/digest.h"
#include "base/file.h"
#include "crypto/age_keys.h"
#include "crypto/stream.h"

// For store/ alone: the content of a sealed file. `name` stands before the message of each error.

namespace holdfast::store {

// From front to back; kDataCorrupt at the end where the content's digest is another.
base::Result<std::unique_ptr<crypto::Reader>> open_blob_stream(base::UniqueFd fd, const crypto::AgeKeys& keys,
                                                               std::string name, const base::Digest& digest);

base::Result<std::unique_ptr<crypto::RandomReader>> open_blob_at_random(base::UniqueFd fd,
                                                                        const crypto::AgeKeys& keys,
                                                                        std::string name);

}  // namespace holdfast::store
