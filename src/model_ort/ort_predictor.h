#pragma once

#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "model/predictor.h"

namespace holdfast::model_ort {

// ONNX Runtime itself, to be made once, before the jail: it reads what processor it runs on.
class Runtime {
 public:
  static base::Result<Runtime> create();
  Runtime(Runtime&&) noexcept;
  Runtime& operator=(Runtime&&) = delete;
  ~Runtime();

 private:
  friend class OrtPredictor;
  struct Impl;
  explicit Runtime(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// A model in this process, run by ONNX Runtime with one thread. Only ever inside the jail: ONNX Runtime was
// not made for hostile models. Not thread-safe; the runtime outlives it.
class OrtPredictor final : public model::Predictor {
 public:
  // `model` is ONNX (not ORT's own format), and may be given up afterwards. kDataCorrupt where it is no sound
  // model; kUnsupported, naming it, for data in other files, operators from libraries, and inputs or outputs
  // of types that model::Datatype has not. An output that is a list of maps from label to number (ZipMap, as
  // sklearn's exporter writes it) is given as one FP32 row a map, in the order of the labels.
  static base::Result<OrtPredictor> load(Runtime& runtime, base::ByteView model);

  OrtPredictor(OrtPredictor&&) noexcept;
  OrtPredictor& operator=(OrtPredictor&&) = delete;
  ~OrtPredictor() override;

  [[nodiscard]] const model::Signature& signature() const override;
  // A call is not interrupted by the deadline: who started the process ends it.
  base::Result<std::vector<model::Tensor>> predict(std::span<const model::Tensor> inputs,
                                                   model::Deadline deadline) override;

 private:
  struct Session;
  explicit OrtPredictor(std::unique_ptr<Session> session);
  std::unique_ptr<Session> session_;
};

}  // namespace holdfast::model_ort
