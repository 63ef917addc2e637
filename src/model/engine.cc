#include "model/engine.h"

#include <fmt/format.h>

#include <system_error>

#include "model/engine_wire.h"

namespace holdfast::model {

using base::ErrorCode;
using base::fail;
using base::Result;

namespace {

constexpr std::string_view kEngineName = "holdfast-engine";

worker::StartOptions start_options(std::filesystem::path executable, const EngineOptions& options) {
  worker::StartOptions start;
  start.executable = std::move(executable);
  start.argv = {std::string(kEngineName)};
  start.jail.limits.memory_bytes = options.memory_bytes;
  start.jail.limits.cpu = options.cpu;
  start.jail.weakest = options.weakest_jail;
  start.start_time = options.load_time;
  return start;
}

// An upper bound of what a request takes beside its data.
std::size_t frame_bytes(std::span<const Tensor> inputs) {
  std::size_t size = 16;
  for (const Tensor& input : inputs) size += input.data.size() + input.name.size() + 8 * kMaxRank + 16;
  return size;
}

}  // namespace

Result<std::filesystem::path> find_engine() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return base::fail_errno("cannot tell where this program lies", error.value());
  auto engine = self.parent_path() / kEngineName;
  if (!std::filesystem::exists(engine, error)) {
    return fail(
        ErrorCode::kNotFound,
        fmt::format("there is no {} beside this program, so that no model can be run; ./dev build makes it "
                    "where ONNX Runtime is installed",
                    kEngineName));
  }
  return engine;
}

Result<Engine> Engine::start(const SealedModel& model, const EngineOptions& options) {
  const auto deadline = worker::deadline_in(options.load_time);
  auto executable = options.executable;
  if (!executable) {
    HF_TRY(executable, find_engine());
  }
  HF_TRY(auto process, worker::Process::start(start_options(std::move(*executable), options)));
  Engine engine(std::move(process), options.max_batch);
  HF_CHECK(engine.load(model, deadline));
  return engine;
}

Result<> Engine::load(const SealedModel& model, Deadline deadline) {
  auto answer = process_.exchange(encode_load_request(), deadline, model.descriptor());
  if (!answer) return fail(std::move(answer).error().within("the model can't be loaded"));
  HF_TRY(auto signature, decode_signature_answer(*answer));
  if (!signature) return fail(std::move(signature).error().within("the model can't be loaded"));
  signature_ = *std::move(signature);
  return {};
}

Result<> Engine::check_batch(std::span<const Tensor> inputs) const {
  for (const Tensor& input : inputs) {
    if (!input.shape.empty() && input.shape.front() > max_batch_) {
      return fail(ErrorCode::kLimitExceeded,
                  fmt::format("input \"{}\" has {} rows; at most {} are taken at once: send several requests",
                              input.name, input.shape.front(), max_batch_));
    }
  }
  if (frame_bytes(inputs) > worker::kMaxFrameBytes) {
    return fail(
        ErrorCode::kLimitExceeded,
        fmt::format("the inputs take more than the {} bytes that an engine takes at once: send several "
                    "requests",
                    worker::kMaxFrameBytes));
  }
  return {};
}

Result<std::vector<Tensor>> Engine::predict(std::span<const Tensor> inputs, Deadline deadline) {
  if (!alive_) return fail(ErrorCode::kUnavailable, "the engine has ended");
  HF_CHECK(check_inputs(signature_, inputs));
  HF_CHECK(check_batch(inputs));
  HF_CHECK(worker::check_deadline(deadline));
  auto frame = process_.exchange(encode_predict_request(inputs), deadline);
  if (!frame) {
    alive_ = false;
    return fail(std::move(frame).error().within("the model did not answer"));
  }
  auto answer = decode_predict_answer(*frame, signature_.outputs);
  if (!answer) {
    // It does not keep to the wire: nothing that it says is worth reading any more.
    alive_ = false;
    process_.stop();
    return fail(std::move(answer).error());
  }
  return std::move(*answer);
}

}  // namespace holdfast::model
