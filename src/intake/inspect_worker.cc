#include "intake/inspect_worker.h"

#include <cstdlib>

#include "formats/source.h"
#include "inspect/artefact.h"
#include "intake/dataset_wire.h"
#include "intake/inspect_wire.h"
#include "intake/model_wire.h"
#include "intake/rule_wire.h"
#include "supply/model_file.h"
#include "worker/child.h"

namespace holdfast::intake {
namespace {

base::Result<DatasetSurvey> survey(const formats::Source& csv) {
  HF_TRY(auto whole, data::survey_csv(csv, {}));
  return DatasetSurvey{.digest = whole.digest,
                       .rows = whole.rows,
                       .parts = whole.parts,
                       .schema = whole.profile.schema(),
                       .train_profile = std::move(whole.train_profile)};
}

// The parent keeps the time: it kills a worker that takes too long.
base::Result<> answer(worker::Channel& channel, worker::Frame frame) {
  HF_TRY(const InspectRequest request, decode_request(frame.bytes));
  HF_TRY(const auto file, formats::FileSource::adopt(std::move(frame.descriptor)));
  if (request.verb == Verb::kDescribe) {
    const auto description = encode(supply::describe_model(file, request.path));
    return channel.send(base::as_bytes(description), worker::kNoDeadline);
  }
  if (request.verb == Verb::kSurvey) {
    return channel.send(base::as_bytes(encode(survey(file))), worker::kNoDeadline);
  }
  inspect::Findings findings;
  const inspect::ArtefactOptions options{
      .max_programs = request.explain ? inspect::kMaxPrograms : 0,
      .weights = request.weights ? inspect::WeightDepth::kAll : inspect::WeightDepth::kStart};
  InspectDone done{.coverage = inspect::inspect_artefact(file, request.path, findings, options),
                   .findings_dropped = 0};
  done.findings_dropped = findings.dropped();
  for (const auto& finding : findings.items()) {
    HF_CHECK(channel.send(base::as_bytes(encode(finding)), worker::kNoDeadline));
  }
  for (const auto& program : done.coverage.programs) {
    HF_CHECK(channel.send(base::as_bytes(encode(program)), worker::kNoDeadline));
  }
  for (const auto& reference : done.coverage.references) {
    HF_CHECK(channel.send(base::as_bytes(encode(reference)), worker::kNoDeadline));
  }
  return channel.send(base::as_bytes(encode(done)), worker::kNoDeadline);
}

base::Result<> work() {
  HF_TRY(worker::Channel channel, worker::begin_work());
  while (true) {
    HF_TRY(auto frame, channel.receive(worker::kNoDeadline, worker::Descriptors::kAccept));
    if (!frame) return {};
    if (is_rule_frame(frame->bytes)) {
      HF_TRY(auto lists, decode_rules(frame->bytes));
      HF_CHECK(inspect::use_rule_lists(std::move(lists)));
      continue;
    }
    HF_CHECK(answer(channel, std::move(*frame)));
  }
}

}  // namespace

int run_inspect_worker() { return work() ? EXIT_SUCCESS : EXIT_FAILURE; }

}  // namespace holdfast::intake
