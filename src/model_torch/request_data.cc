#include "model_torch/request_data.h"

#include "base/file.h"

namespace holdfast::model_torch {

using base::ErrorCode;
using base::fail;
using base::Result;
using lab::LabRequest;
using lab::Task;

namespace {

// Reads one part of a file after the other.
class Parts {
 public:
  explicit Parts(int descriptor) : descriptor_(descriptor) {}

  template <typename T>
  Result<std::vector<T>> next(std::size_t count) {
    std::vector<T> values(count);
    const base::MutableByteView bytes(reinterpret_cast<std::uint8_t*>(values.data()), count * sizeof(T));
    HF_TRY(const std::size_t read, base::read_full_at(descriptor_, offset_, bytes));
    if (read < bytes.size()) return fail(ErrorCode::kInvalidArgument, "the data of the request is truncated");
    offset_ += read;
    return values;
  }

  Result<> end() const {
    std::uint8_t more = 0;
    HF_TRY(const std::size_t read, base::read_full_at(descriptor_, offset_, {&more, 1}));
    if (read == 0) return {};
    return fail(ErrorCode::kInvalidArgument, "the data of the request is longer than it says");
  }

 private:
  int descriptor_;
  std::uint64_t offset_ = 0;
};

Result<> check_data(const LabRequest& request, const RequestData& data) {
  switch (request.task) {
    case Task::kOutputs:
      return lab::check(data.training(request).features, "given");
    case Task::kAttack:
      return lab::check(data.training(request), lab::kMaxClasses, "attacked");
    default:
      if (request.rows == 0) return fail(ErrorCode::kInvalidArgument, "there are no training rows");
      HF_CHECK(lab::check(data.training(request), request.training.classes, "training"));
      return lab::check(data.validation(request), request.training.classes, "validation");
  }
}

}  // namespace

lab::LabelledRows RequestData::training(const LabRequest& request) const {
  return {{request.rows, request.columns, rows}, labels, weights};
}

lab::LabelledRows RequestData::validation(const LabRequest& request) const {
  return {{request.validation_rows, request.columns, validation_rows}, validation_labels, validation_weights};
}

Result<RequestData> read_data(const LabRequest& request, int descriptor) {
  Parts parts(descriptor);
  RequestData data;
  HF_TRY(data.model, parts.next<std::uint8_t>(request.model_bytes));
  HF_TRY(data.rows, parts.next<float>(request.rows * request.columns));
  HF_TRY(data.labels, parts.next<std::int32_t>(request.task == Task::kOutputs ? 0 : request.rows));
  HF_TRY(data.weights, parts.next<float>(request.weighted ? request.rows : 0));
  HF_TRY(data.validation_rows, parts.next<float>(request.validation_rows * request.columns));
  HF_TRY(data.validation_labels, parts.next<std::int32_t>(request.validation_rows));
  HF_TRY(data.validation_weights,
         parts.next<float>(request.validation_weighted ? request.validation_rows : 0));
  HF_CHECK(parts.end());
  HF_CHECK(check_data(request, data));
  return data;
}

}  // namespace holdfast::model_torch
