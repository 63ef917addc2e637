#pragma once

#include <string>
#include <variant>

#include "base/bytes.h"
#include "base/result.h"
#include "inspect/artefact.h"
#include "inspect/finding.h"

// What goes between inspector and worker: one request for each file (its path, with the open file beside it),
// then any number of findings and programs, then the coverage, which ends the answer. JSON, one value a
// frame.

namespace holdfast::intake {

enum class Verb {
  kInspect,
  kDescribe,  // answered by one frame of model_wire.h
  kSurvey,    // by one of dataset_wire.h
};

struct InspectRequest {
  std::string path;
  bool explain = false;  // whether pickles are written out
  bool weights = false;  // whether every number of tensors is looked at
  Verb verb = Verb::kInspect;
};

std::string encode(const InspectRequest& request);
base::Result<InspectRequest> decode_request(base::ByteView frame);

// The answer's last frame.
struct InspectDone {
  inspect::Coverage coverage;
  std::size_t findings_dropped = 0;
};

std::string encode(const inspect::Finding& finding);
std::string encode(const inspect::Program& program);
std::string encode(const inspect::Reference& reference);
std::string encode(const InspectDone& done);  // without its programs and references, which went before

using InspectAnswer = std::variant<inspect::Finding, inspect::Program, inspect::Reference, InspectDone>;
// Strict, since a hostile file may speak through the worker: kDataCorrupt for anything but a finding of a
// known rule or a program, of `path` or a member of it ("path!..."), a reference that stays below the folder,
// or a coverage.
base::Result<InspectAnswer> decode_answer(base::ByteView frame, const std::string& path);

}  // namespace holdfast::intake
