#include "server/meters.h"

#include <fmt/format.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "alerts/alerts.h"

namespace holdfast::server {

using base::Result;

namespace {

// Seconds, from a tenth of a millisecond.
const prometheus::Histogram::BucketBoundaries kLatencyBuckets{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                                              0.01,   0.025,   0.05,   0.1,   0.5,    2};

void add_engines(prometheus::Registry& registry, const std::vector<govern::EngineFacts>& engines) {
  auto& processor = prometheus::BuildGauge()
                        .Name("holdfast_engine_processor_seconds")
                        .Help("Processor time that the engines of an endpoint took since they started.")
                        .Register(registry);
  auto& memory = prometheus::BuildGauge()
                     .Name("holdfast_engine_resident_bytes")
                     .Help("Memory that the engines of an endpoint hold.")
                     .Register(registry);
  for (const auto& engine : engines) {
    processor.Add({{"endpoint", engine.endpoint}})
        .Set(std::chrono::duration<double>(engine.processor).count());
    memory.Add({{"endpoint", engine.endpoint}}).Set(static_cast<double>(engine.resident_bytes));
  }
}

}  // namespace

struct Meters::State {
  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>& predictions = prometheus::BuildCounter()
                                                             .Name("holdfast_predictions_total")
                                                             .Help("Predictions given out.")
                                                             .Register(registry);
  prometheus::Family<prometheus::Counter>& refusals =
      prometheus::BuildCounter()
          .Name("holdfast_prediction_refusals_total")
          .Help("Requests to a served endpoint without prediction.")
          .Register(registry);
  prometheus::Family<prometheus::Counter>& flagged = prometheus::BuildCounter()
                                                         .Name("holdfast_flagged_values_total")
                                                         .Help("Input values that the guard flagged.")
                                                         .Register(registry);
  prometheus::Family<prometheus::Histogram>& latency =
      prometheus::BuildHistogram()
          .Name("holdfast_prediction_seconds")
          .Help("From the request's arrival to its prediction.")
          .Register(registry);
};

Meters::Meters() : state_(std::make_unique<State>()) {}
Meters::~Meters() = default;

Result<> Meters::on_prediction(const gateway::PredictionRecord& record) {
  const prometheus::Labels labels{{"endpoint", std::string(record.endpoint)},
                                  {"version", std::string(record.version)}};
  state_->predictions.Add(labels).Increment();
  if (record.flagged > 0) state_->flagged.Add(labels).Increment(static_cast<double>(record.flagged));
  state_->latency.Add(labels, kLatencyBuckets).Observe(std::chrono::duration<double>(record.latency).count());
  return {};
}

Result<> Meters::on_refusal(const gateway::RefusalRecord& record) {
  // Without a version no endpoint was found, and its name is the caller's.
  const std::string endpoint(record.version.empty() ? "unknown" : record.endpoint);
  state_->refusals.Add({{"endpoint", endpoint}, {"status", fmt::format("{}", record.status)}}).Increment();
  return {};
}

Result<std::string> Meters::text(const Installation& installation, const Watch& watch,
                                 const std::vector<govern::EngineFacts>& engines) const {
  prometheus::Registry now;
  auto& alerts = prometheus::BuildGauge()
                     .Name("holdfast_alerts_unresolved")
                     .Help("Alerts that are not resolved.")
                     .Register(now);
  HF_TRY(const auto snapshot, installation.database().snapshot());
  HF_TRY(const auto counts, alerts::unresolved_alerts(snapshot, Installation::workspace()));
  for (std::size_t severity = 0; severity < counts.size(); ++severity) {
    alerts.Add({{"severity", std::string(to_string(static_cast<alerts::Severity>(severity)))}})
        .Set(static_cast<double>(counts[severity]));
  }
  auto& psi = prometheus::BuildGauge()
                  .Name("holdfast_drift_psi")
                  .Help("Population stability index of the last whole window.")
                  .Register(now);
  HF_TRY(const auto endpoints, installation.releases().list(Installation::workspace()));
  for (const auto& endpoint : endpoints) {
    const auto report = watch.last(endpoint.name);
    if (!report) continue;
    for (const auto& column : report->drift.columns) {
      for (const auto& figure : column.figures) {
        if (figure.measurement.name != "psi") continue;
        psi.Add({{"endpoint", endpoint.name}, {"column", column.column}}).Set(figure.measurement.value);
      }
    }
  }
  add_engines(now, engines);
  auto& records = prometheus::BuildGauge()
                      .Name("holdfast_audit_records")
                      .Help("Durable records of the audit log.")
                      .Register(now);
  records.Add({}).Set(static_cast<double>(installation.log().size()));
  auto families = state_->registry.Collect();
  auto current = now.Collect();
  std::move(current.begin(), current.end(), std::back_inserter(families));
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace holdfast::server
