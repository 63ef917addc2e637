#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

#include "base/mutex.h"
#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "gateway/guard.h"
#include "gateway/rate_limit.h"
#include "gateway/snapshot.h"

namespace holdfast::gateway {

// A prediction that is about to be given out. Views: copy what is kept.
struct PredictionRecord {
  std::string_view endpoint;
  std::string_view version;
  std::uint64_t release = 0;
  std::string_view prediction_id;
  std::string_view principal;
  std::span<const model::Tensor> inputs;
  std::span<const model::Tensor> outputs;  // all of the model's, also those that are not given out
  const Guard* guard = nullptr;            // for rows()
  std::span<const Flag> flags;
  std::uint64_t flagged = 0;
  base::Timestamp at;  // when the request came
  std::chrono::microseconds latency{0};
};

// A request that got no prediction.
struct RefusalRecord {
  std::string_view endpoint;
  std::string_view version;  // empty where none was chosen yet
  std::string_view prediction_id;
  std::string_view principal;
  int status = 0;
  std::string_view reason;  // what happened, in full; the caller may have been told less
  base::Timestamp at;
};

// Where predictions go before the caller sees them: the audit log, the drift tap. Called from the threads of
// requests, several at a time. An error keeps the prediction back (503): what can't be recorded does not
// happen. A sink that may lose a record (a tap) gives none.
class PredictionSink {
 public:
  virtual ~PredictionSink() = default;
  virtual base::Result<> on_prediction(const PredictionRecord& record) = 0;
  virtual base::Result<> on_refusal(const RefusalRecord& record) = 0;
};

struct Answer {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

// One call of an endpoint, by somebody who may call it: identity and decision come before.
struct InferenceCall {
  std::string_view endpoint;
  std::optional<std::string_view> version;  // of the path; else by the shares
  std::string_view principal;
  base::ByteView body;
  std::string_view json_bytes;  // the header Inference-Header-Content-Length; empty where absent
};

struct GatewayOptions {
  std::string server_version;
  // In the order in which they are called; they outlive the gateway.
  std::vector<PredictionSink*> sinks;
  base::RandomSource* random = &base::system_random();
  const base::Clock* clock = &base::system_clock();
};

// The Open Inference Protocol as functions from request to answer; it knows no HTTP. Thread-safe. Each
// inference blocks its thread until its engine has answered or the endpoint's deadline has passed.
class Gateway {
 public:
  explicit Gateway(GatewayOptions options);

  // From now on new requests see `snapshot`. The old one ends with its last request.
  void swap(std::shared_ptr<const Snapshot> snapshot);
  [[nodiscard]] std::shared_ptr<const Snapshot> snapshot() const;

  // POST /v2/models/{endpoint}[/versions/{version}]/infer. Errors are {"error": "..."}: 400 for what is not
  // understood, 404, 413 for what is too large, 422 for what the guard or the model refuses, 429 with
  // Retry-After, 503 and 504.
  Answer infer(const InferenceCall& call);

  [[nodiscard]] Answer server_metadata() const;  // GET /v2
  [[nodiscard]] Answer live() const;             // GET /v2/health/live
  [[nodiscard]] Answer ready() const;            // GET /v2/health/ready: a snapshot is there
  // GET /v2/models/{endpoint}[/versions/{version}] and the same with /ready.
  [[nodiscard]] Answer model_metadata(std::string_view endpoint,
                                      std::optional<std::string_view> version) const;
  [[nodiscard]] Answer model_ready(std::string_view endpoint, std::optional<std::string_view> version) const;

 private:
  struct Request;
  struct Refusal;
  template <typename T>
  using Outcome = tl::expected<T, Refusal>;

  Outcome<Answer> predict(Request& request);
  Outcome<InferenceRequest> admit(Request& request);
  Outcome<Answer> give_out(const Request& request, const InferenceRequest& parsed,
                           std::span<const model::Tensor> outputs, const Guard::Outcome& guarded);
  static Refusal model_refusal(const base::Error& error);
  Answer refuse(const Request& request, const Refusal& refusal);
  base::Result<> record(const PredictionRecord& record);
  std::string new_prediction_id();

  const GatewayOptions options_;
  RateLimiter rates_;
  mutable base::Mutex mutex_;
  std::shared_ptr<const Snapshot> snapshot_ HF_GUARDED_BY(mutex_);
};

}  // namespace holdfast::gateway
