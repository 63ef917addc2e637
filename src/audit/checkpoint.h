#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/result.h"
#include "crypto/signed_note.h"

namespace holdfast::audit {

// What a log says of itself at one moment (C2SP tlog-checkpoint.md): as a signed note, its name, size and
// root.
struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  base::Digest root;

  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

// The log's name is the signer's, as the specification recommends.
base::Result<std::string> sign_checkpoint(std::uint64_t size, const base::Digest& root,
                                          const crypto::NoteSigner& signer);

// Errors as verify_note; kDataCorrupt also for a text that is no checkpoint, or of another log than the key's
// name. Extension lines are allowed and overlooked.
base::Result<Checkpoint> open_checkpoint(std::string_view note, const crypto::NoteVerifier& verifier);

}  // namespace holdfast::audit
