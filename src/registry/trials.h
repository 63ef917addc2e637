#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <semaphore>
#include <stop_token>
#include <string>
#include <string_view>

#include "access/decision.h"
#include "assess/assessment.h"
#include "registry/evidence.h"
#include "registry/models.h"
#include "registry/requirements.h"
#include "registry/runs.h"
#include "registry/train_order.h"
#include "worker/jail.h"

namespace holdfast::registry {

struct TrialOptions {
  std::chrono::milliseconds train_time{600'000};
  std::chrono::milliseconds evaluate_time{600'000};
  std::uint32_t lab_threads = 1;
  std::ptrdiff_t at_once = 2;  // evaluations; one more is refused: they leave threads for what serves
  worker::JailStrength weakest_jail = worker::JailStrength::kFull;
};

// A model that was trained, before anybody looked into it.
struct Trained {
  base::Bytes onnx;
  std::string provenance_json;  // the predicate: SLSA provenance v1 (slsa.dev/spec/v1.0/provenance)
  std::string metrics_json;     // an object: of the epoch whose weights it has
};

struct Evaluated {
  evaluate::Evaluation evaluation;
  std::vector<std::string> warnings;  // whole sentences, to stand beside the figures
};

// Called with a line for a person, in the caller's thread.
using OnStep = std::function<void(std::string_view)>;

// Training and evaluation of what is registered, each in a jailed process of its own. Calls take as long as
// they take. Thread-safe.
class Trials {
 public:
  Trials(const Parts& parts, Models& models, const TrialOptions& options)
      : parts_(parts), models_(&models), options_(options), free_(options.at_once) {}

  // Whether the order can be carried out as things stand: the model has requirements, their task the group
  // and the attack, their dataset is still to be kept.
  [[nodiscard]] base::Result<> check(const base::WorkspaceId& workspace, const TrainOrder& order) const;

  // Trains on the training part of the dataset that the model's requirements name, by the validation part.
  // Registers nothing. `stop` kills the process that trains, wherever it is.
  [[nodiscard]] base::Result<Trained> train(const Run& run, const TrainOrder& order,
                                            const std::stop_token& stop,
                                            const OnRunProgress& on_progress) const;

  // Measures a version on the test part, which is a look that is counted; beside `champion`, where one is
  // given, on the same rows. Adds the evaluation to the evidence of the version. `authorised` is for
  // addEvidence on it. kUnavailable while as many evaluations run as may.
  base::Result<Evaluated> evaluate(const access::Authorised& authorised, const Version& version,
                                   const std::optional<Version>& champion, const OnStep& on_step);

 private:
  struct Ground;
  // A line of progress, at most one a second, into the run's row too.
  [[nodiscard]] OnStep report_to(const Run& run, const OnStep& on_step);
  [[nodiscard]] base::Result<Ground> ground(const base::WorkspaceId& workspace, std::string_view model) const;
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
