#include "gateway/gateway.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/encoding.h"
#include "gateway/inference_answer.h"

namespace holdfast::gateway {

using base::ErrorCode;
using base::Result;
using model::Tensor;

namespace {

constexpr std::size_t kPredictionIdBytes = 16;
constexpr std::size_t kMaxFlagTextBytes = 4096;
constexpr auto kIdHeader = "Holdfast-Prediction-Id";
constexpr auto kJsonBytesHeader = "Inference-Header-Content-Length";

std::string seconds_text(std::chrono::milliseconds span) {
  return fmt::format("{}", std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(span).count()));
}

// Of what a caller sent.
int status_of(ErrorCode code) { return code == ErrorCode::kLimitExceeded ? 413 : 400; }

std::string flags_text(std::span<const Flag> flags, std::uint64_t flagged) {
  std::string text;
  for (const Flag& flag : flags) {
    if (text.size() > kMaxFlagTextBytes) break;
    if (!text.empty()) text += "; ";
    text += fmt::format("{}: {}", to_string(flag.rule), flag.message);
  }
  if (flagged > flags.size()) text += fmt::format("; {} values in all", flagged);
  return text;
}

}  // namespace

// What one call carries along. The snapshot keeps endpoint, version and engine alive.
struct Gateway::Request {
  const InferenceCall& call;
  std::string prediction_id;
  base::Timestamp at;
  std::chrono::steady_clock::time_point start;
  std::shared_ptr<const Snapshot> snapshot;
  const Endpoint* endpoint = nullptr;
  const ServedVersion* version = nullptr;
};

struct Gateway::Refusal {
  int status;
  std::string told;    // to the caller
  std::string reason;  // for the record; empty: what was told
  std::optional<std::chrono::milliseconds> retry_after;
};

Gateway::Gateway(GatewayOptions options) : options_(std::move(options)) {}

void Gateway::swap(std::shared_ptr<const Snapshot> snapshot) {
  const base::MutexLock lock(mutex_);
  // The old one ends with `snapshot`, after the lock.
  snapshot_.swap(snapshot);
}

std::shared_ptr<const Snapshot> Gateway::snapshot() const {
  const base::MutexLock lock(mutex_);
  return snapshot_;
}

std::string Gateway::new_prediction_id() {
  return base::hex_encode(options_.random->take(kPredictionIdBytes));
}

Answer Gateway::infer(const InferenceCall& call) {
  Request request{.call = call,
                  .prediction_id = new_prediction_id(),
                  .at = options_.clock->now(),
                  .start = std::chrono::steady_clock::now(),
                  .snapshot = snapshot()};
  auto outcome = predict(request);
  Answer answer = outcome ? *std::move(outcome) : refuse(request, outcome.error());
  answer.headers.emplace_back(kIdHeader, request.prediction_id);
  return answer;
}

// Everything before the model: who may call how often, what was sent, and whether the model takes it.
Gateway::Outcome<InferenceRequest> Gateway::admit(Request& request) {
  const InferenceCall& call = request.call;
  request.endpoint = request.snapshot == nullptr ? nullptr : request.snapshot->find(call.endpoint);
  if (request.endpoint == nullptr) {
    return tl::unexpected(Refusal{404, fmt::format("there is no endpoint \"{}\"", call.endpoint)});
  }
  const auto key = fmt::format("{}\n{}", call.endpoint, call.principal);
  if (const auto wait = rates_.take(key, request.endpoint->rate, request.start)) {
    return tl::unexpected(
        Refusal{429, "there are too many requests; wait as long as Retry-After says", "", wait});
  }
  request.version = call.version ? find_version(*request.endpoint, *call.version)
                                 : &choose_version(*request.endpoint, request.prediction_id);
  if (request.version == nullptr) {
    return tl::unexpected(
        Refusal{404, fmt::format("endpoint \"{}\" has no version \"{}\"", call.endpoint, *call.version)});
  }
  std::optional<std::size_t> json_bytes;
  if (!call.json_bytes.empty()) {
    std::size_t value = 0;
    const char* end = call.json_bytes.data() + call.json_bytes.size();
    const auto read = std::from_chars(call.json_bytes.data(), end, value);
    if (read.ec != std::errc() || read.ptr != end) {
      return tl::unexpected(
          Refusal{400, fmt::format("the header {} is not a number of bytes", kJsonBytesHeader)});
    }
    json_bytes = value;
  }
  auto parsed = parse_inference_request(call.body, json_bytes, request.endpoint->limits);
  if (!parsed) return tl::unexpected(Refusal{status_of(parsed.error().code), parsed.error().message});
  return *std::move(parsed);
}

namespace {

bool is_given_out(const ServedVersion& version, std::string_view output) {
  return version.outputs.empty() || std::ranges::find(version.outputs, output) != version.outputs.end();
}

// That the model takes these inputs and has these outputs.
Result<> fits(const InferenceRequest& parsed, const ServedVersion& version) {
  const auto& signature = version.predictor->signature();
  HF_CHECK(model::check_inputs(signature, parsed.inputs));
  for (const RequestedOutput& output : parsed.outputs) {
    if (signature.find_output(output.name) == nullptr || !is_given_out(version, output.name)) {
      return base::fail(ErrorCode::kInvalidArgument, fmt::format("there is no output \"{}\"", output.name));
    }
  }
  return {};
}

}  // namespace

// Of an error of the model. Its words go to the record only: they may be those of a hostile model, and they
// tell what is inside.
Gateway::Refusal Gateway::model_refusal(const base::Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalidArgument:
      return {422, "the model could not compute an answer to these inputs", error.message};
    case ErrorCode::kLimitExceeded:
      return {413, "the model can't take so much at once; send fewer rows", error.message};
    case ErrorCode::kUnavailable:
      return {503, "the model can't answer now; try again", error.message, std::chrono::seconds(1)};
    case ErrorCode::kDeadline:
      return {504, "the model did not answer in time", error.message};
    default:
      return {500, "the model did not answer as it must", error.message};
  }
}

Gateway::Outcome<Answer> Gateway::predict(Request& request) {
  auto parsed = admit(request);
  if (!parsed) return tl::unexpected(std::move(parsed).error());
  const ServedVersion& version = *request.version;
  if (const auto fit = fits(*parsed, version); !fit) {
    return tl::unexpected(Refusal{status_of(fit.error().code), fit.error().message});
  }
  auto guarded = version.guard->check(parsed->inputs);
  if (!guarded) return tl::unexpected(Refusal{422, guarded.error().message});
  auto outputs = version.predictor->predict(parsed->inputs, request.start + request.endpoint->deadline);
  if (!outputs) return tl::unexpected(model_refusal(outputs.error()));
  return give_out(request, *parsed, *outputs, *guarded);
}

Gateway::Outcome<Answer> Gateway::give_out(const Request& request, const InferenceRequest& parsed,
                                           std::span<const Tensor> outputs, const Guard::Outcome& guarded) {
  const ServedVersion& version = *request.version;
  std::vector<const Tensor*> given;
  for (const Tensor& output : outputs) {
    const bool wanted =
        parsed.outputs.empty() ||
        std::ranges::find(parsed.outputs, output.name, &RequestedOutput::name) != parsed.outputs.end();
    if (wanted && is_given_out(version, output.name)) given.push_back(&output);
  }
  std::vector<Parameter> parameters{{"prediction_id", request.prediction_id}};
  if (guarded.flagged > 0) parameters.push_back({"flags", flags_text(guarded.flags, guarded.flagged)});
  auto encoded = encode_answer({.model_name = request.call.endpoint,
                                .model_version = version.name,
                                .id = parsed.id.empty() ? request.prediction_id : parsed.id,
                                .parameters = parameters,
                                .outputs = given,
                                .request = &parsed});
  if (!encoded) return tl::unexpected(Refusal{400, encoded.error().message});

  const auto took = std::chrono::steady_clock::now() - request.start;
  const auto recorded = record({.endpoint = request.call.endpoint,
                                .version = version.name,
                                .release = version.release,
                                .prediction_id = request.prediction_id,
                                .principal = request.call.principal,
                                .inputs = parsed.inputs,
                                .outputs = outputs,
                                .guard = version.guard.get(),
                                .flags = guarded.flags,
                                .flagged = guarded.flagged,
                                .at = request.at,
                                .latency = std::chrono::duration_cast<std::chrono::microseconds>(took)});
  if (!recorded) {
    return tl::unexpected(Refusal{503, "the prediction could not be recorded, and so is not given; try again",
                                  recorded.error().message, std::chrono::seconds(1)});
  }
  Answer answer{.status = 200, .headers = {}, .body = std::move(encoded->body)};
  if (encoded->json_bytes) {
    answer.content_type = "application/octet-stream";
    answer.headers.emplace_back(kJsonBytesHeader, fmt::format("{}", *encoded->json_bytes));
  }
  return answer;
}

Result<> Gateway::record(const PredictionRecord& record) {
  for (PredictionSink* sink : options_.sinks) HF_CHECK(sink->on_prediction(record));
  return {};
}

Answer Gateway::refuse(const Request& request, const Refusal& refusal) {
  const RefusalRecord record{
      .endpoint = request.call.endpoint,
      .version = request.version == nullptr ? std::string_view() : std::string_view(request.version->name),
      .prediction_id = request.prediction_id,
      .principal = request.call.principal,
      .status = refusal.status,
      .reason = refusal.reason.empty() ? refusal.told : refusal.reason,
      .at = request.at};
  Answer answer{.status = refusal.status, .headers = {}, .body = encode_error(refusal.told)};
  if (refusal.retry_after) answer.headers.emplace_back("Retry-After", seconds_text(*refusal.retry_after));
  for (PredictionSink* sink : options_.sinks) {
    if (!sink->on_refusal(record)) {
      return {.status = 503,
              .headers = {{"Retry-After", "1"}},
              .body = encode_error("the request could not be recorded")};
    }
  }
  return answer;
}

Answer Gateway::server_metadata() const {
  return {
      .headers = {},
      .body = fmt::format("{{\"name\":\"holdfast\",\"version\":{},\"extensions\":[\"binary_tensor_data\"]}}",
                          json_string(options_.server_version))};
}

Answer Gateway::live() const { return {.headers = {}, .body = "{\"live\":true}"}; }

Answer Gateway::ready() const {
  const bool ready = snapshot() != nullptr;
  return {.status = ready ? 200 : 503, .headers = {}, .body = fmt::format("{{\"ready\":{}}}", ready)};
}

Answer Gateway::model_metadata(std::string_view endpoint, std::optional<std::string_view> version) const {
  const auto now = snapshot();
  const Endpoint* found = now == nullptr ? nullptr : now->find(endpoint);
  if (found == nullptr) {
    return {.status = 404,
            .headers = {},
            .body = encode_error(fmt::format("there is no endpoint \"{}\"", endpoint))};
  }
  const ServedVersion* served = version ? find_version(*found, *version) : largest_version(*found);
  if (served == nullptr) {
    return {.status = 404,
            .headers = {},
            .body = encode_error(fmt::format("endpoint \"{}\" has no version \"{}\"", endpoint, *version))};
  }
  std::vector<std::string> versions;
  for (const ServedVersion& each : found->versions) versions.push_back(each.name);
  std::vector<model::TensorSpec> outputs;
  for (const auto& output : served->predictor->signature().outputs) {
    if (is_given_out(*served, output.name)) outputs.push_back(output);
  }
  return {.headers = {},
          .body = encode_model_metadata(endpoint, versions, served->platform,
                                        served->predictor->signature().inputs, outputs)};
}

Answer Gateway::model_ready(std::string_view endpoint, std::optional<std::string_view> version) const {
  const auto now = snapshot();
  const Endpoint* found = now == nullptr ? nullptr : now->find(endpoint);
  const bool ready = found != nullptr && (!version || find_version(*found, *version) != nullptr);
  return {.status = ready ? 200 : 404,
          .headers = {},
          .body = fmt::format("{{\"name\":{},\"ready\":{}}}", json_string(endpoint), ready)};
}

}  // namespace holdfast::gateway
