#include "base/assert.h"
#include "trust/policy.h"

// A policy that parses names only signers that it has, and its patterns can be matched.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast;
  const auto text = base::as_text({data, size});
  const auto no_files = [](const std::filesystem::path&) -> base::Result<base::Bytes> {
    return base::fail(base::ErrorCode::kNotFound, "there are no files here");
  };
  const auto policy = trust::parse_trust_policy(text, "fuzz.toml", no_files);
  if (!policy) return 0;
  for (const auto& entry : policy->allowed) {
    HF_ASSERT(!entry.artefacts.empty() && !entry.signers.empty());
    for (const auto& name : entry.signers) HF_ASSERT(policy->signer(name).name == name);
    for (const auto& pattern : entry.artefacts) (void)trust::matches(pattern, text.substr(0, 1000));
  }
  return 0;
}
