#pragma once

#include "formats/onnx.h"
#include "formats/protobuf.h"

// Parts of read_onnx: what is kept on a budget, and the messages that describe a value.

namespace holdfast::formats {

// kDataCorrupt for another type than a varint.
base::Result<std::int64_t> onnx_integer(const WireField& field);
base::Result<OnnxElement> onnx_element(const WireField& field);

// Bounds the memory of a model's description by OnnxModel::kMaxKeptBytes: kLimitExceeded beyond.
class OnnxBudget {
 public:
  base::Result<> charge(std::size_t size);

  base::Result<> set(std::string& to, const WireReader& reader, const WireField& field,
                     std::size_t max_size = OnnxModel::kMaxNameBytes);

  template <typename T>
  base::Result<> append(std::vector<T>& to, T item) {
    HF_CHECK(charge(sizeof(T)));
    to.push_back(std::move(item));
    return {};
  }

 private:
  std::size_t left_ = OnnxModel::kMaxKeptBytes;
};

// A ValueInfoProto.
base::Result<> read_onnx_value(const WireReader& reader, OnnxBudget& budget, OnnxValue& to);

}  // namespace holdfast::formats
