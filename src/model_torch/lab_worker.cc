#include "model_torch/lab_worker.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "formats/source.h"
#include "lab/feed_forward.h"
#include "lab/wire.h"
#include "model_torch/request_data.h"
#include "model_torch/tasks.h"
#include "worker/child.h"

namespace holdfast::model_torch {

using base::Bytes;
using base::ByteView;
using base::ErrorCode;
using base::fail;
using base::Result;
using lab::LabAnswer;
using lab::LabDone;
using lab::LabRequest;
using lab::Task;

namespace {

// A result and the bytes that follow it.
struct Outcome {
  LabDone done;
  Bytes bytes;
};

Result<> send(worker::Channel& channel, const LabAnswer& answer) {
  return channel.send(base::as_bytes(lab::encode(answer)), worker::kNoDeadline);
}

void append_floats(Bytes& to, const std::vector<float>& values) {
  base::append(to,
               ByteView(reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * sizeof(float)));
}

Result<Outcome> run_training(const LabRequest& request, const RequestData& data, const Report& report) {
  std::optional<Adversary> adversary;
  if (request.task == Task::kHarden) adversary = {request.attack, request.adversarial_share};
  HF_TRY(const Trained trained,
         train(data.training(request), data.validation(request), request.training, adversary, report));
  Outcome outcome{.done = {.best_epoch = trained.best_epoch}, .bytes = lab::write_onnx(trained.classifier)};
  outcome.done.bytes = outcome.bytes.size();
  return outcome;
}

Result<Outcome> run_attack(const LabRequest& request, const RequestData& data, const Report& report) {
  HF_TRY(const auto model, lab::read_feed_forward(formats::MemorySource(data.model)));
  const auto rows = data.training(request);
  HF_TRY(const Attacked attacked, attack(model, rows.features, rows.labels, request.attack, report));
  Outcome outcome{.done = {.zero_gradient_share = attacked.zero_gradient_share}, .bytes = {}};
  append_floats(outcome.bytes, attacked.rows);
  for (const auto row : attacked.outcomes) outcome.bytes.push_back(static_cast<std::uint8_t>(row));
  outcome.done.bytes = outcome.bytes.size();
  return outcome;
}

Result<Outcome> run_outputs(const LabRequest& request, const RequestData& data) {
  HF_TRY(const auto model, lab::read_feed_forward(formats::MemorySource(data.model)));
  const auto rows = data.training(request).features;
  if (model.columns != rows.columns) {
    return fail(ErrorCode::kInvalidArgument, "the model takes " + std::to_string(model.columns) +
                                                 " columns, and the rows have " +
                                                 std::to_string(rows.columns));
  }
  HF_TRY(const auto values, outputs(model, rows));
  Outcome outcome;
  append_floats(outcome.bytes, values.values);
  outcome.done.bytes = outcome.bytes.size();
  return outcome;
}

Result<Outcome> run(const worker::Frame& frame, const Report& report) {
  HF_TRY(const LabRequest request, lab::decode_request(frame.bytes));
  if (!frame.descriptor.valid())
    return fail(ErrorCode::kInvalidArgument, "the request came without its data");
  HF_TRY(const RequestData data, read_data(request, frame.descriptor.get()));
  use_threads(request.threads);
  switch (request.task) {
    case Task::kAttack:
      return run_attack(request, data, report);
    case Task::kOutputs:
      return run_outputs(request, data);
    default:
      return run_training(request, data, report);
  }
}

Result<> answer(worker::Channel& channel, const worker::Frame& frame) {
  const auto outcome =
      run(frame, [&](const lab::Progress& progress) { return send(channel, LabAnswer(progress)); });
  if (!outcome) return send(channel, LabAnswer(outcome.error()));
  HF_CHECK(send(channel, LabAnswer(outcome->done)));
  const ByteView bytes(outcome->bytes);
  for (std::size_t first = 0; first < bytes.size(); first += lab::kChunkBytes) {
    const auto chunk = bytes.subspan(first, std::min(lab::kChunkBytes, bytes.size() - first));
    HF_CHECK(channel.send(chunk, worker::kNoDeadline));
  }
  return {};
}

Result<> work() {
  HF_TRY(worker::Channel channel, worker::begin_work());
  while (true) {
    HF_TRY(const auto frame, channel.receive(worker::kNoDeadline, worker::Descriptors::kAccept));
    if (!frame) return {};
    HF_CHECK(answer(channel, *frame));
  }
}

std::size_t thread_count() {
  std::error_code error;
  const auto threads = std::filesystem::directory_iterator("/proc/self/task", error);
  return error ? 1 : static_cast<std::size_t>(std::distance(begin(threads), end(threads)));
}

// A BLAS that starts threads as it is loaded (OpenBLAS with pthreads) keeps a process out of the jail. It is
// told not to by its environment, which it has read by now: so once more from the start.
void load_without_threads(char** argv) {
  constexpr const char* kVariable = "OPENBLAS_NUM_THREADS";
  if (thread_count() == 1 || std::getenv(kVariable) != nullptr) return;
  if (::setenv(kVariable, "1", 1) == 0) ::execv("/proc/self/exe", argv);
}

}  // namespace

int run_lab_worker(char** argv) {
  load_without_threads(argv);
  warm_up();
  const auto worked = work();
  if (worked) return EXIT_SUCCESS;
  std::fputs((worked.error().message + "\n").c_str(), stderr);
  return EXIT_FAILURE;
}

}  // namespace holdfast::model_torch
