#include "lab/wire.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "data/json_fields.h"
#include "worker/stderr_tail.h"

namespace holdfast::lab {

using base::ErrorCode;
using base::fail;
using base::Result;
using data::JsonFields;
using data::number_text;
using nlohmann::json;

namespace {

constexpr base::JsonLimits kLimits{.max_bytes = 32UL << 20, .max_depth = 8};

template <typename T>
struct Name {
  T value;
  std::string_view name;
};

constexpr auto kTasks = std::to_array<Name<Task>>({{Task::kTrain, "train"},
                                                   {Task::kHarden, "harden"},
                                                   {Task::kAttack, "attack"},
                                                   {Task::kOutputs, "outputs"}});
constexpr auto kDirections = std::to_array<Name<Direction>>(
    {{Direction::kEither, "either"}, {Direction::kRise, "rise"}, {Direction::kFall, "fall"}});
constexpr auto kMethods =
    std::to_array<Name<AttackMethod>>({{AttackMethod::kFgsm, "fgsm"}, {AttackMethod::kPgd, "pgd"}});
// What a lab may blame a request for.
constexpr auto kFailures = std::to_array<Name<ErrorCode>>({{ErrorCode::kInvalidArgument, "invalid"},
                                                           {ErrorCode::kUnsupported, "unsupported"},
                                                           {ErrorCode::kLimitExceeded, "limit"},
                                                           {ErrorCode::kDataCorrupt, "corrupt"},
                                                           {ErrorCode::kInternal, "internal"}});

template <typename Names, typename T>
std::string name_of(const Names& names, T value) {
  for (const auto& entry : names) {
    if (entry.value == value) return std::string(entry.name);
  }
  return "internal";
}

template <typename Names>
auto value_of(const Names& names, JsonFields& fields, std::string_view field)
    -> Result<decltype(names.front().value)> {
  HF_TRY(const std::string text, fields.text(field));
  for (const auto& entry : names) {
    if (entry.name == text) return entry.value;
  }
  return fail(fields.wrong(field, "is none of the names that it can have"));
}

json seed_json(std::uint64_t seed) { return fmt::format("{}", seed); }

Result<std::uint64_t> read_seed(JsonFields& fields) {
  HF_TRY(const std::string text, fields.text("seed"));
  std::uint64_t seed = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, seed);
  if (read.ptr != end || read.ec != std::errc()) return fail(fields.wrong("seed", "is no number"));
  return seed;
}

Result<std::optional<double>> read_optional(JsonFields& fields, std::string_view name) {
  if (!fields.has(name)) return std::optional<double>();
  HF_TRY(const double value, fields.number_text(name));
  return std::optional<double>(value);
}

void put_optional(json& object, const char* name, const std::optional<double>& value) {
  if (value) object[name] = number_text(*value);
}

json training_json(const TrainSpec& spec) {
  json weights = json::array();
  for (const double weight : spec.class_weights) weights.push_back({{"weight", number_text(weight)}});
  return {{"classes", spec.classes},
          {"hidden", spec.hidden},
          {"dropout", number_text(spec.dropout)},
          {"learning_rate", number_text(spec.learning_rate)},
          {"weight_decay", number_text(spec.weight_decay)},
          {"batch_size", spec.batch_size},
          {"epochs", spec.epochs},
          {"patience", spec.patience},
          {"class_weights", weights},
          {"seed", seed_json(spec.seed)}};
}

Result<TrainSpec> read_training(const json& value) {
  HF_TRY(JsonFields fields, JsonFields::of(value, "the training"));
  TrainSpec spec;
  HF_TRY(spec.classes, fields.count("classes"));
  HF_TRY(const json* const hidden, fields.array("hidden", kMaxHiddenLayers));
  spec.hidden.clear();
  for (const json& width : *hidden) {
    if (!width.is_number_unsigned()) return fail(fields.wrong("hidden", "holds what is no width"));
    spec.hidden.push_back(width.get<std::size_t>());
  }
  HF_TRY(spec.dropout, fields.number_text("dropout"));
  HF_TRY(spec.learning_rate, fields.number_text("learning_rate"));
  HF_TRY(spec.weight_decay, fields.number_text("weight_decay"));
  HF_TRY(spec.batch_size, fields.count("batch_size"));
  HF_TRY(spec.epochs, fields.count("epochs"));
  HF_TRY(spec.patience, fields.count("patience"));
  HF_TRY(const json* const weights, fields.array("class_weights", kMaxClasses));
  for (const json& entry : *weights) {
    HF_TRY(JsonFields inner, JsonFields::of(entry, "a class weight"));
    HF_TRY(const double weight, inner.number_text("weight"));
    HF_CHECK(inner.end());
    spec.class_weights.push_back(weight);
  }
  HF_TRY(spec.seed, read_seed(fields));
  HF_CHECK(fields.end());
  HF_CHECK(check(spec));
  return spec;
}

json column_json(const ColumnConstraint& column) {
  json object{{"can_change", column.can_change},
              {"direction", name_of(kDirections, column.direction)},
              {"integer", column.integer},
              {"unit_cost", number_text(column.unit_cost)}};
  put_optional(object, "max_change", column.max_change);
  put_optional(object, "lower", column.lower);
  put_optional(object, "upper", column.upper);
  return object;
}

Result<ColumnConstraint> read_column(const json& value) {
  HF_TRY(JsonFields fields, JsonFields::of(value, "a column's constraint"));
  ColumnConstraint column;
  HF_TRY(column.can_change, fields.boolean("can_change"));
  HF_TRY(column.direction, value_of(kDirections, fields, "direction"));
  HF_TRY(column.integer, fields.boolean("integer"));
  HF_TRY(column.unit_cost, fields.number_text("unit_cost"));
  HF_TRY(column.max_change, read_optional(fields, "max_change"));
  HF_TRY(column.lower, read_optional(fields, "lower"));
  HF_TRY(column.upper, read_optional(fields, "upper"));
  HF_CHECK(fields.end());
  return column;
}

json attack_json(const AttackSpec& spec) {
  json columns = json::array();
  for (const auto& column : spec.columns) columns.push_back(column_json(column));
  json object{{"method", name_of(kMethods, spec.method)},
              {"columns", columns},
              {"strength", number_text(spec.strength)},
              {"steps", spec.steps},
              {"step_size", number_text(spec.step_size)},
              {"restarts", spec.restarts},
              {"seed", seed_json(spec.seed)}};
  put_optional(object, "cost_budget", spec.cost_budget);
  return object;
}

Result<AttackSpec> read_attack(const json& value, std::size_t columns) {
  HF_TRY(JsonFields fields, JsonFields::of(value, "the attack"));
  AttackSpec spec;
  HF_TRY(spec.method, value_of(kMethods, fields, "method"));
  HF_TRY(const json* const list, fields.array("columns", kMaxColumns));
  for (const json& entry : *list) {
    HF_TRY(auto column, read_column(entry));
    spec.columns.push_back(column);
  }
  HF_TRY(spec.strength, fields.number_text("strength"));
  HF_TRY(spec.cost_budget, read_optional(fields, "cost_budget"));
  HF_TRY(spec.steps, fields.count("steps"));
  HF_TRY(spec.step_size, fields.number_text("step_size"));
  HF_TRY(spec.restarts, fields.count("restarts"));
  HF_TRY(spec.seed, read_seed(fields));
  HF_CHECK(fields.end());
  HF_CHECK(check(spec, columns));
  return spec;
}

bool trains(Task task) { return task == Task::kTrain || task == Task::kHarden; }
bool attacks(Task task) { return task == Task::kAttack || task == Task::kHarden; }

Result<> read_sizes(JsonFields& fields, LabRequest& request) {
  HF_TRY(request.columns, fields.count("columns"));
  HF_TRY(request.rows, fields.count("rows"));
  HF_TRY(request.weighted, fields.boolean("weighted"));
  HF_TRY(request.validation_rows, fields.count("validation_rows"));
  HF_TRY(request.validation_weighted, fields.boolean("validation_weighted"));
  HF_TRY(request.model_bytes, fields.count("model_bytes"));
  HF_TRY(request.threads, fields.count("threads"));
  if (request.columns == 0 || request.columns > kMaxColumns) {
    return fail(fields.wrong("columns", "is out of range"));
  }
  const std::size_t most = kMaxCells / request.columns;
  if (request.rows > most) return fail(fields.wrong("rows", "is out of range"));
  if (request.validation_rows > most) return fail(fields.wrong("validation_rows", "is out of range"));
  if (request.model_bytes > kMaxModelBytes) return fail(fields.wrong("model_bytes", "is out of range"));
  if (request.threads == 0 || request.threads > kMaxThreads)
    return fail(fields.wrong("threads", "is out of range"));
  return {};
}

json progress_json(const Progress& progress) {
  json object{{"done", progress.done}, {"of", progress.of}};
  if (progress.epoch) {
    json epoch{{"epoch", progress.epoch->epoch},
               {"training_loss", number_text(progress.epoch->training_loss)}};
    put_optional(epoch, "validation_loss", progress.epoch->validation_loss);
    put_optional(epoch, "validation_accuracy", progress.epoch->validation_accuracy);
    object["epoch"] = epoch;
  }
  return object;
}

Result<Progress> read_progress(const json& value) {
  HF_TRY(JsonFields fields, JsonFields::of(value, "the progress"));
  Progress progress;
  HF_TRY(progress.done, fields.count("done"));
  HF_TRY(progress.of, fields.count("of"));
  if (progress.done > progress.of) return fail(fields.wrong("done", "is more than there is"));
  if (fields.has("epoch")) {
    HF_TRY(const json* const object, fields.object("epoch"));
    HF_TRY(JsonFields inner, JsonFields::of(*object, "the epoch"));
    EpochMetrics epoch;
    HF_TRY(epoch.epoch, inner.count("epoch"));
    HF_TRY(epoch.training_loss, inner.number_text("training_loss"));
    HF_TRY(epoch.validation_loss, read_optional(inner, "validation_loss"));
    HF_TRY(epoch.validation_accuracy, read_optional(inner, "validation_accuracy"));
    HF_CHECK(inner.end());
    progress.epoch = epoch;
  }
  HF_CHECK(fields.end());
  return progress;
}

Result<base::Error> read_failure(const json& value) {
  HF_TRY(JsonFields fields, JsonFields::of(value, "the failure"));
  HF_TRY(const ErrorCode code, value_of(kFailures, fields, "code"));
  HF_TRY(const std::string message, fields.text("message"));
  HF_CHECK(fields.end());
  return base::Error{code, worker::printable(message.substr(0, kMaxMessageBytes))};
}

Result<LabDone> read_done(const json& value) {
  HF_TRY(JsonFields fields, JsonFields::of(value, "the end"));
  LabDone done;
  HF_TRY(done.bytes, fields.count("bytes"));
  HF_TRY(done.best_epoch, fields.count("best_epoch"));
  HF_TRY(done.zero_gradient_share, fields.number_text("zero_gradient_share"));
  if (!(done.zero_gradient_share >= 0 && done.zero_gradient_share <= 1)) {
    return fail(fields.wrong("zero_gradient_share", "is no share"));
  }
  HF_CHECK(fields.end());
  return done;
}

Result<LabAnswer> read_answer(const json& value) {
  HF_TRY(JsonFields fields, JsonFields::of(value, "the lab's answer"));
  LabAnswer answer;
  if (fields.has("progress")) {
    HF_TRY(const json* const object, fields.object("progress"));
    HF_TRY(answer, read_progress(*object));
  } else if (fields.has("failure")) {
    HF_TRY(const json* const object, fields.object("failure"));
    HF_TRY(answer, read_failure(*object));
  } else {
    HF_TRY(const json* const object, fields.object("done"));
    HF_TRY(answer, read_done(*object));
  }
  HF_CHECK(fields.end());
  return answer;
}

}  // namespace

std::string encode(const LabRequest& request) {
  json object{{"task", name_of(kTasks, request.task)},
              {"columns", request.columns},
              {"rows", request.rows},
              {"weighted", request.weighted},
              {"validation_rows", request.validation_rows},
              {"validation_weighted", request.validation_weighted},
              {"model_bytes", request.model_bytes},
              {"threads", request.threads}};
  if (trains(request.task)) object["training"] = training_json(request.training);
  if (attacks(request.task)) object["attack"] = attack_json(request.attack);
  if (request.task == Task::kHarden) object["adversarial_share"] = number_text(request.adversarial_share);
  return data::canonical_text(object);
}

Result<LabRequest> decode_request(base::ByteView frame) {
  HF_TRY(const json value, base::parse_json(base::as_text(frame), kLimits));
  HF_TRY(JsonFields fields, JsonFields::of(value, "the request to the lab"));
  LabRequest request;
  HF_TRY(request.task, value_of(kTasks, fields, "task"));
  HF_CHECK(read_sizes(fields, request));
  if (trains(request.task)) {
    HF_TRY(const json* const object, fields.object("training"));
    HF_TRY(request.training, read_training(*object));
  }
  if (attacks(request.task)) {
    HF_TRY(const json* const object, fields.object("attack"));
    HF_TRY(request.attack, read_attack(*object, request.columns));
  }
  if (request.task == Task::kHarden) {
    HF_TRY(request.adversarial_share, fields.number_text("adversarial_share"));
    HF_CHECK(check(HardenSpec{request.training, request.attack, request.adversarial_share}, request.columns));
  }
  HF_CHECK(fields.end());
  return request;
}

std::string encode(const LabAnswer& answer) {
  json object;
  if (const auto* progress = std::get_if<Progress>(&answer)) {
    object["progress"] = progress_json(*progress);
  } else if (const auto* error = std::get_if<base::Error>(&answer)) {
    object["failure"] = {{"code", name_of(kFailures, error->code)},
                         {"message", worker::printable(error->message.substr(0, kMaxMessageBytes))}};
  } else {
    const auto& done = std::get<LabDone>(answer);
    object["done"] = {{"bytes", done.bytes},
                      {"best_epoch", done.best_epoch},
                      {"zero_gradient_share", number_text(done.zero_gradient_share)}};
  }
  return data::canonical_text(object);
}

Result<LabAnswer> decode_answer(base::ByteView frame) {
  auto value = base::parse_json(base::as_text(frame), kLimits);
  auto answer = value ? read_answer(*value) : Result<LabAnswer>(fail(std::move(value).error()));
  if (answer) return answer;
  return fail(ErrorCode::kDataCorrupt,
              fmt::format("the lab gave no answer that it can give: {}",
                          worker::printable(answer.error().message.substr(0, kMaxMessageBytes))));
}

}  // namespace holdfast::lab
