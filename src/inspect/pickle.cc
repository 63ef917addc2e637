#include "inspect/pickle.h"

#include <fmt/format.h>

#include <array>

#include "base/assert.h"
#include "inspect/pickle_machine.h"

namespace holdfast::inspect {
namespace {

// What torch.save wrote before PyTorch 1.6 (torch/serialization.py, _legacy_save): magic number, protocol,
// system, the object, the keys of its storages, and their data, each behind a count of eight bytes.
constexpr std::size_t kTorchPickles = 5;
constexpr std::uint64_t kStorageCountBytes = 8;

constexpr std::array<std::string_view, 4> kVerdictNames{"allowed", "misused", "unknown", "dangerous"};

const Rule& rule_of(std::string_view id) {
  for (const Rule& rule : pickle_rules()) {
    if (rule.id == id) return rule;
  }
  HF_ASSERT(false);
  return pickle_rules().front();
}

// Reports how a pickle ended; true where the next may follow.
bool follows(PickleJob& job, PickleReader& reader, const PickleMachine& machine, PickleMachine::End end,
             std::uint64_t start, std::size_t index) {
  using enum PickleMachine::End;
  if (end == kStop) reader.expect_no_frame();
  if (const auto fault = reader.frame_fault()) {
    job.report(
        "pickle.reads-two-ways", *fault,
        "A frame does not end where an instruction does, and unpicklers differ in what they then read.");
  }
  reader.forget_frame();
  if (end == kStop) return true;
  if (end == kRefused || reader.error()) return false;
  if (index > 0) {
    if (end != kNothing) {
      job.report("pickle.trailing-data", start, "Bytes that are no whole pickle follow the pickle's end.");
    }
  } else if (end == kTruncated) {
    job.report("pickle.truncated", reader.position(),
               fmt::format("The pickle is cut off: {}.", machine.why()));
  } else {
    job.report("pickle.malformed", reader.position(),
               end == kNothing ? std::string("There is nothing in it.")
                               : fmt::format("No loader gets past this place: {}.", machine.why()));
  }
  return false;
}

}  // namespace

std::string_view to_string(PickleVerdict verdict) { return kVerdictNames[static_cast<std::size_t>(verdict)]; }

bool could_be_pickle(base::ByteView beginning) {
  using enum PickleOp;
  if (beginning.empty()) return false;
  const PickleOpInfo& info = info_of(beginning[0]);
  if (info.name.empty() || info.needs_stack) return false;
  return beginning[0] != static_cast<std::uint8_t>(kProto) || beginning.size() < 2 ||
         beginning[1] <= kHighestPickleProtocol;
}

PickleJob::PickleJob(const PickleOptions& how, std::string where, Findings& to, int nested_depth)
    : options(how),
      path(std::move(where)),
      findings(to),
      depth(nested_depth),
      heap(nested_depth > 0 ? PickleMachine::kNestedShare : 1),
      globals(how.allow == nullptr ? PickleAllowList::builtin() : *how.allow, how.container) {}

void PickleJob::report(std::string_view rule, std::optional<std::uint64_t> offset, std::string message) {
  const Rule& found = rule_of(rule);
  unsigned& times = repeats_[found.id];
  if (++times > kMaxRepeats) return;
  findings.add({.rule_id = std::string(rule),
                .severity = found.severity,
                .path = path,
                .offset = offset,
                .message = std::move(message)});
}

bool run_pickles(PickleJob& job, PickleReader& reader) {
  bool torch = false;
  bool whole_torch = false;
  std::size_t count = 0;
  for (;; ++count) {
    const std::uint64_t start = reader.position();
    const base::ByteView next = reader.peek(2);
    if (count > 0 && !next.empty() && !could_be_pickle(next)) {
      job.report("pickle.trailing-data", start, "Bytes that are no pickle follow the pickle's end.");
      break;
    }
    if (job.explainer != nullptr) job.explainer->begin();
    PickleMachine machine(job, reader);
    const PickleMachine::End end = machine.run();
    if (!follows(job, reader, machine, end, start, count)) break;
    torch = torch || (count == 0 && machine.result().is(PickleKind::kMagic));
    if (!torch || count + 1 != kTorchPickles) continue;
    if (!reader.skip(job.storage_bytes + kStorageCountBytes * job.storages.size())) {
      job.report("pickle.truncated", reader.position(), "The data of the tensors is cut off.");
      break;
    }
    whole_torch = true;
  }
  if (count > 1 && !torch) {
    job.report(
        "pickle.several", {},
        fmt::format("{} pickles stand one behind the other; most loaders read only the first.", count));
  }
  job.globals.report(job.path, job.findings);
  return whole_torch;
}

base::Result<PickleSummary> inspect_pickle(formats::Stream& stream, std::string_view path,
                                           const PickleOptions& options, Findings& findings) {
  PickleJob job(options, std::string(path), findings, /*nested_depth=*/0);
  PickleReader reader(stream);
  PickleExplainer explainer(options.max_program_bytes);
  if (options.max_program_bytes > 0) job.explainer = &explainer;
  run_pickles(job, reader);
  if (reader.error()) return base::fail(*reader.error());
  return PickleSummary{.globals = job.globals.summary(), .program = explainer.program()};
}

}  // namespace holdfast::inspect
