#include "server/watch.h"

#include <fmt/format.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "server/rows_record.h"

namespace holdfast::server {

using base::Result;
using nlohmann::json;

namespace {

constexpr std::string_view kSource = "drift";
constexpr std::string_view kRunbook = "/docs/alerts#drift";
constexpr std::chrono::seconds kLongestRest{5};

json measurement_json(const stats::Measurement& measurement) {
  return {{"name", measurement.name},
          {"value", fmt::format("{:.4g}", measurement.value)},
          {"low", fmt::format("{:.4g}", measurement.interval.low)},
          {"high", fmt::format("{:.4g}", measurement.interval.high)},
          {"rows", measurement.sample_size},
          {"method", measurement.method}};
}

json column_json(const monitor::ColumnDrift& column) {
  json figures = json::array();
  for (const auto& figure : column.figures) {
    json one = measurement_json(figure.measurement);
    one["chance"] = fmt::format("{:.4g}", figure.chance);
    one["p_value"] = fmt::format("{:.3g}", figure.p_value);
    figures.push_back(std::move(one));
  }
  return {{"column", column.column},
          {"score", column.is_score},
          {"state", to_string(column.state)},
          {"adjusted_p_value", fmt::format("{:.3g}", column.adjusted_p_value)},
          {"figures", std::move(figures)}};
}

std::vector<alerts::Signal> signals_of(const WatchReport& report, const base::WorkspaceId& workspace) {
  std::vector<alerts::Signal> signals;
  for (const auto& column : report.drift.columns) {
    if (column.state != monitor::DriftState::kDrifted) continue;
    const std::string name = column.is_score ? "score" : fmt::format("feature {}", column.column);
    signals.push_back(
        {.workspace = workspace,
         .source = std::string(kSource),
         .subject = fmt::format("endpoint:{}", report.endpoint),
         .name = name,
         .severity = alerts::Severity::kHigh,
         .summary = fmt::format("{} of the endpoint {} is not what version {} was released for ({} rows)",
                                name, report.endpoint, report.version, report.drift.rows),
         .details = column_json(column).dump(),
         .practice = "P18",
         .risk = "R10",
         .runbook = std::string(kRunbook)});
  }
  return signals;
}

monitor::Cell cell_of(const monitor::ReferenceColumn& column, const std::string& text) {
  if (text.empty()) return std::monostate{};
  if (!column.numbers) return std::string_view(text);
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (end != text.c_str() + text.size()) return std::string_view(text);
  return value;
}

void add_row(monitor::Window& window, const gateway::Guard::Row& cells) {
  const auto& columns = window.reference().columns();
  std::vector<monitor::Cell> row(columns.size());
  for (const auto& cell : cells) {
    const auto place = window.reference().place_of(cell.column);
    if (place) row[*place] = cell_of(columns[*place], cell.value);
  }
  window.add_row(row);
}

// The probability of 1 of each row, from the first output that has one or two floats a row.
std::vector<double> scores_of(std::span<const model::Tensor> outputs, std::uint64_t rows) {
  for (const auto& output : outputs) {
    if (output.datatype != model::Datatype::kFp32 && output.datatype != model::Datatype::kFp64) continue;
    const auto values = model::numbers(output);
    if (!values || rows == 0 || (values->size() != rows && values->size() != 2 * rows)) continue;
    const std::size_t width = values->size() / rows;
    std::vector<double> scores;
    for (std::uint64_t row = 0; row < rows; ++row) scores.push_back((*values)[row * width + (width - 1)]);
    return scores;
  }
  return {};
}

}  // namespace

json WatchReport::json() const {
  nlohmann::json columns = nlohmann::json::array();
  for (const auto& column : drift.columns) columns.push_back(column_json(column));
  nlohmann::json value{{"endpoint", endpoint},
                       {"version", version},
                       {"at", at.text()},
                       {"state", to_string(drift.state)},
                       {"rows", drift.rows},
                       {"procedure", drift.procedure},
                       {"columns", std::move(columns)}};
  if (estimate) {
    nlohmann::json figures = nlohmann::json::array();
    for (const auto& figure : estimate->figures) figures.push_back(measurement_json(figure));
    value["estimate"] = {{"state", to_string(estimate->state)},
                         {"figures", std::move(figures)},
                         {"assumption", monitor::kEstimateAssumption}};
  }
  return value;
}

Watch::Watch(Installation& installation, const WatchOptions& options)
    : installation_(&installation), options_(options), thread_([this] { work(); }) {}

Watch::~Watch() {
  {
    const base::MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Watch::begin(const std::string& endpoint, std::int64_t version,
                  std::shared_ptr<const monitor::Reference> reference) {
  const base::MutexLock lock(mutex_);
  auto window = std::make_unique<monitor::Window>(reference);
  watched_.insert_or_assign(
      endpoint, Watched{.version = version, .reference = std::move(reference), .window = std::move(window)});
}

void Watch::end(const std::string& endpoint) {
  const base::MutexLock lock(mutex_);
  watched_.erase(endpoint);
  last_.erase(endpoint);
}

Result<> Watch::on_prediction(const gateway::PredictionRecord& record) {
  const std::uint64_t rows = gateway::Guard::row_count(record.inputs);
  const auto scores = scores_of(record.outputs, rows);
  const auto cells =
      record.guard != nullptr ? record.guard->rows(record.inputs) : std::vector<gateway::Guard::Row>();
  const base::MutexLock lock(mutex_);
  const auto found = watched_.find(std::string(record.endpoint));
  if (found == watched_.end()) return {};
  Watched& watched = found->second;
  if (record.version != fmt::format("{}", watched.version))
    return {};  // a request that an older release ends
  for (std::uint64_t row = 0; row < cells.size(); ++row) {
    add_row(*watched.window, cells[row]);
    if (row < scores.size()) watched.window->add_score(scores[row]);
    if (watched.window->rows() < options_.window_rows) continue;
    if (whole_.size() >= options_.max_waiting) {
      whole_.pop_front();
      base::log(base::LogLevel::kWarning, "window-dropped", {{"endpoint", found->first}});
    }
    whole_.push_back(
        {.endpoint = found->first, .version = watched.version, .window = std::move(*watched.window)});
    watched.window = std::make_unique<monitor::Window>(watched.reference);
    changed_.notify_all();
  }
  return {};
}

Result<> Watch::on_refusal(const gateway::RefusalRecord& /*record*/) { return {}; }

std::optional<WatchReport> Watch::last(const std::string& endpoint) const {
  const base::MutexLock lock(mutex_);
  const auto found = last_.find(endpoint);
  return found == last_.end() ? std::nullopt : std::optional(found->second);
}

std::uint64_t Watch::waiting_rows(const std::string& endpoint) const {
  const base::MutexLock lock(mutex_);
  const auto found = watched_.find(endpoint);
  return found == watched_.end() ? 0 : found->second.window->rows();
}

void Watch::settle() {
  const base::MutexLock lock(mutex_);
  ++settling_;
  changed_.notify_all();
  while (busy_ || !whole_.empty()) changed_.wait(mutex_);
  --settling_;
}

void Watch::work() {
  while (const auto whole = next()) {
    const auto begun = std::chrono::steady_clock::now();
    if (const auto measured = measure(*whole); !measured) {
      base::log(base::LogLevel::kError, "window-not-measured",
                {{"endpoint", whole->endpoint}, {"why", measured.error().message}});
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    const auto rest =
        std::min<std::chrono::duration<double>>(took * (1 / options_.most_of_processor - 1), kLongestRest);
    const base::MutexLock lock(mutex_);
    rested_ = std::chrono::steady_clock::now() +
              std::chrono::duration_cast<std::chrono::steady_clock::duration>(rest);
  }
}

// None when the watch ends.
std::optional<Watch::Whole> Watch::next() {
  const base::MutexLock lock(mutex_);
  busy_ = false;
  changed_.notify_all();
  for (;;) {
    if (stopping_) return std::nullopt;
    const bool tired = settling_ == 0 && std::chrono::steady_clock::now() < rested_;
    if (!whole_.empty() && !tired) break;
    if (whole_.empty()) {
      changed_.wait(mutex_);
    } else {
      changed_.wait_until(mutex_, rested_);
    }
  }
  busy_ = true;
  return take_next();
}

// The oldest, with those of the same release that wait behind it.
Watch::Whole Watch::take_next() {
  Whole first = std::move(whole_.front());
  whole_.pop_front();
  if (settling_ > 0) return first;
  std::erase_if(whole_, [&first](const Whole& other) {
    return other.endpoint == first.endpoint && other.version == first.version &&
           first.window.merge(other.window).has_value();
  });
  return first;
}

Result<> Watch::measure(const Whole& whole) {
  WatchReport report{.endpoint = whole.endpoint,
                     .version = whole.version,
                     .at = base::system_clock().now(),
                     .drift = {},
                     .estimate = std::nullopt};
  HF_TRY(report.drift, monitor::measure_drift(whole.window));
  if (whole.window.reference().calibration()) {
    HF_TRY(report.estimate, monitor::estimate_performance(whole.window));
  }
  {
    const base::MutexLock lock(mutex_);
    last_.insert_or_assign(whole.endpoint, report);
  }
  return tell(report);
}

// Audit first: an alert's row carries the record of the measurement that raised it.
Result<> Watch::tell(const WatchReport& report) {
  const auto& workspace = Installation::workspace();
  const auto signals = signals_of(report, workspace);
  json drifted = json::array();
  for (const auto& signal : signals) drifted.push_back(signal.name);
  json about{{"version", report.version}, {"rows", report.drift.rows}, {"drifted", drifted}};
  if (report.estimate) about["estimate"] = to_string(report.estimate->state);
  RowsRecord record(installation_->log(),
                    {.workspace = workspace,
                     .actor = "monitor",
                     .action = "drift.measure",
                     .resource = fmt::format("endpoint:{}", report.endpoint),
                     .decision = std::string(to_string(report.drift.state)),
                     .details = {}},
                    std::move(about));
  HF_TRY(auto change, installation_->database().begin());
  if (!signals.empty()) {
    HF_CHECK(installation_->alerts().raise(change, signals, record.writer()));
  } else if (report.drift.state != monitor::DriftState::kCouldNotTell) {
    HF_CHECK(installation_->alerts().quiet(change, workspace, kSource,
                                           fmt::format("endpoint:{}", report.endpoint), record.writer()));
  } else {
    HF_CHECK(record.writer()(json::object()));
  }
  HF_CHECK(record.commit(change));
  installation_->wake_delivery();
  return {};
}

}  // namespace holdfast::server
