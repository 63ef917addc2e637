#include "intake/model_describer.h"

#include "intake/inspect_process.h"
#include "intake/inspect_wire.h"
#include "intake/model_wire.h"

namespace holdfast::intake {

base::Result<supply::ModelDescription> ModelDescriber::describe(const formats::FileSource& file,
                                                                const std::string& name) {
  if (!worker_) {
    HF_TRY(auto process,
           start_inspect_process(options_.executable, options_.memory_bytes, options_.weakest_jail));
    worker_ = std::make_unique<worker::Process>(std::move(process));
  }
  const auto request = encode(InspectRequest{.path = name, .verb = Verb::kDescribe});
  const auto answer = worker_->exchange(base::as_bytes(request), worker::deadline_in(options_.time_per_file),
                                        file.descriptor());
  auto description = answer ? decode_description(*answer)
                            : base::Result<supply::ModelDescription>(base::fail(answer.error()));
  // A worker that says nothing of sense may have been taken over: the next file gets another.
  if (!description && description.error().code != base::ErrorCode::kUnsupported) worker_.reset();
  return description;
}

}  // namespace holdfast::intake
