#include "model_ort/engine_main.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "model/engine_wire.h"
#include "model/sealed_model.h"
#include "model_ort/ort_predictor.h"
#include "worker/child.h"

namespace holdfast::model_ort {

using base::ErrorCode;
using base::fail;
using base::fail_errno;
using base::Result;

namespace {

// The pages of a sealed model: nobody can change them any more.
class Mapping {
 public:
  static Result<Mapping> map(int descriptor) {
    struct stat status{};
    if (::fstat(descriptor, &status) != 0) return fail_errno("cannot read the model", errno);
    if (status.st_size <= 0 || static_cast<std::uint64_t>(status.st_size) > model::SealedModel::kMaxBytes) {
      return fail(ErrorCode::kInvalidArgument, "the model is empty or too large");
    }
    const auto size = static_cast<std::size_t>(status.st_size);
    void* start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (start == MAP_FAILED && errno == ENOMEM) {
      return fail(ErrorCode::kLimitExceeded, "the model is larger than the memory that the engine may take");
    }
    if (start == MAP_FAILED) return fail_errno("cannot read the model", errno);
    return Mapping({static_cast<const std::uint8_t*>(start), size});
  }
  Mapping(Mapping&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  Mapping& operator=(Mapping&&) = delete;
  ~Mapping() {
    if (!bytes_.empty()) ::munmap(const_cast<std::uint8_t*>(bytes_.data()), bytes_.size());
  }
  [[nodiscard]] base::ByteView bytes() const { return bytes_; }

 private:
  explicit Mapping(base::ByteView bytes) : bytes_(bytes) {}
  base::ByteView bytes_;
};

class Service {
 public:
  explicit Service(Runtime& runtime) : runtime_(&runtime) {}

  base::Bytes answer(const worker::Frame& frame) {
    auto request = model::decode_request(frame.bytes);
    if (!request)
      return model::encode_answer(Result<std::vector<model::Tensor>>(fail(std::move(request).error())));
    if (const auto* predict = std::get_if<model::PredictRequest>(&*request)) {
      return bounded(model::encode_answer(run(predict->inputs)));
    }
    return bounded(model::encode_answer(load(frame.descriptor)));
  }

 private:
  Result<model::Signature> load(const base::UniqueFd& descriptor) {
    if (predictor_) return fail(ErrorCode::kInvalidArgument, "a model is loaded already");
    if (!descriptor.valid()) return fail(ErrorCode::kInvalidArgument, "there is no model to load");
    HF_TRY(const Mapping mapping, Mapping::map(descriptor.get()));
    HF_TRY(auto predictor, OrtPredictor::load(*runtime_, mapping.bytes()));
    predictor_.emplace(std::move(predictor));
    return predictor_->signature();
  }

  Result<std::vector<model::Tensor>> run(std::span<const model::Tensor> inputs) {
    if (!predictor_) return fail(ErrorCode::kInvalidArgument, "no model is loaded");
    return predictor_->predict(inputs, worker::kNoDeadline);
  }

  // An answer that the wire does not take becomes an error that it takes.
  static base::Bytes bounded(base::Bytes answer) {
    if (answer.size() <= worker::kMaxFrameBytes) return answer;
    return model::encode_answer(Result<std::vector<model::Tensor>>(
        fail(ErrorCode::kLimitExceeded,
             fmt::format("the outputs take {} bytes, and an answer at most {}: send fewer rows at once",
                         answer.size(), worker::kMaxFrameBytes))));
  }

  Runtime* runtime_;
  std::optional<OrtPredictor> predictor_;
};

Result<> serve(worker::Channel& channel, Runtime& runtime) {
  Service service(runtime);
  while (true) {
    HF_TRY(auto frame, channel.receive(worker::kNoDeadline, worker::Descriptors::kAccept));
    if (!frame) return {};
    HF_CHECK(channel.send(service.answer(*frame), worker::kNoDeadline));
  }
}

Result<> work() {
  HF_TRY(Runtime runtime, Runtime::create());
  HF_TRY(worker::Channel channel, worker::begin_work());
  return serve(channel, runtime);
}

}  // namespace

int run_engine() {
  const auto done = work();
  if (done) return EXIT_SUCCESS;
  std::fputs(fmt::format("holdfast-engine: {}\n", done.error().message).c_str(), stderr);
  return EXIT_FAILURE;
}

}  // namespace holdfast::model_ort
