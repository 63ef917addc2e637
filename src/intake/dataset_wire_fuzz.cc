#include <cstdlib>

#include "intake/dataset_wire.h"

namespace intake = holdfast::intake;

// What is accepted is what the worker would say.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto survey = intake::decode_survey({data, size});
  if (!survey) return 0;
  const std::string again = intake::encode(survey);
  const auto read = intake::decode_survey(holdfast::base::as_bytes(again));
  if (!read || intake::encode(read) != again) std::abort();
  return 0;
}
