#include "base/bytes.h"
#include "inspect/model_config.h"
#include "inspect/notebook.h"

// Any text as a notebook and as each kind of configuration: no crash.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast;
  const std::string_view text = base::as_text({data, size});
  inspect::Findings findings;
  inspect::inspect_notebook(text, "fuzz", findings);
  inspect::inspect_json_config(text, "fuzz", findings);
  inspect::inspect_yaml_config(text, "fuzz", findings);
  return 0;
}
