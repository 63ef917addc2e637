#include "audit/tlog_proof.h"
#include "base/assert.h"

// A proof that parses comes back from its own text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast::audit;
  const auto text = holdfast::base::as_text({data, size});
  if (const auto proof = parse_tlog_proof(text)) HF_ASSERT(write_tlog_proof(*proof) == text);
  return 0;
}
