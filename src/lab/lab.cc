#include "lab/lab.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "formats/source.h"
#include "lab/feasible.h"
#include "lab/feed_forward.h"
#include "lab/memory_file.h"
#include "lab/wire.h"

namespace holdfast::lab {

namespace fs = std::filesystem;
using base::Bytes;
using base::ByteView;
using base::ErrorCode;
using base::fail;
using base::Result;

// Our numbers go over the wire as they lie in memory.
static_assert(std::endian::native == std::endian::little && sizeof(float) == 4);

namespace {

// LibTorch and the OpenMP of its libraries keep some threads of their own beside those that compute.
constexpr std::uint32_t kOwnThreads = 8;
constexpr std::uint32_t kDescriptors = 64;
constexpr std::chrono::milliseconds kTimeToEnd{500};
constexpr double kWorthAWarning = 0.01;  // share of rows without a gradient

template <typename T>
ByteView bytes_of(std::span<const T> values) {
  return {reinterpret_cast<const std::uint8_t*>(values.data()), values.size_bytes()};
}

Result<fs::path> find_program(const fs::path& given) {
  std::error_code error;
  const fs::path path =
      given.empty() ? fs::read_symlink("/proc/self/exe", error).parent_path() / "holdfast-lab" : given;
  if (!error && fs::exists(path, error)) return path;
  return fail(ErrorCode::kUnsupported,
              fmt::format("training, attacks and hardening need {}, which is not there; install libtorch-dev "
                          "and libopenblas0-serial, and build again",
                          path.string()));
}

Result<> check_model(ByteView onnx, std::size_t columns, std::size_t classes) {
  HF_TRY(const FeedForward graph, read_feed_forward(formats::MemorySource(onnx)));
  if (graph.columns == columns && graph.width() == classes) return {};
  return fail(ErrorCode::kDataCorrupt, fmt::format("it takes {} columns and gives {}, not {} and {}",
                                                   graph.columns, graph.width(), columns, classes));
}

std::vector<float> floats_of(ByteView bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

Result<> check_rows(const AttackResult& result, const MatrixView& rows, const AttackSpec& spec) {
  const FeasibleBox box = feasible_box(rows, spec);
  for (std::size_t i = 0; i < rows.rows; ++i) {
    const std::size_t first = i * rows.columns;
    const auto row = [&](std::span<const float> values) { return values.subspan(first, rows.columns); };
    const auto changed = row(result.rows);
    if (result.outcomes[i] != RowOutcome::kFooled) {
      if (std::ranges::equal(changed, row(rows.values))) continue;
      return fail(ErrorCode::kDataCorrupt, fmt::format("row {} was changed, and did not fool the model", i));
    }
    if (const auto wrong = violation(changed, {row(rows.values), row(box.lower), row(box.upper)}, spec)) {
      return fail(ErrorCode::kDataCorrupt, fmt::format("row {} breaks its constraints: {}", i, *wrong));
    }
  }
  return {};
}

// One request and its answers, over a process that it ends when they are not what they must be.
class Call {
 public:
  Call(worker::Process& process, worker::Deadline deadline, const OnProgress& on_progress, bool& usable)
      : process_(process), deadline_(deadline), on_progress_(on_progress), usable_(usable) {}

  // `most`: of progress frames.
  Result<LabDone> run(const LabRequest& request, std::span<const ByteView> parts, std::size_t most) {
    if (!usable_) return fail(ErrorCode::kUnavailable, "the lab has ended; start another");
    HF_TRY(const base::UniqueFd file, sealed_file(parts));
    const std::string text = encode(request);
    auto done = exchange(text, file.get(), most);
    if (!done) return fail(ended(std::move(done).error()));
    if (failure_) return fail(*std::move(failure_));
    return *std::move(done);
  }

  // The result after LabDone, in one piece.
  Result<Bytes> result(std::size_t size) {
    auto bytes = receive(size);
    if (!bytes) return fail(ended(std::move(bytes).error()));
    return bytes;
  }

  // Ends a lab whose answer is false.
  base::Error refuse(const base::Error& why) {
    return ended({ErrorCode::kDataCorrupt, "its answer is false: " + why.message});
  }

  [[nodiscard]] std::vector<EpochMetrics> take_epochs() { return std::move(epochs_); }

 private:
  Result<LabDone> exchange(const std::string& text, int file, std::size_t most) {
    auto& channel = process_.channel();
    HF_CHECK(channel.send(base::as_bytes(text), deadline_, file));
    for (std::size_t i = 0; i <= most; ++i) {
      HF_TRY(const auto frame, channel.receive(deadline_));
      if (!frame) return fail(ErrorCode::kUnavailable, "it closed its connection");
      HF_TRY(auto answer, decode_answer(frame->bytes));
      if (auto* error = std::get_if<base::Error>(&answer)) {
        failure_ = std::move(*error);
        return LabDone{};
      }
      if (const auto* done = std::get_if<LabDone>(&answer)) return *done;
      const auto& progress = std::get<Progress>(answer);
      if (progress.epoch) epochs_.push_back(*progress.epoch);
      if (on_progress_) on_progress_(progress);
    }
    return fail(ErrorCode::kDataCorrupt, "it tells of progress without end");
  }

  Result<Bytes> receive(std::size_t size) {
    Bytes whole;
    while (whole.size() < size) {
      HF_TRY(const auto frame, process_.channel().receive(deadline_));
      if (!frame) return fail(ErrorCode::kUnavailable, "it closed its connection");
      if (frame->bytes.size() != std::min(kChunkBytes, size - whole.size())) {
        return fail(ErrorCode::kDataCorrupt, "a part of its result has the wrong size");
      }
      base::append(whole, frame->bytes);
    }
    return whole;
  }

  // Ends the lab, and tells `why` or, where it ended by itself, how.
  base::Error ended(base::Error why) {
    usable_ = false;
    const bool late = why.code == ErrorCode::kDeadline;
    const auto waited =
        late ? Result<worker::Exit>(process_.stop()) : process_.wait(worker::deadline_in(kTimeToEnd));
    const worker::Exit exit = waited ? *waited : process_.stop();
    // Its connection was closed, so that it may have ended for that.
    const bool finished = exit.cause == worker::ExitCause::kFinished && why.code == ErrorCode::kDataCorrupt;
    const bool ours = late || finished || exit.cause == worker::ExitCause::kStopped;
    base::Error error = ours ? base::Error{why.code, fmt::format("the lab was stopped: {}", why.message)}
                             : base::Error{exit.error_code(), fmt::format("the lab {}", exit.sentence())};
    if (const auto words = process_.diagnostics(); !words.empty()) {
      error.message += fmt::format("; its last words were: {}", words);
    }
    return error;
  }

  worker::Process& process_;
  worker::Deadline deadline_;
  const OnProgress& on_progress_;
  bool& usable_;
  std::vector<EpochMetrics> epochs_;
  std::optional<base::Error> failure_;
};

Result<> check_epochs(const std::vector<EpochMetrics>& epochs, std::size_t best) {
  for (std::size_t i = 0; i < epochs.size(); ++i) {
    if (epochs[i].epoch != i + 1) return fail(ErrorCode::kDataCorrupt, "its epochs are out of order");
  }
  if (best >= 1 && best <= epochs.size()) return {};
  return fail(ErrorCode::kDataCorrupt, "its best epoch is none of those that it told of");
}

Result<TrainResult> fetch_model(Call& call, const LabDone& done, std::size_t columns, std::size_t classes) {
  if (done.bytes > kMaxModelBytes) {
    return fail(call.refuse({ErrorCode::kDataCorrupt, "its model is larger than any can be"}));
  }
  HF_TRY(Bytes onnx, call.result(done.bytes));
  if (auto checked = check_model(onnx, columns, classes); !checked) {
    return fail(call.refuse(checked.error()));
  }
  TrainResult result{.onnx = std::move(onnx), .epochs = call.take_epochs(), .best_epoch = done.best_epoch};
  if (auto checked = check_epochs(result.epochs, result.best_epoch); !checked) {
    return fail(call.refuse(checked.error()));
  }
  return result;
}

Result<> check_training_rows(const LabelledRows& training, const LabelledRows& validation,
                             std::size_t classes) {
  HF_CHECK(check(training, classes, "training"));
  if (training.features.rows == 0) return fail(ErrorCode::kInvalidArgument, "there are no training rows");
  HF_CHECK(check(validation, classes, "validation"));
  if (validation.features.columns == training.features.columns) return {};
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("the validation rows have {} columns, and the training rows {}",
                          validation.features.columns, training.features.columns));
}

Result<TrainResult> run_training(Call call, LabRequest request, const LabelledRows& training,
                                 LabelledRows validation) {
  if (validation.features.rows == 0) validation = {.features = {.columns = training.features.columns}};
  HF_CHECK(check_training_rows(training, validation, request.training.classes));
  request.columns = training.features.columns;
  request.rows = training.features.rows;
  request.weighted = !training.weights.empty();
  request.validation_rows = validation.features.rows;
  request.validation_weighted = !validation.weights.empty();
  const std::array parts{bytes_of(training.features.values), bytes_of(training.labels),
                         bytes_of(training.weights),         bytes_of(validation.features.values),
                         bytes_of(validation.labels),        bytes_of(validation.weights)};
  HF_TRY(const LabDone done, call.run(request, parts, request.training.epochs));
  return fetch_model(call, done, request.columns, request.training.classes);
}

}  // namespace

std::size_t AttackResult::count(RowOutcome outcome) const {
  return static_cast<std::size_t>(std::count(outcomes.begin(), outcomes.end(), outcome));
}

Result<Lab> Lab::start(const LabOptions& options) {
  if (options.threads == 0 || options.threads > kMaxThreads) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("the lab can have 1 to {} threads, not {}", kMaxThreads, options.threads));
  }
  HF_TRY(const fs::path program, find_program(options.executable));
  HF_TRY(auto process, worker::Process::start({.executable = program,
                                               .argv = {"holdfast-lab"},
                                               .jail = {.limits = {.memory_bytes = options.memory_bytes,
                                                                   .cpu = std::nullopt,
                                                                   .descriptors = kDescriptors,
                                                                   .threads = options.threads + kOwnThreads},
                                                        .weakest = options.weakest_jail},
                                               .start_time = options.start_time}));
  return Lab(std::move(process), options.threads);
}

Result<TrainResult> Lab::train(const LabelledRows& training, const LabelledRows& validation,
                               const TrainSpec& spec, worker::Deadline deadline,
                               const OnProgress& on_progress) {
  HF_CHECK(check(spec));
  HF_TRY(auto result,
         run_training(Call(process_, deadline, on_progress, usable_),
                      {.task = Task::kTrain, .threads = threads_, .training = spec}, training, validation));
  result.jail = jail();
  return result;
}

Result<TrainResult> Lab::harden(const LabelledRows& training, const LabelledRows& validation,
                                const HardenSpec& spec, worker::Deadline deadline,
                                const OnProgress& on_progress) {
  HF_CHECK(check(spec, training.features.columns));
  HF_TRY(auto result, run_training(Call(process_, deadline, on_progress, usable_),
                                   {.task = Task::kHarden,
                                    .threads = threads_,
                                    .training = spec.training,
                                    .attack = spec.attack,
                                    .adversarial_share = spec.adversarial_share},
                                   training, validation));
  result.jail = jail();
  return result;
}

Result<AttackResult> Lab::attack(ByteView onnx, const MatrixView& rows, std::span<const std::int32_t> labels,
                                 const AttackSpec& spec, worker::Deadline deadline,
                                 const OnProgress& on_progress) {
  HF_CHECK(check(LabelledRows{.features = rows, .labels = labels}, kMaxClasses, "attacked"));
  HF_CHECK(check(spec, rows.columns));
  if (onnx.size() > kMaxModelBytes)
    return fail(ErrorCode::kLimitExceeded, "the model is too large to attack");
  Call call(process_, deadline, on_progress, usable_);
  const std::array parts{onnx, bytes_of(rows.values), bytes_of(labels)};
  HF_TRY(const LabDone done, call.run({.task = Task::kAttack,
                                       .columns = rows.columns,
                                       .rows = rows.rows,
                                       .model_bytes = onnx.size(),
                                       .threads = threads_,
                                       .attack = spec},
                                      parts, spec.restarts));
  const std::size_t row_bytes = rows.values.size() * sizeof(float);
  HF_TRY(const Bytes bytes, call.result(row_bytes + rows.rows));
  AttackResult result{.rows = floats_of(ByteView(bytes).first(row_bytes)),
                      .outcomes = {},
                      .zero_gradient_share = done.zero_gradient_share,
                      .warnings = {},
                      .jail = jail()};
  for (const std::uint8_t outcome : ByteView(bytes).subspan(row_bytes)) {
    if (outcome > static_cast<std::uint8_t>(RowOutcome::kWrongBefore)) {
      return fail(call.refuse({ErrorCode::kDataCorrupt, "a row's outcome is none"}));
    }
    result.outcomes.push_back(RowOutcome{outcome});
  }
  if (auto checked = check_rows(result, rows, spec); !checked) {
    return fail(call.refuse(checked.error()));
  }
  if (result.zero_gradient_share >= kWorthAWarning) {
    result.warnings.push_back(
        fmt::format("The gradient is zero at {:.1f}% of the attacked rows: there the attack says nothing, "
                    "and a black-box "
                    "attack is needed",
                    100 * result.zero_gradient_share));
  }
  return result;
}

Result<ModelOutputs> Lab::outputs(ByteView onnx, const MatrixView& rows, worker::Deadline deadline) {
  HF_CHECK(check(rows, "given"));
  if (onnx.size() > kMaxModelBytes) return fail(ErrorCode::kLimitExceeded, "the model is too large");
  const OnProgress nobody;
  Call call(process_, deadline, nobody, usable_);
  const std::array parts{onnx, bytes_of(rows.values)};
  HF_TRY(const LabDone done, call.run({.task = Task::kOutputs,
                                       .columns = rows.columns,
                                       .rows = rows.rows,
                                       .model_bytes = onnx.size(),
                                       .threads = threads_},
                                      parts, 0));
  const std::size_t row_bytes = rows.rows * sizeof(float);
  const bool whole = row_bytes == 0 ? done.bytes == 0 : done.bytes % row_bytes == 0;
  if (!whole || done.bytes > kMaxCells * sizeof(float)) {
    return fail(call.refuse({ErrorCode::kDataCorrupt, "its outputs do not fit the rows"}));
  }
  HF_TRY(const Bytes bytes, call.result(done.bytes));
  return ModelOutputs{
      .rows = rows.rows, .columns = row_bytes == 0 ? 0 : done.bytes / row_bytes, .values = floats_of(bytes)};
}

}  // namespace holdfast::lab
