#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"

// Argon2id, version 19 (RFC 9106). One call takes tens of milliseconds, the memory of its cost and as many
// threads as it has lanes: the caller bounds how many run at once. Functions are thread-safe.

namespace holdfast::crypto {

// The default is the second recommended option of RFC 9106, section 4. Costs beyond the bounds are refused,
// so that neither a setting nor a hash from outside can exhaust memory or time.
struct Argon2Cost {
  std::uint32_t memory_kib = 64 * 1024;  // 8 a lane to kMaxMemoryKib
  std::uint32_t passes = 3;              // 1 to kMaxPasses
  std::uint32_t lanes = 4;               // 1 to kMaxLanes

  static constexpr std::uint32_t kMaxMemoryKib = 256 * 1024;
  static constexpr std::uint32_t kMaxPasses = 16;
  static constexpr std::uint32_t kMaxLanes = 16;
};

inline constexpr std::size_t kMaxPasswordBytes = 4096;

// What is kept of a password: cost, salt and hash.
class PasswordHash {
 public:
  // With a new salt of 16 bytes, to a hash of 32. kLimitExceeded for a cost or password beyond its bounds,
  // kUnavailable where memory or threads are short.
  static base::Result<PasswordHash> create(const base::Secret& password, base::RandomSource& random,
                                           const Argon2Cost& cost = {});
  // "$argon2id$v=19$m=65536,t=3,p=4$<salt>$<hash>", the form of the PHC (github.com/P-H-C/phc-string-format),
  // with a salt of 8 to 64 bytes and a hash of 16 to 64. kDataCorrupt, kLimitExceeded, kUnsupported for
  // another algorithm.
  static base::Result<PasswordHash> parse(std::string_view text);
  // Matches no password, at the default cost: check a person who does not exist against it, so that the time
  // does not tell that.
  static PasswordHash of_nobody();

  [[nodiscard]] std::string text() const;
  // Errors as create(). The time depends on the cost and the length of the password alone.
  [[nodiscard]] base::Result<bool> matches(const base::Secret& password) const;

 private:
  PasswordHash(const Argon2Cost& cost, base::Bytes salt, base::Bytes hash)
      : cost_(cost), salt_(std::move(salt)), hash_(std::move(hash)) {}
  Argon2Cost cost_;
  base::Bytes salt_;
  base::Bytes hash_;
};

// A key of `size` bytes (16 to 64) from a passphrase. The salt, of 8 to 64 bytes, need not be secret but must
// be kept with the cost. Errors as PasswordHash::create(); kInvalidArgument for other sizes.
base::Result<base::Secret> derive_key(const base::Secret& passphrase, base::ByteView salt, std::size_t size,
                                      const Argon2Cost& cost = {});

}  // namespace holdfast::crypto
