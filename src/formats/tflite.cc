#include "formats/tflite.h"

#include <fmt/format.h>

#include <algorithm>

#include "formats/flatbuffer.h"

// Field numbers are the places of the fields in schema.fbs; the table is named where they stand.

namespace holdfast::formats {

using base::ErrorCode;
using base::fail;
using base::Result;

namespace {

tl::unexpected<base::Error> corrupt(std::string why) {
  return fail(ErrorCode::kDataCorrupt, "the TensorFlow Lite model is wrong: " + std::move(why));
}

class Reader {
 public:
  explicit Reader(const Source& source) : size_(source.size()), flat_(source) {}
  Result<TfliteModel> read();

 private:
  Result<> operator_codes(const FlatTable& model);
  Result<> buffers(const FlatTable& model);
  Result<> subgraph(const FlatTable& subgraph);
  Result<> operators(const FlatTable& subgraph);
  // Bytes outside of the FlatBuffer itself, as large models have them.
  Result<> check_range(std::uint64_t offset, std::uint64_t size, std::string_view what) const;
  Result<> count(std::uint64_t parts);

  std::uint64_t size_;
  FlatReader flat_;
  TfliteModel model_;
  std::uint64_t parts_ = 0;
};

Result<> Reader::count(std::uint64_t parts) {
  parts_ += parts;
  if (parts_ <= TfliteModel::kMaxParts) return {};
  return fail(ErrorCode::kLimitExceeded,
              fmt::format("the TensorFlow Lite model has more than {} parts", TfliteModel::kMaxParts));
}

Result<> Reader::check_range(std::uint64_t offset, std::uint64_t size, std::string_view what) const {
  // An offset of 0 or 1 says that there is none (schema.fbs, Buffer.offset).
  if (offset <= 1) return {};
  if (offset > size_ || size > size_ - offset) return corrupt(fmt::format("{} leaves the file", what));
  return {};
}

// OperatorCode
Result<> Reader::operator_codes(const FlatTable& model) {
  HF_TRY(const FlatVector codes, flat_.vector(model, 1, 4));
  HF_CHECK(count(codes.count));
  for (std::uint32_t i = 0; i < codes.count; ++i) {
    HF_TRY(const FlatTable code, flat_.element(codes, i));
    HF_TRY(const std::uint64_t old, flat_.scalar(code, 0, 1));
    HF_TRY(const std::uint64_t builtin, flat_.scalar(code, 3, 4));
    TfliteOperator made{.builtin = static_cast<std::uint32_t>(std::max(old, builtin)), .custom = {}};
    HF_TRY(made.custom, flat_.text(code, 1, TfliteModel::kMaxNameBytes));
    model_.operators.push_back(std::move(made));
  }
  return {};
}

// Buffer
Result<> Reader::buffers(const FlatTable& model) {
  HF_TRY(const FlatVector all, flat_.vector(model, 4, 4));
  HF_CHECK(count(all.count));
  model_.buffers = all.count;
  for (std::uint32_t i = 0; i < all.count; ++i) {
    HF_TRY(const FlatTable buffer, flat_.element(all, i));
    HF_CHECK(flat_.vector(buffer, 0, 1));
    HF_TRY(const std::uint64_t offset, flat_.scalar(buffer, 1, 8));
    HF_TRY(const std::uint64_t size, flat_.scalar(buffer, 2, 8));
    HF_CHECK(check_range(offset, size, fmt::format("buffer {}", i)));
  }
  return {};
}

// Operator
Result<> Reader::operators(const FlatTable& subgraph) {
  HF_TRY(const FlatVector all, flat_.vector(subgraph, 3, 4));
  HF_CHECK(count(all.count));
  for (std::uint32_t i = 0; i < all.count; ++i) {
    HF_TRY(const FlatTable one, flat_.element(all, i));
    HF_TRY(const std::uint64_t code, flat_.scalar(one, 0, 4));
    if (code >= model_.operators.size()) return corrupt(fmt::format("operator {} has no code", i));
    ++model_.operators[static_cast<std::size_t>(code)].uses;
    HF_TRY(const std::uint64_t offset, flat_.scalar(one, 9, 8));
    HF_TRY(const std::uint64_t size, flat_.scalar(one, 10, 8));
    HF_CHECK(check_range(offset, size, fmt::format("the options of operator {}", i)));
  }
  return {};
}

// SubGraph and Tensor
Result<> Reader::subgraph(const FlatTable& subgraph) {
  HF_TRY(const FlatVector tensors, flat_.vector(subgraph, 0, 4));
  HF_CHECK(count(tensors.count));
  model_.tensors += tensors.count;
  for (std::uint32_t i = 0; i < tensors.count; ++i) {
    HF_TRY(const FlatTable tensor, flat_.element(tensors, i));
    HF_TRY(const std::uint64_t buffer, flat_.scalar(tensor, 2, 4));
    if (buffer > 0 && buffer >= model_.buffers) return corrupt(fmt::format("tensor {} has no buffer", i));
  }
  return operators(subgraph);
}

Result<TfliteModel> Reader::read() {
  HF_TRY(const FlatTable model, flat_.root());
  HF_TRY(const std::uint64_t version, flat_.scalar(model, 0, 4));
  model_.version = static_cast<std::uint32_t>(version);
  HF_TRY(model_.description, flat_.text(model, 3, TfliteModel::kMaxNameBytes));
  HF_CHECK(operator_codes(model));
  HF_CHECK(buffers(model));
  HF_TRY(const FlatVector subgraphs, flat_.vector(model, 2, 4));
  HF_CHECK(count(subgraphs.count));
  model_.subgraphs = subgraphs.count;
  for (std::uint32_t i = 0; i < subgraphs.count; ++i) {
    HF_TRY(const FlatTable one, flat_.element(subgraphs, i));
    HF_CHECK(subgraph(one));
  }
  return std::move(model_);
}

}  // namespace

Result<TfliteModel> read_tflite(const Source& source) { return Reader(source).read(); }

}  // namespace holdfast::formats
