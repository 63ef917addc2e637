#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/digest.h"
#include "formats/source.h"

namespace holdfast::supply {

// What a model file says of itself, for its entry in a bill of materials. No weight is read but for the
// digest.
struct ModelFile {
  static constexpr std::size_t kMaxTensors = 2000;  // listed; the rest are counted

  struct Value {
    std::string name;
    std::string type;  // "tensor(float) [batch, 20]"
  };

  std::string name;  // of the file
  std::string format;
  base::Digest digest;
  std::uint64_t size_bytes = 0;
  std::string producer;  // "pytorch 2.1"; empty where nothing is said
  std::vector<Value> inputs;
  std::vector<Value> outputs;
  std::vector<Value> tensors;  // parameters, in the file's order
  std::uint64_t tensors_in_all = 0;
  std::uint64_t parameters = 0;  // elements of all tensors
  // Given by the person who asks, since no file can be believed on it.
  std::string task;
  std::vector<std::string> datasets;
};

// kUnsupported where the content is no model format that this program describes.
base::Result<ModelFile> describe_model(const formats::Source& file, std::string name);

}  // namespace holdfast::supply
