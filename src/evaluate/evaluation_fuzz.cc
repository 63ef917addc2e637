#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "evaluate/evaluation.h"
#include "evaluate/gate.h"

// An evaluation that is accepted is written in one form, which reads back as the same, and makes evidence.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  using namespace holdfast::evaluate;
  const auto evaluation = parse_evaluation(holdfast::base::as_text({input, size}));
  if (!evaluation) return 0;
  const auto json = to_json(*evaluation);
  if (!json) std::abort();
  const auto again = parse_evaluation(*json);
  if (!again || *to_json(*again) != *json) std::abort();
  if (evaluation->figures.empty() != evidence_of(evaluation->figures).fields().empty()) std::abort();
  return 0;
}
