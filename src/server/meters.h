#pragma once

#include <memory>
#include <string>

#include "gateway/gateway.h"
#include "server/installation.h"
#include "server/watch.h"

namespace holdfast::server {

// Counts what the endpoints do, and writes /metrics in the text format of Prometheus. Labels are names of
// endpoints and versions that are served, never what a caller made up. Thread-safe.
class Meters final : public gateway::PredictionSink {
 public:
  Meters();
  ~Meters() override;

  base::Result<> on_prediction(const gateway::PredictionRecord& record) override;
  base::Result<> on_refusal(const gateway::RefusalRecord& record) override;

  // With what is known elsewhere at this moment: alerts, and the last window of each endpoint.
  [[nodiscard]] base::Result<std::string> text(const Installation& installation, const Watch& watch) const;

  // Of one endpoint since the start.
  [[nodiscard]] std::uint64_t predictions(const std::string& endpoint) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace holdfast::server
