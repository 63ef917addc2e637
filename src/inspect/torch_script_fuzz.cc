#include "base/bytes.h"
#include "inspect/torch_script.h"

namespace inspect = holdfast::inspect;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = holdfast::base::as_text({data, size});
  inspect::Findings findings;
  inspect::TorchScript script;
  script.add(text, "f.py", findings);
  inspect::TorchScript::add_bytecode(text, "f.pkl", findings);
  script.finish(findings);
  return 0;
}
