#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "supply/component.h"
#include "supply/model_file.h"

// Bills of materials as CycloneDX 1.6 JSON (cyclonedx.org/docs/1.6/json, ECMA-424).

namespace holdfast::supply {

struct BomSubject {
  std::string name;     // what the bill is of
  std::string version;  // may be empty
  std::string type = "application";
};

struct Bom {
  BomSubject subject;
  std::string tool_version;
  base::Timestamp made_at;
  Inventory inventory;
  std::vector<ModelFile> models;
  std::vector<std::string> differences;  // of installed files from their RECORD, a sentence each
};

// Components of one package URL become one; what each needs is told where it is itself in the bill. The
// serial number follows from the content, so that equal bills are equal. Gaps and differences become
// properties of the bill.
std::string to_cyclonedx(const Bom& bom);

inline constexpr std::size_t kMaxBomBytes = 256UL << 20;

// The components with a package URL of any CycloneDX JSON of 1.2 or later; those without one are gaps.
base::Result<Inventory> read_cyclonedx(std::string_view text, std::string_view path);
// By its first bytes alone.
bool looks_like_cyclonedx(std::string_view text);

}  // namespace holdfast::supply
