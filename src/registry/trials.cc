#include "registry/trials.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "lab/lab.h"
#include "model/engine.h"
#include "registry/test_looks.h"
#include "worker/stopper.h"

namespace holdfast::registry {

using base::ErrorCode;
using base::fail;
using base::Result;
using nlohmann::json;

// What both trials stand on: what the model must show, on which data.
struct Trials::Ground {
  Requirements requirements;
  assess::Task task;
  Dataset dataset;
  base::Bytes csv;

  [[nodiscard]] Result<assess::Rows> rows(data::Part part) const {
    const auto split = dataset.split();
    return assess::read_rows(formats::MemorySource(csv), dataset.schema, task, &split, part);
  }
};

namespace {

// SLSA provenance v1: what was made of what, how, and by which run.
std::string provenance(const Run& run, const TrainOrder& order, const Dataset& dataset,
                       const lab::TrainResult& trained) {
  json dependencies = json::array();
  for (const auto part : {data::Part::kTrain, data::Part::kValidation}) {
    dependencies.push_back(
        json{{"name", fmt::format("{}/{} {}", dataset.name, dataset.version, to_string(part))},
             {"digest", {{"sha256", dataset.part(part).digest.hex()}}}});
  }
  const json predicate{
      {"buildDefinition",
       {{"buildType", "urn:holdfast:train:v1"},
        {"externalParameters", order.parameters()},
        {"internalParameters", {{"jail", json::parse(trained.jail.json())}}},
        {"resolvedDependencies", std::move(dependencies)}}},
      {"runDetails",
       {{"builder", {{"id", "urn:holdfast:lab"}}},
        {"metadata",
         {{"invocationId", fmt::format("run/{}", run.id)}, {"startedOn", run.started_at.text()}}}}}};
  return predicate.dump();
}

json metrics_of(const lab::EpochMetrics& epoch) {
  json metrics{{"training_loss", epoch.training_loss}};
  if (epoch.validation_loss) metrics["validation_loss"] = *epoch.validation_loss;
  if (epoch.validation_accuracy) metrics["validation_balanced_accuracy"] = *epoch.validation_accuracy;
  return metrics;
}

json metrics_of(const lab::TrainResult& trained) {
  json metrics = metrics_of(trained.epochs.at(trained.best_epoch - 1));
  metrics["best_epoch"] = trained.best_epoch;
  metrics["epochs"] = trained.epochs.size();
  return metrics;
}

RunProgress progress_of(const lab::Progress& at) {
  RunProgress progress{.step = "training",
                       .line = fmt::format("epoch {} of {}", at.done, at.of),
                       .permille = {},
                       .metrics_json = {}};
  if (at.of > 0) progress.permille = static_cast<std::uint32_t>(1000 * std::min(at.done, at.of) / at.of);
  if (at.epoch) progress.metrics_json = metrics_of(*at.epoch).dump();
  return progress;
}

Result<lab::HardenSpec> harden_spec(const assess::Task& task, const TrainOrder& order) {
  lab::HardenSpec harden{.training = {.epochs = order.epochs, .seed = order.seed},
                         .attack = {},
                         .adversarial_share = order.adversarial_share};
  if (order.attack.empty()) return harden;
  const auto attack =
      std::ranges::find(task.attacks, order.attack, [](const assess::Attack& one) { return one.name; });
  if (attack == task.attacks.end()) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("the task has no attack {}", order.attack));
  }
  harden.attack = task.attack_spec(*attack, order.seed);
  // Madry et al. 2018 train with fewer steps than they attack with.
  harden.attack.steps = std::min<std::size_t>(harden.attack.steps, 7);
  harden.attack.restarts = 1;
  return harden;
}

Result<const assess::GroupBy*> group_of(const assess::Task& task, const std::string& name) {
  const auto found = std::ranges::find(task.groups, name, [](const assess::GroupBy& by) { return by.name; });
  if (found != task.groups.end()) return &*found;
  return fail(ErrorCode::kInvalidArgument, fmt::format("the task has no group {} to reweigh by", name));
}

Result<std::vector<float>> weights_of(const assess::Task& task, const assess::Rows& rows,
                                      const std::string& group) {
  auto weights = assess::balancing(rows);
  if (group.empty()) return weights;
  HF_TRY(const auto* const by, group_of(task, group));
  const auto fair =
      assess::reweighing(rows, rows.groupings[static_cast<std::size_t>(by - task.groups.data())]);
  for (std::size_t row = 0; row < weights.size(); ++row) weights[row] *= fair[row];
  return weights;
}

Result<> check_kept(const Dataset& dataset, base::Timestamp now) {
  if (now < dataset.keep_until) return {};
  return fail(ErrorCode::kPermissionDenied,
              fmt::format("the dataset {} was to be kept until {}; it may not be used any more", dataset.name,
                          dataset.keep_until.text()));
}

// One of the evaluations that may run at once, for its scope.
class Turn {
 public:
  static Result<Turn> take(std::counting_semaphore<>& free) {
    if (free.try_acquire()) return Turn(free);
    return fail(ErrorCode::kUnavailable, "as many evaluations run as may at once; try again later");
  }
  Turn(Turn&& other) noexcept : free_(std::exchange(other.free_, nullptr)) {}
  Turn& operator=(Turn&&) = delete;
  ~Turn() {
    if (free_ != nullptr) free_->release();
  }

 private:
  explicit Turn(std::counting_semaphore<>& free) : free_(&free) {}
  std::counting_semaphore<>* free_;
};

}  // namespace

OnStep Trials::report_to(const Run& run, const OnStep& on_step) {
  static constexpr std::chrono::seconds kBetween{1};
  return [this, run, on_step, next = std::chrono::steady_clock::time_point()](std::string_view line) mutable {
    if (on_step) on_step(line);
    const auto now = std::chrono::steady_clock::now();
    if (now < next) return;
    next = now + kBetween;
    const RunProgress at{.step = "evaluating", .line = std::string(line), .permille = {}, .metrics_json = {}};
    if (const auto kept = Runs(parts_).progress(run, at); !kept) {
      base::log(base::LogLevel::kWarning, "progress-not-kept", {{"why", kept.error().message}});
    }
  };
}

Result<Trials::Ground> Trials::ground(const base::WorkspaceId& workspace, std::string_view model) const {
  HF_TRY(auto requirements, RequirementsRoom(parts_).find(workspace, model));
  HF_TRY(auto task, assess::parse_task(requirements.task_toml, "task"));
  const Datasets datasets(parts_);
  HF_TRY(auto dataset, datasets.find(workspace, requirements.dataset, requirements.dataset_version));
  HF_CHECK(check_kept(dataset, parts_.clock.now()));
  HF_TRY(auto csv, datasets.open(dataset));
  return Ground{std::move(requirements), std::move(task), std::move(dataset), std::move(csv)};
}

Result<> Trials::check(const base::WorkspaceId& workspace, const TrainOrder& order) const {
  HF_TRY(const auto requirements, RequirementsRoom(parts_).find(workspace, order.model));
  HF_TRY(const auto task, assess::parse_task(requirements.task_toml, "task"));
  if (!order.group.empty()) HF_CHECK(group_of(task, order.group));
  HF_TRY(const auto harden, harden_spec(task, order));
  HF_CHECK(lab::check(harden.training));
  HF_TRY(const auto dataset,
         Datasets(parts_).find(workspace, requirements.dataset, requirements.dataset_version));
  return check_kept(dataset, parts_.clock.now());
}

Result<Trained> Trials::train(const Run& run, const TrainOrder& order, const std::stop_token& stop,
                              const OnRunProgress& on_progress) const {
  on_progress({.step = "reading the data", .line = {}, .permille = {}, .metrics_json = {}});
  HF_TRY(const Ground ground, this->ground(run.workspace, order.model));
  HF_TRY(const auto training, ground.rows(data::Part::kTrain));
  HF_TRY(const auto validation, ground.rows(data::Part::kValidation));
  HF_TRY(const auto weights, weights_of(ground.task, training, order.group));
  HF_TRY(const auto validation_weights, weights_of(ground.task, validation, order.group));
  const std::vector<std::int32_t> labels(training.labels.begin(), training.labels.end());
  const std::vector<std::int32_t> validation_labels(validation.labels.begin(), validation.labels.end());
  const lab::LabelledRows train_rows{training.matrix(), labels, weights};
  const lab::LabelledRows validation_rows{validation.matrix(), validation_labels, validation_weights};
  HF_TRY(const auto harden, harden_spec(ground.task, order));

  HF_TRY(auto lab,
         lab::Lab::start(
             {.executable = {}, .threads = options_.lab_threads, .weakest_jail = options_.weakest_jail}));
  HF_TRY(const auto stopper, worker::Stopper::of(lab.id()));
  const std::stop_callback on_stop(stop, [&stopper] { stopper.stop(); });
  const auto deadline = worker::deadline_in(options_.train_time);
  const auto progress = [&](const lab::Progress& at) { on_progress(progress_of(at)); };
  auto trained = order.attack.empty()
                     ? lab.train(train_rows, validation_rows, harden.training, deadline, progress)
                     : lab.harden(train_rows, validation_rows, harden, deadline, progress);
  if (!trained) return fail(std::move(trained).error());
  return Trained{.onnx = std::move(trained->onnx),
                 .provenance_json = provenance(run, order, ground.dataset, *trained),
                 .metrics_json = metrics_of(*trained).dump()};
}

Result<assess::Assessment> Trials::assess(const Ground& ground, const assess::Rows& rows,
                                          const Version& version, const OnStep& on_step) const {
  HF_TRY(const auto onnx, models_->open(version));
  HF_TRY(const auto sealed, model::SealedModel::copy(formats::MemorySource(onnx)));
  HF_TRY(auto engine,
         model::Engine::start(sealed, {.executable = {}, .weakest_jail = options_.weakest_jail}));
  auto lab = lab::Lab::start(
      {.executable = {}, .threads = options_.lab_threads, .weakest_jail = options_.weakest_jail});
  if (!lab && lab.error().code != ErrorCode::kUnsupported) return fail(std::move(lab).error());
  return assess::assess(ground.task, rows, engine, onnx, lab ? &*lab : nullptr,
                        {.model = version.digest,
                         .dataset = ground.dataset.digest,
                         .split = std::string(to_string(data::Part::kTest)),
                         .seed = 1,
                         .time_limit = options_.evaluate_time,
                         .on_step = on_step});
}

namespace {

Result<> check_can_run(const Version& version) {
  if (version.format == "onnx") return {};
  return fail(
      ErrorCode::kInvalidArgument,
      fmt::format("version {} of {} is of the format {}; what is measured and served is ONNX: export the "
                  "model to it and register that",
                  version.version, version.model, version.format));
}

}  // namespace

Result<Evaluated> Trials::evaluate(const access::Authorised& authorised, const Version& version,
                                   const std::optional<Version>& champion, const OnStep& on_step) {
  HF_CHECK(check_can_run(version));
  if (champion) HF_CHECK(check_can_run(*champion));
  HF_TRY(const auto turn, Turn::take(free_));
  Runs runs(parts_);
  json parameters{{"version", version.version}};
  if (champion) parameters["champion"] = champion->version;
  HF_TRY(const Run run, runs.start(authorised.caller(), "evaluate", version.model, parameters));
  auto evaluation = evaluate_in(authorised, version, champion, report_to(run, on_step));
  if (!evaluation) {
    HF_CHECK(runs.failed(run, evaluation.error()));
    return evaluation;
  }
  HF_CHECK(runs.done(run, {{"figures", evaluation->evaluation.figures.size()}}));
  return evaluation;
}

Result<Evaluated> Trials::evaluate_in(const access::Authorised& authorised, const Version& version,
                                      const std::optional<Version>& champion, const OnStep& on_step) {
  HF_TRY(const Ground ground, this->ground(version.workspace, version.model));
  HF_TRY(const auto rows, ground.rows(data::Part::kTest));
  HF_CHECK(TestLooks(parts_).count(authorised, ground.dataset.digest, version.digest));
  HF_TRY(auto assessment, assess(ground, rows, version, on_step));
  if (champion) {
    HF_TRY(const auto base, assess(ground, rows, *champion, on_step));
    HF_TRY(auto differences, assess::compare(ground.task, rows, base, assessment, 1));
    std::move(differences.begin(), differences.end(), std::back_inserter(assessment.evaluation.figures));
  }
  HF_TRY(std::string predicate, evaluate::to_json(assessment.evaluation));
  HF_TRY(auto change, parts_.database.begin());
  HF_CHECK(EvidenceRoom(parts_).add(change, version.workspace,
                                    {.subject_name = version.model,
                                     .subject = version.digest,
                                     .predicate_type = std::string(kEvaluationPredicate),
                                     .predicate_json = std::move(predicate)}));
  HF_CHECK(change.commit());
  return Evaluated{std::move(assessment.evaluation), std::move(assessment.warnings)};
}

}  // namespace holdfast::registry
