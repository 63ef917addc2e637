#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/sign.h"
#include "formats/source.h"

// A signed bundle of what changes without the program. A tar archive, so that anybody can look into it: first
// statement.dsse.json, a DSSE envelope over an in-toto statement whose subjects are the files that follow, by
// SHA-256, and whose predicate says what it is, which version, since when and until when.

namespace holdfast::updates {

inline constexpr std::string_view kStatementFile = "statement.dsse.json";
inline constexpr std::string_view kUpdatePredicate = "urn:holdfast:update:v1";
inline constexpr std::size_t kMaxBundleFiles = 1000;
inline constexpr std::size_t kMaxStatementBytes = 1UL << 20;
inline constexpr std::uint64_t kMaxBundleFileBytes = 4UL << 30;

// What a bundle says of itself.
struct Edition {
  std::string kind;          // "rules", "advisories"
  std::int64_t version = 0;  // from 1; a later edition has a higher one
  base::Timestamp issued_at;
  base::Timestamp expires_at;

  friend bool operator==(const Edition&, const Edition&) = default;
};

struct BundleInput {
  std::string name;  // relative, of a-z, A-Z, 0-9, ".", "_", "-" and "/" between
  const formats::Source* content = nullptr;
};

// Writes a bundle, whole or not at all. kInvalidArgument for a name, a version or a time that can't be.
base::Result<> write_bundle(const std::filesystem::path& path, const Edition& edition,
                            std::span<const BundleInput> files, const crypto::PrivateKey& key);

class Bundle {
 public:
  // Reads all of it: kUnauthenticated where none of `trusted` signed it; kDataCorrupt where a file is not
  // what was signed, is missing or is more, and for what is no bundle; kInvalidArgument for one of another
  // kind. `file` outlives the bundle and stays as it is.
  static base::Result<Bundle> open(const formats::Source& file, std::string_view kind,
                                   std::span<const crypto::PublicKey> trusted);

  struct File {
    std::string name;
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
  };
  [[nodiscard]] const Edition& edition() const { return edition_; }
  [[nodiscard]] const base::Digest& signer() const { return signer_; }  // the id of the key
  [[nodiscard]] const std::vector<File>& files() const { return files_; }
  [[nodiscard]] const std::string& statement() const { return statement_; }  // the envelope

  // kLimitExceeded for a file over `max_bytes`.
  [[nodiscard]] base::Result<std::string> read(const File& file, std::size_t max_bytes) const;
  [[nodiscard]] base::Result<formats::RangeSource> source(const File& file) const {
    return formats::RangeSource::create(*whole_, file.offset, file.size);
  }

 private:
  explicit Bundle(const formats::Source& whole) : whole_(&whole) {}
  const formats::Source* whole_;
  Edition edition_;
  base::Digest signer_;
  std::vector<File> files_;
  std::string statement_;
};

// The edition of a statement, once one of `trusted` has signed it.
base::Result<Edition> read_edition(std::string_view envelope, std::span<const crypto::PublicKey> trusted);

// kPermissionDenied where `next` may not take the place of `current`: it is of a lower version, or has
// expired.
base::Result<> check_succession(const Edition& current, const Edition& next, base::Timestamp now);

}  // namespace holdfast::updates
