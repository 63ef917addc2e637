#include "intake/inspector.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/file.h"
#include "formats/source.h"
#include "intake/inspect_process.h"
#include "intake/inspect_wire.h"
#include "intake/relations.h"
#include "intake/rule_wire.h"
#include "worker/process.h"

namespace holdfast::intake {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using base::fail;

struct Item {
  fs::path path;
  bool link = false;
};

base::Result<> walk(const fs::path& folder, std::vector<Item>& items) {
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    const auto status = entry->symlink_status(error);
    if (error) break;
    if (fs::is_directory(status)) continue;
    if (items.size() >= kMaxFiles) {
      return fail(ErrorCode::kLimitExceeded,
                  fmt::format("{} holds more than {} files; inspect its parts", folder.string(), kMaxFiles));
    }
    items.push_back({entry->path(), fs::is_symlink(status)});
  }
  if (error) return base::fail_errno(fmt::format("cannot list {}", folder.string()), error.value());
  return {};
}

base::Result<std::vector<Item>> gather(std::span<const fs::path> paths) {
  std::vector<Item> items;
  for (const auto& path : paths) {
    std::error_code error;
    const auto status = fs::status(path, error);
    if (!fs::exists(status)) {
      return base::fail_errno(fmt::format("cannot inspect {}", path.string()),
                              error ? error.value() : ENOENT);
    }
    const auto first = static_cast<std::ptrdiff_t>(items.size());
    if (fs::is_directory(status)) {
      HF_CHECK(walk(path, items));
    } else {
      items.push_back({path, /*link=*/false});  // a link that the person named is the person's choice
    }
    std::sort(items.begin() + first, items.end(),
              [](const Item& a, const Item& b) { return a.path < b.path; });
  }
  return items;
}

// One worker after another: a file that ends one does not take the next file with it.
class Inspector {
 public:
  explicit Inspector(const InspectOptions& options) : options_(options) {}

  base::Result<inspect::FileReport> inspect(const Item& item) {
    inspect::FileReport report{.path = item.path.string(), .format = {}, .not_looked_at = {}, .findings = {}};
    if (item.link) {
      report.format = "symbolic link";
      add(report, "file.link", "a symbolic link was not followed");
      return report;
    }
    auto fd = base::open_regular_file(item.path);
    if (!fd) {
      report.not_looked_at.push_back(fd.error().message);
      return report;
    }
    HF_TRY(const auto file, formats::FileSource::adopt(std::move(*fd)));
    HF_CHECK(inspect(file, report));
    return report;
  }

  // What the file needs beside it that was inspected last.
  std::vector<inspect::Reference> take_references() { return std::exchange(references_, {}); }

  base::Result<> inspect(const formats::FileSource& file, inspect::FileReport& report) {
    references_.clear();
    report.size_bytes = file.size();
    if (!worker_) HF_CHECK(start());
    if (auto answered = exchange(file, report); !answered) {
      const auto why = end_worker(answered.error());
      add(report, "file.worker-died", why);
      report.not_looked_at.push_back(why);
    }
    return {};
  }

 private:
  base::Result<> start() {
    HF_TRY(auto process,
           start_inspect_process(options_.executable, options_.memory_bytes, options_.weakest_jail));
    worker_.emplace(std::move(process));
    if (!options_.rules || options_.rules->lists.empty()) return {};
    return worker_->channel().send(encode(options_.rules->lists),
                                   worker::deadline_in(options_.time_per_file));
  }

  // Why the worker gave no answer, once it is gone.
  std::string end_worker(const base::Error& error) {
    constexpr std::chrono::milliseconds kTimeToEnd{1000};
    const bool late = error.code == ErrorCode::kDeadline;
    const auto waited =
        late ? base::Result<worker::Exit>(fail(error)) : worker_->wait(worker::deadline_in(kTimeToEnd));
    const worker::Exit exit = waited ? *waited : worker_->stop();
    worker_.reset();
    if (late) return fmt::format("the worker was stopped after {} s", options_.time_per_file.count());
    return exit.cause == worker::ExitCause::kStopped ? error.message
                                                     : fmt::format("the worker {}", exit.sentence());
  }

  base::Result<> exchange(const formats::FileSource& file, inspect::FileReport& report) {
    const auto deadline = worker::deadline_in(options_.time_per_file);
    auto& channel = worker_->channel();
    HF_CHECK(
        channel.send(base::as_bytes(encode(InspectRequest{
                         .path = report.path, .explain = options_.explain, .weights = options_.weights})),
                     deadline, file.descriptor()));
    while (true) {
      HF_TRY(const auto frame, channel.receive(deadline));
      if (!frame) return fail(ErrorCode::kUnavailable, "the worker ended");
      HF_TRY(auto answer, decode_answer(frame->bytes, report.path));
      if (auto* finding = std::get_if<inspect::Finding>(&answer)) {
        if (report.findings.size() >= inspect::Findings::kMax) {
          return fail(ErrorCode::kLimitExceeded, "the worker gave findings without end");
        }
        report.findings.push_back(std::move(*finding));
        continue;
      }
      if (auto* program = std::get_if<inspect::Program>(&answer)) {
        if (report.programs.size() >= inspect::kMaxPrograms) {
          return fail(ErrorCode::kLimitExceeded, "the worker gave programs without end");
        }
        report.programs.push_back(std::move(*program));
        continue;
      }
      if (auto* reference = std::get_if<inspect::Reference>(&answer)) {
        if (references_.size() >= inspect::kMaxReferences) {
          return fail(ErrorCode::kLimitExceeded, "the worker gave references without end");
        }
        references_.push_back(std::move(*reference));
        continue;
      }
      auto& done = std::get<InspectDone>(answer);
      report.format = std::move(done.coverage.format);
      report.not_looked_at = std::move(done.coverage.not_looked_at);
      report.findings_dropped = done.findings_dropped;
      return {};
    }
  }

  static void add(inspect::FileReport& report, std::string_view rule_id, std::string message) {
    report.findings.push_back({.rule_id = std::string(rule_id),
                               .severity = inspect::find_rule(rule_id)->severity,
                               .path = report.path,
                               .offset = std::nullopt,
                               .message = std::move(message)});
  }

  const InspectOptions& options_;
  std::optional<worker::Process> worker_;
  std::vector<inspect::Reference> references_;
};

void judge_by(const InspectOptions& options, inspect::Report& report) {
  if (!options.overdue.empty() && !report.files.empty()) {
    auto& first = report.files.front();
    first.findings.push_back({.rule_id = "rules.overdue",
                              .severity = inspect::find_rule("rules.overdue")->severity,
                              .path = first.path,
                              .offset = std::nullopt,
                              .message = options.overdue});
  }
  inspect::apply(options.rules ? *options.rules : inspect::builtin_rules(), report);
}

}  // namespace

base::Result<inspect::Report> inspect_paths(std::span<const fs::path> paths, const InspectOptions& options) {
  HF_TRY(const auto items, gather(paths));
  Inspector inspector(options);
  Relations relations;
  inspect::Report report;
  for (const auto& item : items) {
    if (options.on_file) options.on_file(item.path.string());
    HF_TRY(auto file, inspector.inspect(item));
    relations.add(inspector.take_references(), file);
    report.files.push_back(std::move(file));
  }
  relations.apply(report);
  judge_by(options, report);
  return report;
}

base::Result<inspect::Report> inspect_file(const formats::FileSource& file, const std::string& name,
                                           const InspectOptions& options) {
  inspect::Report report;
  report.files.push_back({.path = name, .format = {}, .not_looked_at = {}, .findings = {}});
  HF_CHECK(Inspector(options).inspect(file, report.files.front()));
  judge_by(options, report);
  return report;
}

}  // namespace holdfast::intake
