#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "govern/facts.h"

// For tests alone: records as other modules write them, and an installation in which everything was seen
// that leaves evidence today.

namespace holdfast::govern {

inline const base::WorkspaceId kHome("default");

inline base::Timestamp moment(std::int64_t second = 0) {
  return base::Timestamp::from_microseconds((1'764'000'000 + second) * 1'000'000);
}

inline base::Digest digest_of(std::uint8_t mark) {
  std::array<std::uint8_t, base::Digest::kSize> bytes{};
  bytes.fill(mark);
  return base::Digest(bytes);
}

struct Told {
  std::string action;
  std::string decision;
  std::string actor = R"(Person::"default/5f")";
  std::string resource = R"(Model::"default/credit")";
  std::string details = {};
};

inline audit::StoredRecord stored(std::uint64_t index, Told told) {
  return {.receipt = {.index = index, .leaf = {}},
          .body = audit::BodyState::kOpen,
          .time = moment(static_cast<std::int64_t>(index)),
          .record = {.workspace = kHome,
                     .actor = std::move(told.actor),
                     .action = std::move(told.action),
                     .resource = std::move(told.resource),
                     .decision = std::move(told.decision),
                     .details = std::move(told.details)}};
}

inline LogFacts log_of(std::vector<Told> told) {
  LogFacts facts(kHome);
  std::uint64_t index = 0;
  for (auto& one : told) EXPECT_TRUE(facts.add(stored(index++, std::move(one))).has_value());
  return facts;
}

inline evaluate::Figure figure(std::string name, evaluate::Scope scope) {
  return {.scope = std::move(scope),
          .measurement = {.name = std::move(name),
                          .value = .7,
                          .interval = {.low = .6, .high = .8, .confidence = stats::kConfidence95},
                          .sample_size = 6000,
                          .method = "told"}};
}

inline constexpr const char* kConnections =
    R"({"address":"127.0.0.1:8443","old_version_refused":1,"plaintext_refused":1,"private":true,"tls13":9})";

inline std::vector<Told> full_story() {
  const std::string service = R"(Service::"default/77")";
  const std::string endpoint = R"(Endpoint::"default/credit")";
  return {{"dataset.register", "done"},
          {"readModel", "allow"},
          {"grant", "allow"},
          {"model.refuse", "refused"},
          {"model.register", "done"},
          {"model.approve", "refused"},
          {"model.approve", "done"},
          {"endpoint.release", "done"},
          {"endpoint.rollback", "done"},
          {"signIn", "allow", service, service},
          {"predict", "allow", service, "endpoint:credit", R"({"flagged":2})"},
          {"predict", "refused", service, "endpoint:credit", R"({"status":422})"},
          {"infer", "deny", R"(Service::"default/78")", endpoint},
          {"drift.measure", "stable", "monitor", "endpoint:credit", R"({"estimate":"holds"})"},
          {"listener.count", "done", "server", "listener", kConnections},
          {"readMetrics", "allow"}};
}

inline VersionFacts served_version() {
  return {
      .model = "credit",
      .version = 2,
      .approved = true,
      .trained_here = true,
      .hardened = true,
      .serves = {"credit"},
      .provenance = digest_of(1),
      .evaluation =
          EvaluationFacts{
              .evidence = digest_of(2),
              .at = moment(),
              .split = "test",
              .figures = {figure("auc", {}),
                          figure("balanced_accuracy", {.over = "", .under = "", .by = "sex", .group = "1"}),
                          figure("equalized_odds_difference",
                                 {.over = "", .under = "", .by = "sex", .group = ""}),
                          figure("robust_accuracy", {.over = "", .under = "pgd", .by = "", .group = ""}),
                          figure("robust_accuracy",
                                 {.over = "champion", .under = "pgd", .by = "", .group = ""})}},
      .damaged = {},
      .waived = {},
      .load = LoadTrial{.at = moment(),
                        .failed = {},
                        .signature_holds = true,
                        .changed_byte_refused = true,
                        .other_signer_refused = true}};
}

inline RuntimeFacts full_runtime() {
  return {.log = LogVerification{.at = moment(), .records = 16, .fault = {}},
          .rows = RowCheck{.at = moment(), .fault = {}},
          .engines = {{.endpoint = "credit",
                       .at = moment(),
                       .own_network = true,
                       .processor = std::chrono::milliseconds(40),
                       .resident_bytes = 48UL << 20}}};
}

inline Facts full_facts() {
  AlertFacts drift{.id = 1,
                   .source = "drift",
                   .subject = "endpoint:credit",
                   .windows = 3,
                   .opened_at = moment(),
                   .acknowledged = true,
                   .resolved = true,
                   .delivered = 2};
  AlertFacts traffic = drift;
  traffic.id = 2;
  traffic.source = "traffic";
  return {.at = moment(),
          .log = log_of(full_story()),
          .log_read_to_end = true,
          .versions = {served_version()},
          .datasets = {{.name = "credit",
                        .version = 1,
                        .digest = digest_of(3),
                        .registered_at = moment(),
                        .registered_by = "ada",
                        .sensitive_columns = 3,
                        .failed = {},
                        .tried = true}},
          .alerts = {drift, traffic},
          .runs = {{.id = 1, .kind = "train", .finished_at = moment()}},
          .plain_webhooks = {},
          .rolled_back = RollbackTrial{.at = moment(), .endpoint = "credit", .refused = true},
          .runtime = full_runtime()};
}

}  // namespace holdfast::govern
