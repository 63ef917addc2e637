#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/digest.h"
#include "formats/source.h"
#include "supply/model_card.h"

namespace holdfast::supply {

// What a model file says of itself, for its entry in a bill of materials. Plain values.
struct ModelDescription {
  static constexpr std::size_t kMaxValues = 2000;  // of each list below; the rest are left out
  static constexpr std::size_t kMaxTextBytes = 1024;

  struct Value {
    std::string name;
    std::string type;  // "tensor(float) [batch, 20]"
    friend bool operator==(const Value&, const Value&) = default;
  };

  std::string format;
  std::string producer;  // "pytorch 2.1"; empty where nothing is said
  std::vector<Value> inputs;
  std::vector<Value> outputs;
  std::vector<Value> tensors;  // parameters, in the file's order
  std::uint64_t tensors_in_all = 0;
  std::uint64_t parameters = 0;  // elements of all tensors

  friend bool operator==(const ModelDescription&, const ModelDescription&) = default;
};

// Reads no weight. Parses untrusted bytes: call it within a jail (intake/model_describer.h). kUnsupported
// where the content is no model format that this program describes.
base::Result<ModelDescription> describe_model(const formats::Source& file, const std::string& name);

// describe_model() of an open file, wherever it runs.
using ModelReader =
    std::function<base::Result<ModelDescription>(const formats::FileSource& file, const std::string& name)>;

// A model among the components of a bill.
struct ModelFile {
  std::string name;     // of the file, or of the model that it is a version of
  std::string version;  // may be empty
  base::Digest digest;
  std::uint64_t size_bytes = 0;
  ModelDescription says;
  ModelCard card;  // what is known of it from elsewhere
};

}  // namespace holdfast::supply
