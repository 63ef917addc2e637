#include "registry/trials.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "lab/lab.h"
#include "model/engine.h"

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

json parameters_of(const TrainOrder& order) {
  return {{"group", order.group},
          {"attack", order.attack},
          {"adversarial_share", fmt::format("{}", order.adversarial_share)},
          {"epochs", order.epochs},
          {"seed", order.seed}};
}

// SLSA provenance v1 (slsa.dev/spec/v1.0/provenance): what was made of what, how, and by which run.
Statement provenance(const Version& version, const Run& run, const TrainOrder& order, const Dataset& dataset,
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
        {"externalParameters", parameters_of(order)},
        {"internalParameters", {{"jail", json::parse(trained.jail.json())}}},
        {"resolvedDependencies", std::move(dependencies)}}},
      {"runDetails",
       {{"builder", {{"id", "urn:holdfast:lab"}}},
        {"metadata",
         {{"invocationId", fmt::format("run/{}", run.id)}, {"startedOn", run.started_at.text()}}}}}};
  return {.subject_name = version.model,
          .subject = version.digest,
          .predicate_type = std::string(kProvenancePredicate),
          .predicate_json = predicate.dump()};
}

// The bytes as a file that lies nowhere.
Result<formats::FileSource> file_of(base::ByteView bytes) {
  base::UniqueFd fd(::memfd_create("holdfast-model", MFD_CLOEXEC));
  if (!fd.valid()) return base::fail_errno("cannot hold a model in memory", errno);
  HF_CHECK(base::write_full(fd.get(), bytes));
  return formats::FileSource::adopt(std::move(fd));
}

Result<std::vector<float>> weights_of(const assess::Task& task, const assess::Rows& rows,
                                      const std::string& group) {
  auto weights = assess::balancing(rows);
  if (group.empty()) return weights;
  const auto found = std::find_if(task.groups.begin(), task.groups.end(),
                                  [&](const assess::GroupBy& by) { return by.name == group; });
  if (found == task.groups.end()) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("the task has no group {} to reweigh by", group));
  }
  const auto fair =
      assess::reweighing(rows, rows.groupings[static_cast<std::size_t>(found - task.groups.begin())]);
  for (std::size_t row = 0; row < weights.size(); ++row) weights[row] *= fair[row];
  return weights;
}

json metrics_of(const lab::TrainResult& trained) {
  const auto& best = trained.epochs.at(trained.best_epoch - 1);
  json metrics{{"best_epoch", trained.best_epoch}, {"epochs", trained.epochs.size()}};
  metrics["training_loss"] = best.training_loss;
  if (best.validation_loss) metrics["validation_loss"] = *best.validation_loss;
  if (best.validation_accuracy) metrics["validation_balanced_accuracy"] = *best.validation_accuracy;
  return metrics;
}

// One of the trials that may run at once, for its scope.
class Turn {
 public:
  static Result<Turn> take(std::counting_semaphore<>& free) {
    if (free.try_acquire()) return Turn(free);
    return fail(ErrorCode::kUnavailable,
                "as many trainings and evaluations run as may at once; try again later");
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
    if (const auto kept = Runs(parts_).progress(run, line); !kept) {
      base::log(base::LogLevel::kWarning, "progress-not-kept", {{"why", kept.error().message}});
    }
  };
}

Result<Trials::Ground> Trials::ground(const base::WorkspaceId& workspace, std::string_view model) const {
  HF_TRY(auto requirements, RequirementsRoom(parts_).find(workspace, model));
  HF_TRY(auto task, assess::parse_task(requirements.task_toml, "task"));
  const Datasets datasets(parts_);
  HF_TRY(auto dataset, datasets.find(workspace, requirements.dataset, requirements.dataset_version));
  if (dataset.keep_until <= parts_.clock.now()) {
    return fail(ErrorCode::kPermissionDenied,
                fmt::format("the dataset {} was to be kept until {}; it may not be used any more",
                            dataset.name, dataset.keep_until.text()));
  }
  HF_TRY(auto csv, datasets.open(dataset));
  return Ground{std::move(requirements), std::move(task), std::move(dataset), std::move(csv)};
}

Result<Version> Trials::train(const access::Authorised& authorised, const TrainOrder& order,
                              const OnStep& on_step) {
  HF_TRY(const auto turn, Turn::take(free_));
  Runs runs(parts_);
  HF_TRY(const Run run, runs.start(authorised.caller(), order.attack.empty() ? "train" : "harden",
                                   order.model, parameters_of(order)));
  auto version = train_in(run, authorised, order, report_to(run, on_step));
  if (!version) HF_CHECK(runs.failed(run, version.error()));
  return version;
}

Result<Version> Trials::train_in(const Run& run, const access::Authorised& authorised,
                                 const TrainOrder& order, const OnStep& on_step) {
  HF_TRY(const Ground ground, this->ground(authorised.caller().workspace(), order.model));
  HF_TRY(const auto training, ground.rows(data::Part::kTrain));
  HF_TRY(const auto validation, ground.rows(data::Part::kValidation));
  HF_TRY(const auto weights, weights_of(ground.task, training, order.group));
  HF_TRY(const auto validation_weights, weights_of(ground.task, validation, order.group));
  const std::vector<std::int32_t> labels(training.labels.begin(), training.labels.end());
  const std::vector<std::int32_t> validation_labels(validation.labels.begin(), validation.labels.end());
  const lab::LabelledRows train_rows{training.matrix(), labels, weights};
  const lab::LabelledRows validation_rows{validation.matrix(), validation_labels, validation_weights};
  const lab::TrainSpec spec{.epochs = order.epochs, .seed = order.seed};

  HF_TRY(auto lab,
         lab::Lab::start(
             {.executable = {}, .threads = options_.lab_threads, .weakest_jail = options_.weakest_jail}));
  const auto deadline = worker::deadline_in(options_.train_time);
  Runs runs(parts_);
  const auto progress = [&](const lab::Progress& at) {
    const auto line = fmt::format("epoch {} of {}", at.done, at.of);
    if (on_step) on_step(line);
  };
  lab::HardenSpec harden{.training = spec, .attack = {}, .adversarial_share = order.adversarial_share};
  if (!order.attack.empty()) {
    const auto attack = std::find_if(ground.task.attacks.begin(), ground.task.attacks.end(),
                                     [&](const assess::Attack& one) { return one.name == order.attack; });
    if (attack == ground.task.attacks.end()) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("the task has no attack {}", order.attack));
    }
    harden.attack = ground.task.attack_spec(*attack, order.seed);
    // Madry et al. 2018 train with fewer steps than they attack with.
    harden.attack.steps = std::min<std::size_t>(harden.attack.steps, 7);
    harden.attack.restarts = 1;
  }
  auto trained = order.attack.empty() ? lab.train(train_rows, validation_rows, spec, deadline, progress)
                                      : lab.harden(train_rows, validation_rows, harden, deadline, progress);
  if (!trained) return fail(std::move(trained).error());

  HF_TRY(const auto file, file_of(trained->onnx));
  HF_TRY(auto admitted,
         models_->admit(
             authorised,
             {.model = order.model, .file_name = fmt::format("run-{}.onnx", run.id), .run = run.id}, file));
  if (const auto* refusal = std::get_if<Refusal>(&admitted)) {
    return fail(ErrorCode::kPermissionDenied, "the model that was trained was refused: " + refusal->reason);
  }
  auto& version = std::get<Version>(admitted);
  HF_TRY(auto change, parts_.database.begin());
  HF_CHECK(EvidenceRoom(parts_).add(change, version.workspace,
                                    provenance(version, run, order, ground.dataset, *trained)));
  HF_CHECK(change.commit());
  json result = metrics_of(*trained);
  result["version"] = version.version;
  result["digest"] = version.digest.prefixed();
  HF_CHECK(runs.done(run, result));
  return std::move(version);
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
  HF_CHECK(RequirementsRoom(parts_).count_look(authorised.caller(), ground.dataset, version.digest));
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
