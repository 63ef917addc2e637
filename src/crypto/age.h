#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/age_armor.h"
#include "crypto/age_keys.h"
#include "crypto/age_payload.h"
#include "crypto/stream.h"

// Files sealed in the format age v1 (github.com/C2SP/C2SP/blob/main/age.md), front to back in constant
// memory. Sealing proves nothing about who did it: sign apart. Objects are used by one thread at a time;
// readers and writers that they are given must outlive them. Whole files: crypto/age_file.h; random access:
// crypto/age_random.h.

namespace holdfast::crypto {

enum class AgeForm { kBinary, kArmored };

// Seals what is written to it into `out`.
class AgeSealer final : public Writer {
 public:
  // Writes the header. Errors as wrap_file_key (crypto/age_wrap.h), and those of `out`.
  static base::Result<AgeSealer> create(Writer& out, const AgeRecipients& recipients,
                                        AgeForm form = AgeForm::kBinary,
                                        base::RandomSource& random = base::system_random());

  base::Result<> write(base::ByteView plaintext) override;
  // Seals the last chunk. To be called once, last (asserted): without it, what was written opens nowhere.
  base::Result<> finish();

 private:
  AgeSealer(Writer& out, std::unique_ptr<AgeArmorWriter> armor, AeadKey key);
  base::Result<> put(base::ByteView plaintext, AgeChunkPlace place);

  Writer* out_;
  std::unique_ptr<AgeArmorWriter> armor_;  // where `out_` points to, if the form is armored
  AeadKey key_;
  std::uint64_t index_ = 0;
  base::Secret chunk_;  // its first filled_ bytes
  std::size_t filled_ = 0;
  bool finished_ = false;
  base::Bytes sealed_;
};

// Reads the plaintext of a sealed file, binary or armored. Gives bytes of authenticated chunks alone, so that
// all it gave before an error was sealed so, if not all that was sealed: act on it only after read() has told
// the end.
class AgeUnsealer final : public Reader {
 public:
  // Reads the header. Errors as read_age_header, unwrap_file_key, check_age_header, and those of `sealed`.
  static base::Result<AgeUnsealer> open(Reader& sealed, const AgeKeys& keys);
  AgeUnsealer(AgeUnsealer&&) noexcept;
  AgeUnsealer& operator=(AgeUnsealer&&) = delete;
  ~AgeUnsealer() override;

  // kDataCorrupt where the file is changed, truncated or goes on after its end. An error is given again ever
  // after.
  base::Result<std::size_t> read(base::MutableByteView buffer) override;

 private:
  struct Source;
  AgeUnsealer(std::unique_ptr<Source> source, AeadKey key);
  base::Result<> next_chunk();

  std::unique_ptr<Source> source_;
  AeadKey key_;
  std::uint64_t index_ = 0;
  base::Bytes sealed_;
  base::Secret chunk_;
  base::ByteView rest_;  // of chunk_
  bool ended_ = false;
  std::optional<base::Error> failure_;
};

}  // namespace holdfast::crypto
