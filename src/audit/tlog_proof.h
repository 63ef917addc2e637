#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/record.h"
#include "base/digest.h"
#include "base/result.h"
#include "crypto/signed_note.h"

// A record with the proof that it is in a log, in one text that is verified without the log (C2SP
// tlog-proof.md). Plain values.

namespace holdfast::audit {

inline constexpr std::size_t kMaxProofBytes = 256UL << 10;
inline constexpr std::size_t kMaxProofHashes = 63;

struct TlogProof {
  // What the entry is made from, and nothing of it is authenticated but by the entry's hash: here the digest
  // of the sealed body (32 bytes), then the plain body, salt included (record.h).
  base::Bytes extra;
  std::uint64_t index = 0;
  std::vector<base::Digest> path;  // from the leaf's sibling up
  std::string checkpoint;          // a signed note, with whatever cosignatures it has
};

std::string write_tlog_proof(const TlogProof& proof);

// kDataCorrupt for another form, kLimitExceeded over the bounds.
base::Result<TlogProof> parse_tlog_proof(std::string_view text);

// A record that was proved to be in a log.
struct ProvedRecord {
  Checkpoint checkpoint;
  std::uint64_t index = 0;
  base::Timestamp time;
  Record record;
};

// That the record which the proof tells is in the log whose key this is, under a checkpoint that the key
// signed. kUnauthenticated for a checkpoint by another key, kDataCorrupt for anything else that does not
// hold.
base::Result<ProvedRecord> verify_record_proof(const TlogProof& proof, const crypto::NoteVerifier& verifier);

}  // namespace holdfast::audit
