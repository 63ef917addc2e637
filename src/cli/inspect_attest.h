#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "inspect/report.h"

namespace holdfast::cli {

struct InspectAttestOptions {
  std::filesystem::path out;
  std::filesystem::path key;
  std::filesystem::path certificates;  // empty: signed with the bare key
  std::filesystem::path dismissals;    // those that were set aside; empty: none
  std::vector<std::filesystem::path> paths;
  inspect::Severity fail_on = inspect::Severity::kMedium;
  std::string program_version;
};

// What each file was before it was looked into: given each path as inspection begins with it.
class InspectedFiles {
 public:
  // A file that can't be read is left out: inspection says why, and no statement is about it.
  void look(const std::string& path);
  [[nodiscard]] const std::map<std::string, base::Digest>& digests() const { return digests_; }

 private:
  std::map<std::string, base::Digest> digests_;
};

// Writes a signed verification summary of what inspection found, about every file that it looked into, failed
// or passed. kConflict where a file is another than before: what was looked into is not known then.
base::Result<> attest_inspection(const InspectAttestOptions& options, const inspect::Report& report,
                                 const InspectedFiles& files);

}  // namespace holdfast::cli
