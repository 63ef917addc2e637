#include "intake/dataset_surveyor.h"

#include "intake/inspect_process.h"
#include "intake/inspect_wire.h"

namespace holdfast::intake {

using base::ErrorCode;

base::Result<DatasetSurvey> survey_dataset(const formats::FileSource& csv, const SurveyOptions& options) {
  HF_TRY(auto process, start_inspect_process(options.executable, options.memory_bytes, options.weakest_jail));
  const auto request = encode(InspectRequest{.path = "dataset", .verb = Verb::kSurvey});
  const auto time = options.least_time + std::chrono::seconds(csv.size() / kSlowestSurvey);
  const auto answer = process.exchange(base::as_bytes(request), worker::deadline_in(time), csv.descriptor());
  if (answer) return decode_survey(*answer);
  const bool ended =
      answer.error().code == ErrorCode::kUnavailable || answer.error().code == ErrorCode::kPermissionDenied;
  if (!ended) return base::fail(base::Error(answer.error()).within("reading the dataset"));
  return base::fail(ErrorCode::kInvalidArgument,
                    "the dataset ended the jailed process that read it: " + answer.error().message);
}

}  // namespace holdfast::intake
