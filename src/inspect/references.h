#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "formats/sniff.h"
#include "formats/source.h"
#include "inspect/finding.h"
#include "inspect/gaps.h"

// Files beside a model that it is loaded with: an ONNX model's external data, the shards of a TensorFlow
// checkpoint, and those of an index of Hugging Face's. A file's inspector sees no other file, so it says
// which ones are meant; who has the folder looks whether they are there (intake/relations.h).

namespace holdfast::inspect {

struct Reference {
  std::string location;   // relative to the folder of the file that names it; below it, without "." and ".."
  std::string what;       // what needs `end`, as a message names it: "\"layer.weight\""
  std::uint64_t end = 0;  // how many bytes the file must have
  bool numbers = false;   // it is read as bare numbers of tensors and as nothing else
};

inline constexpr std::size_t kMaxReferences = 4096;

// Whether a location stays below its folder as every loader reads it. Empty for one that does; otherwise why
// not: "is absolute".
std::string_view escape_of(std::string_view location);

// By location the reference with the largest end. At most kMaxReferences.
class References {
 public:
  void add(Reference reference);
  [[nodiscard]] bool whole() const { return whole_; }
  [[nodiscard]] std::vector<Reference> take();

 private:
  std::map<std::string, Reference, std::less<>> by_location_;
  bool whole_ = true;
};

// Adds what the file needs beside it; `path` tells the name that shards go by. Locations that leave the
// folder are findings where no other inspector of the format says so. Gives what could not be looked at.
Gaps find_references(formats::Format format, const formats::Source& file, const std::string& path,
                     References& references, Findings& findings);

std::span<const Rule> reference_rules();

}  // namespace holdfast::inspect
