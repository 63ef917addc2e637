#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "formats/source.h"

// Advisories of OSV (ossf.github.io/osv-schema), imported once into one read-only file in which a package is
// found by binary search. The file: a header, the table of packages sorted by ecosystem and name, the table
// of advisories, their bytes, and the SHA-256 of all before.

namespace holdfast::supply {

// One version event of a range, in the order of the advisory.
struct RangeEvent {
  enum class Kind : std::uint8_t { kIntroduced, kFixed, kLastAffected, kLimit };
  Kind kind = Kind::kIntroduced;
  std::string_view version;
};

struct Advisory {
  std::string_view id;
  std::vector<std::string_view> aliases;
  std::string_view summary;
  std::vector<std::string_view> vectors;  // CVSS
  std::string_view severity_word;         // what its database calls it; may be empty
  base::Timestamp published;              // zero where nothing is said
};

// What one advisory says of one package. Views into the index, which outlives it.
struct Affected {
  Advisory advisory;
  std::vector<std::vector<RangeEvent>> ranges;  // SEMVER and ECOSYSTEM
  std::vector<std::string_view> versions;
};

struct IndexStatus {
  base::Timestamp imported_at;
  base::Timestamp newest;  // the latest change of any advisory
  std::uint64_t advisories = 0;
  std::uint64_t packages = 0;
  std::uint64_t withdrawn = 0;  // left out
};

class AdvisoryIndex {
 public:
  static constexpr std::size_t kMaxBytes = 2UL << 30;

  // kDataCorrupt where the bytes are no index of this version or their checksum is wrong.
  static base::Result<AdvisoryIndex> open(base::Bytes bytes);

  // By the names of OSV, the package's normalised. kDataCorrupt where an entry leaves the file.
  [[nodiscard]] base::Result<std::vector<Affected>> find(std::string_view ecosystem,
                                                         std::string_view name) const;
  [[nodiscard]] const IndexStatus& status() const { return status_; }

 private:
  explicit AdvisoryIndex(base::Bytes bytes) : bytes_(std::move(bytes)) {}
  [[nodiscard]] base::Result<std::string_view> range(std::size_t table_at) const;
  base::Bytes bytes_;
  IndexStatus status_;
};

// Takes advisories in and gives the bytes of an index.
class AdvisoryImport {
 public:
  static constexpr std::size_t kMaxAdvisoryBytes = 32UL << 20;
  static constexpr std::size_t kMaxAdvisories = 1UL << 20;  // of one archive: npm has more than 200,000

  AdvisoryImport();
  AdvisoryImport(AdvisoryImport&&) noexcept;
  AdvisoryImport& operator=(AdvisoryImport&&) noexcept;
  ~AdvisoryImport();

  // One advisory. A withdrawn one is counted and left out; an id that was added before is passed
  // over. kDataCorrupt where it is
  // no OSV of schema version 1.
  base::Result<> add(std::string_view json);
  // Every *.json of an archive as OSV publishes them (all.zip). The error names the entry.
  base::Result<> add_zip(const formats::Source& archive);
  // kLimitExceeded over AdvisoryIndex::kMaxBytes; kInvalidArgument where nothing was added.
  base::Result<base::Bytes> finish(base::Timestamp now);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace holdfast::supply
