#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "audit/checkpoint.h"
#include "base/result.h"
#include "crypto/signed_note.h"
#include "keys/key_store.h"

namespace holdfast::audit {

// What is wrong first: where, and with which record.
struct Fault {
  std::string file;                     // relative to the log's folder
  std::optional<std::uint64_t> record;  // the first one concerned, where it can be told
  std::string message;
};

struct VerifyReport {
  std::optional<Fault> fault;     // none: the log holds
  Checkpoint checkpoint;          // the last signed one that the folder bears out
  std::uint64_t unpublished = 0;  // of its records, those behind the file `checkpoint`
  std::uint64_t opened = 0;       // bodies opened and compared with their commitments
  std::uint64_t destroyed = 0;    // bodies that were destroyed
  std::uint64_t without_key = 0;  // bodies whose key was destroyed, or is not there
  // Bytes at the end that no checkpoint covers: a write cut short, which was never acknowledged, or one that
  // a running server has not finished.
  std::uint64_t unfinished_bytes = 0;
};

struct VerifyOptions {
  keys::KeyStore* keys = nullptr;     // opens bodies; without it they are compared with their digests alone
  std::optional<Checkpoint> against;  // one kept elsewhere: the log must begin with what it says
  std::function<void(std::uint64_t done, std::uint64_t total)> progress = {};  // in records
};

// Reads files alone, all of them, and writes nothing, so it works beside a running server: recomputes every
// hash from the entries up and compares tiles, bodies and signatures. An error only where the folder can't be
// read; what is wrong with the log is the report's fault.
base::Result<VerifyReport> verify_log(const std::filesystem::path& folder,
                                      const crypto::NoteVerifier& verifier,
                                      const VerifyOptions& options = {});

}  // namespace holdfast::audit
