#include <cstdlib>

#include "formats/ubjson.h"
#include "inspect/tree_structure.h"

namespace base = holdfast::base;
namespace formats = holdfast::formats;
namespace inspect = holdfast::inspect;

// Each way of writing trees. UBJSON is only followed once its outline was read, as inspection does.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::ByteView bytes(data, size);
  const auto text = base::as_text(bytes);
  const auto json = inspect::check_xgboost_json(text);
  if (!json && json.error().message.empty()) std::abort();
  const auto lightgbm = inspect::check_lightgbm_text(text);
  if (!lightgbm && lightgbm.error().message.empty()) std::abort();
  if (const auto outline = formats::read_ubjson(formats::MemorySource(bytes))) {
    const auto whole = inspect::check_xgboost_ubjson(bytes.first(static_cast<std::size_t>(outline->size)));
    if (!whole && whole.error().message.empty()) std::abort();
  }
  return 0;
}
