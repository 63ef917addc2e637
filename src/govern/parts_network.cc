#include <fmt/format.h>

#include "govern/parts.h"

// P07 to P12: what lies between a caller and a model, and what leaves.

namespace holdfast::govern {
namespace {

Sight own_network(const Facts& facts) {
  Sight sight;
  for (const auto& engine : facts.runtime.engines) {
    sight.evidence.push_back({.kind = "endpoint",
                              .reference = "endpoint:" + engine.endpoint,
                              .what = engine.own_network ? "its engine runs without any network"
                                                         : "its engine runs in the host's network",
                              .at = engine.at,
                              .part = {}});
    if (!engine.own_network) sight.against = "the engine of " + engine.endpoint + " is not apart";
  }
  return sight;
}

// Something that the listener counted, unless it never happened.
Sight counted(const Facts& facts, std::uint64_t ChannelFacts::* count, std::string_view told) {
  const auto& channels = facts.log.channels();
  if (!channels || (*channels).*count == 0) return {};
  return {.evidence = {{.kind = "record",
                        .reference = fmt::format("record/{}", channels->record),
                        .what = fmt::format("{} {} so far", (*channels).*count, told),
                        .at = channels->at,
                        .part = {}}},
          .against = {}};
}

Sight outgoing(const Facts& facts) {
  Sight sight;
  for (const auto& alert : facts.alerts) {
    if (alert.delivered == 0) continue;
    sight.evidence.push_back({.kind = "alert",
                              .reference = fmt::format("alert/{}", alert.id),
                              .what = "a webhook was told",
                              .at = alert.opened_at,
                              .part = {}});
    break;
  }
  if (!facts.plain_webhooks.empty() && !sight.evidence.empty()) {
    sight.against = fmt::format("the webhook {} is told without TLS", facts.plain_webhooks.front());
  }
  return sight;
}

Sight sealed_datasets(const Facts& facts) {
  Sight sight;
  for (const auto& dataset : facts.datasets) {
    if (!dataset.tried) continue;
    sight.evidence.push_back(
        {.kind = "dataset",
         .reference = dataset.digest.prefixed(),
         .what = fmt::format("{} {} was opened from its sealed blob", dataset.name, dataset.version),
         .at = facts.at,
         .part = {}});
    if (!dataset.failed.empty()) sight.against = dataset.failed;
  }
  return sight;
}

Sight sealed_models(const Facts& facts) {
  return of_each_serving(facts, [](const VersionFacts& version) -> Sight {
    if (!version.load) return {};
    return {.evidence = {{.kind = "check",
                          .reference = fmt::format("{} {}", version.model, version.version),
                          .what = "opened from its sealed blob",
                          .at = version.load->at,
                          .part = {}}},
            .against = version.load->failed};
  });
}

Sight sealed_log(const Facts& facts) {
  if (facts.log.opened() == 0) return {};
  return {.evidence = {{.kind = "check",
                        .reference = "log",
                        .what = fmt::format("{} records were opened from sealed bodies", facts.log.opened()),
                        .at = facts.at,
                        .part = {}}},
          .against = {}};
}

Sight rotated(const Facts& facts) { return records(facts, Happening::kKeysRotated, "a key was rotated"); }

Sight sensitive_found(const Facts& facts) {
  Sight sight;
  for (const auto& dataset : facts.datasets) {
    if (dataset.sensitive_columns == 0) continue;
    sight.evidence.push_back({.kind = "dataset",
                              .reference = dataset.digest.prefixed(),
                              .what = fmt::format("{} sensitive columns were found in {}",
                                                  dataset.sensitive_columns, dataset.name),
                              .at = dataset.registered_at,
                              .part = {}});
  }
  return sight;
}

Sight refused_inputs(const Facts& facts) {
  return records(facts, Happening::kGuardRefused, "a request was refused");
}

Sight flagged_inputs(const Facts& facts) {
  return records(facts, Happening::kFlagged, "a prediction was flagged");
}

Sight endpoint_private(const Facts& facts) {
  return both(records(facts, Happening::kPredicted, "a prediction was given"),
              records(facts, Happening::kInferenceDenied, "a caller was refused"),
              "an answer and a refusal are needed to tell");
}

Sight listener_private(const Facts& facts) {
  const auto& channels = facts.log.channels();
  if (!channels) return {};
  return {.evidence = {{.kind = "record",
                        .reference = fmt::format("record/{}", channels->record),
                        .what = fmt::format("it listened on {}", channels->address),
                        .at = channels->at,
                        .part = {}}},
          .against = channels->is_private ? "" : "the address is no private one"};
}

}  // namespace

std::vector<PracticeParts> network_parts() {
  return {
      {"P07",
       {{"a training step or an engine reached only what its network specification names", true, nullptr},
        {"engines ran in a network of their own", false, own_network},
        {"the cluster's network policies were made from the same specification", false, nullptr}}},
      {"P08",
       {{"every connection that was accepted was TLS 1.3", true,
         [](const Facts& f) {
           return counted(f, &ChannelFacts::tls13_connections, "connections over TLS 1.3");
         }},
        {"a plaintext connection was refused", false,
         [](const Facts& f) { return counted(f, &ChannelFacts::plaintext_refused, "without TLS refused"); }},
        {"an older version of TLS was refused", false,
         [](const Facts& f) {
           return counted(f, &ChannelFacts::old_version_refused, "of older TLS refused");
         }},
        {"what left went over TLS", false, outgoing}}},
      {"P09",
       {{"datasets were opened from ciphertext", true, sealed_datasets},
        {"each version that serves was opened from ciphertext", true, sealed_models},
        {"the log's records were opened from ciphertext", false, sealed_log},
        {"the database's secrets were opened from ciphertext", false, nullptr},
        {"keys were rotated", false, rotated}}},
      {"P10",
       {{"sensitive columns were transformed before training", true, nullptr},
        {"sensitive columns were found", false, sensitive_found},
        {"tokens were reversed by somebody allowed, and refused to others", false, nullptr}}},
      {"P11",
       {{"a request outside the model's schema or ranges was refused", true, refused_inputs},
        {"a request outside the learned domain was flagged", false, flagged_inputs},
        {"an answer that leaks or is out of bounds was withheld or made coarser", false, nullptr}}},
      {"P12",
       {{"an endpoint answered somebody it knows, and refused another", true, endpoint_private},
        {"the listener has a private address", false, listener_private},
        {"a caller from a network that is not named was refused", false, nullptr},
        {"the host's firewall rules were generated and checked", false, nullptr}}},
  };
}

}  // namespace holdfast::govern
