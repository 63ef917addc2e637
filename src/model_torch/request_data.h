#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "lab/specs.h"
#include "lab/wire.h"

namespace holdfast::model_torch {

// The data beside a request, as lab/wire.h lays it out.
struct RequestData {
  base::Bytes model;
  std::vector<float> rows;
  std::vector<std::int32_t> labels;
  std::vector<float> weights;
  std::vector<float> validation_rows;
  std::vector<std::int32_t> validation_labels;
  std::vector<float> validation_weights;

  // Views of this object's values.
  [[nodiscard]] lab::LabelledRows training(const lab::LabRequest& request) const;
  [[nodiscard]] lab::LabelledRows validation(const lab::LabRequest& request) const;
};

// kInvalidArgument where the file is shorter or longer than the request says, or holds what no request can.
base::Result<RequestData> read_data(const lab::LabRequest& request, int descriptor);

}  // namespace holdfast::model_torch
