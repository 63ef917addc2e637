#include "inspect/references.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "formats/anomaly.h"
#include "formats/onnx.h"
#include "formats/tensor_bundle.h"
#include "inspect/json_walk.h"

namespace holdfast::inspect {
namespace {

using formats::Format;
using formats::quote;

// An index of shards is read whole, up to this size.
constexpr std::uint64_t kMaxJsonBytes = 32UL << 20;

constexpr Rule kRules[] = {
    {.id = "weights.escape",
     .severity = Severity::kHigh,
     .title = "Weights outside of the model's folder",
     .explanation = "The index of a model's weights names a file by an absolute path or by \"..\", and the "
                    "loader opens it.",
     .remedy = "Refuse the model. Weights lie beside their index.",
     .practice = "P24",
     .risk = "R02",
     .atlas = "AML.T0011.000"},
    {.id = "weights.link",
     .severity = Severity::kHigh,
     .title = "Weights behind a symbolic link",
     .explanation =
         "The model reads its weights through a link, which leads to whatever lies at its target on "
         "the machine that loads it. It was not followed.",
     .remedy = "Replace the link with the file itself.",
     .practice = "P24",
     .risk = "R02",
     .atlas = ""},
    {.id = "weights.malformed",
     .severity = Severity::kMedium,
     .title = "Index of weights that breaks its format",
     .explanation =
         "It can't be read as what it begins like, so which files a loader would open is not known.",
     .remedy = "Have the model saved again.",
     .practice = "P24",
     .risk = "R14",
     .atlas = ""},
    {.id = "weights.missing",
     .severity = Severity::kMedium,
     .title = "Weights that are not beside their model",
     .explanation =
         "The model names a file that is not in its folder. Whoever can put one there decides what "
         "the model answers.",
     .remedy = "Inspect the model with all of its files, and sign them together.",
     .practice = "P05",
     .risk = "R14",
     .atlas = ""},
    {.id = "weights.too-short",
     .severity = Severity::kHigh,
     .title = "Weights shorter than their model says",
     .explanation =
         "A tensor would lie beyond the end of its file. The file was cut or exchanged, or the model "
         "makes its loader read memory that holds something else.",
     .remedy = "Fetch the model again from its source and compare the digests; refuse it if it stays so.",
     .practice = "P05",
     .risk = "R04",
     .atlas = ""},
};

std::uint64_t sum(std::uint64_t a, std::uint64_t b) { return a > ~b ? ~0ULL : a + b; }

void onnx_references(const std::vector<formats::OnnxTensor>& tensors, References& references) {
  for (const auto& tensor : tensors) {
    if (!tensor.external || !tensor.external->in_use) continue;
    if (!escape_of(tensor.external->location).empty()) continue;  // onnx.external-data-escape says so
    references.add({.location = tensor.external->location,
                    .what = quote(tensor.name),
                    .end = sum(tensor.external->offset.value_or(0), tensor.external->length.value_or(0)),
                    .numbers = true});
  }
}

Gaps in_onnx(const formats::Source& file, References& references) {
  const auto model = formats::read_onnx(file);
  if (!model) return {};  // its inspector has said so
  onnx_references(model->initializers, references);
  onnx_references(model->constants, references);
  return {};
}

// "variables.index" goes with "variables.data-00000-of-00001" (tensorflow/core/util/tensor_bundle/naming.cc).
Gaps in_checkpoint(const formats::Source& file, const std::string& path, References& references,
                   Findings& findings) {
  constexpr std::string_view kSuffix = ".index";
  const auto bundle = formats::read_tensor_bundle(file);
  if (!bundle) {
    findings.add("weights.malformed", path, std::nullopt, bundle.error().message);
    return {bundle.error().message};
  }
  std::string_view name = path;
  name.remove_prefix(name.find_last_of("/!") + 1);
  if (!name.ends_with(kSuffix) || name == kSuffix) return {"its name does not tell which shards go with it"};
  name.remove_suffix(kSuffix.size());
  const auto shard = [&](std::uint64_t number) {
    return fmt::format("{}.data-{:05}-of-{:05}", name, number, bundle->shards);
  };
  for (std::uint64_t i = 0; i < bundle->shards; ++i) {
    references.add({.location = shard(i), .what = "the checkpoint", .end = 0, .numbers = true});
  }
  for (const auto& tensor : bundle->tensors) {
    if (tensor.sliced) continue;
    references.add({.location = shard(tensor.shard),
                    .what = quote(tensor.name),
                    .end = sum(tensor.offset, tensor.size),
                    .numbers = true});
  }
  return {};
}

// {"metadata": {...}, "weight_map": {"layer.weight": "model-00001-of-00002.safetensors", ...}}
class WeightMap final : public JsonVisitor {
 public:
  WeightMap(const std::string& path, References& references, Findings& findings)
      : path_(path), references_(references), findings_(findings) {}

  void text(const JsonPath& path, std::string_view value) override {
    if (path.size() != 2 || path[0].key != "weight_map") return;
    const auto escape = escape_of(value);
    if (escape.empty()) {
      return references_.add({.location = std::string(value), .what = quote(path[1].key)});
    }
    if (!told_.empty() && told_ == value) return;
    told_ = value;
    findings_.add("weights.escape", path_, std::nullopt,
                  fmt::format("{} lies at {}, a path that {}", quote(path[1].key), quote(value), escape));
  }
  void flag(const JsonPath&, bool) override {}
  void object_ends(const JsonPath&) override {}

 private:
  const std::string& path_;
  References& references_;
  Findings& findings_;
  std::string told_;  // the last location that was found
};

Gaps in_json(const formats::Source& file, const std::string& path, References& references,
             Findings& findings) {
  if (file.size() > kMaxJsonBytes) return {};  // its inspector has said so
  const auto bytes = formats::read_exactly(file, 0, static_cast<std::size_t>(file.size()));
  if (!bytes) return {bytes.error().message};
  const std::string_view json = base::as_text(*bytes);
  if (json.find("weight_map") == json.npos && json.find("\\u") == json.npos) return {};
  WeightMap visitor(path, references, findings);
  if (!walk_json(json, visitor)) return {};  // nor does a loader read it
  return {};
}

}  // namespace

std::string_view escape_of(std::string_view location) {
  constexpr std::size_t kMaxPathBytes = 4096;
  if (location.empty()) return "is empty";
  if (location.size() > kMaxPathBytes) return "is longer than a path can be";
  if (location.find('\0') != location.npos) return "holds a NUL";
  if (location.find('\\') != location.npos) return "holds a \"\\\"";
  if (location.front() == '/' || location.find(':') != location.npos) return "is absolute";
  for (std::size_t start = 0; start <= location.size();) {
    const std::size_t end = std::min(location.find('/', start), location.size());
    if (location.substr(start, end - start) == "..") return "leaves the model's folder";
    start = end + 1;
  }
  return {};
}

void References::add(Reference reference) {
  const auto found = by_location_.find(reference.location);
  if (found == by_location_.end()) {
    if (by_location_.size() >= kMaxReferences) {
      whole_ = false;
      return;
    }
    std::string location = reference.location;
    by_location_.emplace(std::move(location), std::move(reference));
    return;
  }
  // What is read as a model by one is not cleared by another that reads numbers.
  const bool numbers = found->second.numbers && reference.numbers;
  if (reference.end > found->second.end) found->second = std::move(reference);
  found->second.numbers = numbers;
}

std::vector<Reference> References::take() {
  std::vector<Reference> all;
  for (auto& [location, reference] : by_location_) all.push_back(std::move(reference));
  by_location_.clear();
  return all;
}

Gaps find_references(Format format, const formats::Source& file, const std::string& path,
                     References& references, Findings& findings) {
  Gaps gaps;
  if (format == Format::kOnnx) gaps = in_onnx(file, references);
  if (format == Format::kCheckpointIndex) gaps = in_checkpoint(file, path, references, findings);
  if (format == Format::kJson) gaps = in_json(file, path, references, findings);
  if (!references.whole()) gaps.push_back(fmt::format("it names more than {} files", kMaxReferences));
  return gaps;
}

std::span<const Rule> reference_rules() { return kRules; }

}  // namespace holdfast::inspect
