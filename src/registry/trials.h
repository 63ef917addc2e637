#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <string_view>

#include "access/decision.h"
#include "assess/assessment.h"
#include "registry/evidence.h"
#include "registry/models.h"
#include "registry/requirements.h"
#include "registry/runs.h"
#include "worker/jail.h"

namespace holdfast::registry {

// How a model is to be trained here. What is left out is as in lab::TrainSpec.
struct TrainOrder {
  std::string model;
  std::string group;   // reweigh rows by this group of the task; empty: balance the labels alone
  std::string attack;  // train against this attack of the task; empty: plain training
  double adversarial_share = 0.5;
  std::size_t epochs = 20;
  std::uint64_t seed = 1;
};

struct TrialOptions {
  std::chrono::milliseconds train_time{600'000};
  std::chrono::milliseconds evaluate_time{600'000};
  std::uint32_t lab_threads = 1;
  std::ptrdiff_t at_once = 2;  // trials; one more is refused, so that they leave threads for what serves
  worker::JailStrength weakest_jail = worker::JailStrength::kFull;
};

struct Evaluated {
  evaluate::Evaluation evaluation;
  std::vector<std::string> warnings;  // whole sentences, to stand beside the figures
};

// Called with a line for a person, in the caller's thread.
using OnStep = std::function<void(std::string_view)>;

// Training and evaluation of what is registered, each in a jailed process of its own, as a run with evidence:
// SLSA provenance of a model that was trained here, and an Evaluation. Calls take as long as they take.
// Thread-safe.
class Trials {
 public:
  Trials(const Parts& parts, Models& models, const TrialOptions& options)
      : parts_(parts), models_(&models), options_(options), free_(options.at_once) {}

  // Both give kUnavailable while as many trials run as may.

  // Trains on the training part of the dataset that the model's requirements name, by the validation part,
  // and registers what came of it as a version. `authorised` is for trainModel on the model.
  base::Result<Version> train(const access::Authorised& authorised, const TrainOrder& order,
                              const OnStep& on_step);

  // Measures a version on the test part, which is a look that is counted; beside `champion`, where one is
  // given, on the same rows. Adds the evaluation to the evidence of the version. `authorised` is for
  // addEvidence on it.
  base::Result<Evaluated> evaluate(const access::Authorised& authorised, const Version& version,
                                   const std::optional<Version>& champion, const OnStep& on_step);

 private:
  struct Ground;
  // A line of progress, at most one a second, into the run's row too.
  [[nodiscard]] OnStep report_to(const Run& run, const OnStep& on_step);
  [[nodiscard]] base::Result<Ground> ground(const base::WorkspaceId& workspace, std::string_view model) const;
  base::Result<Version> train_in(const Run& run, const access::Authorised& authorised,
                                 const TrainOrder& order, const OnStep& on_step);
  base::Result<assess::Assessment> assess(const Ground& ground, const assess::Rows& rows,
                                          const Version& version, const OnStep& on_step) const;
  base::Result<Evaluated> evaluate_in(const access::Authorised& authorised, const Version& version,
                                      const std::optional<Version>& champion, const OnStep& on_step);
  Parts parts_;
  Models* models_;
  TrialOptions options_;
  std::counting_semaphore<> free_;
};

}  // namespace holdfast::registry
