#include <cstdint>
#include <cstdlib>

#include "data/bins.h"
#include "data/schema.h"

// What a reader accepts, it writes in one form, which reads back as the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace data_module = holdfast::data;
  const std::string_view text = holdfast::base::as_text({data, size});
  if (const auto schema = data_module::parse_schema(text)) {
    const auto again = data_module::parse_schema(data_module::to_json(*schema));
    if (!again || *again != *schema) std::abort();
  }
  if (const auto bins = data_module::parse_reference_bins(text)) {
    const auto again = data_module::parse_reference_bins(data_module::to_json(*bins));
    if (!again || !(*again == *bins)) std::abort();
  }
  return 0;
}
