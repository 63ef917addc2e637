#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/gateway.h"
#include "govern/facts.h"
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

  // With what is known elsewhere at this moment: alerts, the last window of each endpoint, and its engines.
  [[nodiscard]] base::Result<std::string> text(const Installation& installation, const Watch& watch,
                                               const std::vector<govern::EngineFacts>& engines) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace holdfast::server
