#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gateway/guard.h"
#include "gateway/inference_request.h"
#include "gateway/rate_limit.h"
#include "model/predictor.h"

namespace holdfast::gateway {

// One model version as it serves at an endpoint.
struct ServedVersion {
  std::string name;                             // of the version, e.g. "3"
  std::uint64_t release = 0;                    // the release's serial number
  std::uint32_t share = 0;                      // of the endpoint's traffic, in hundredths of a percent
  std::shared_ptr<model::Predictor> predictor;  // thread-safe; shared with the snapshots before and after
  std::shared_ptr<const Guard> guard;
  std::vector<std::string> outputs;  // that are given out; empty: all
  std::string platform = "onnxruntime_onnx";
};

struct Endpoint {
  std::string name;
  std::vector<ServedVersion> versions;
  RequestLimits limits;
  RateLimit rate;                            // for each principal
  std::chrono::milliseconds deadline{2000};  // of one prediction, waiting for an engine included
};

// What the gateway serves at one moment: immutable, swapped as a whole. A request holds the snapshot that it
// began with, and with it the engines, so that a release or a rollback ends no request.
class Snapshot {
 public:
  static constexpr std::uint32_t kAllTraffic = 10'000;

  // kInvalidArgument, naming the endpoint, for names that stand twice or are no names (1 to 128 letters,
  // digits, '-', '_', '.'), versions without predictor or guard, outputs that the model has not, and shares
  // that do not add up to kAllTraffic.
  static base::Result<std::shared_ptr<const Snapshot>> create(std::vector<Endpoint> endpoints);

  // Null where there is none.
  [[nodiscard]] const Endpoint* find(std::string_view endpoint) const;
  [[nodiscard]] const std::map<std::string, Endpoint, std::less<>>& endpoints() const { return endpoints_; }

 private:
  Snapshot() = default;
  std::map<std::string, Endpoint, std::less<>> endpoints_;
};

// The version that answers the prediction of this id: the same for the same id and shares, and each version
// its share of many ids.
const ServedVersion& choose_version(const Endpoint& endpoint, std::string_view prediction_id);
// The version with the largest share, the first of equals.
const ServedVersion* largest_version(const Endpoint& endpoint);
// Null where the endpoint has none of this name.
const ServedVersion* find_version(const Endpoint& endpoint, std::string_view version);

}  // namespace holdfast::gateway
