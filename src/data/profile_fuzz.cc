#include <cstdint>
#include <cstdlib>

#include "data/csv_text.h"

// A profile that is accepted is written in one form, which reads back as the same; and any CSV gives such a
// profile.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  using namespace holdfast::data;
  const std::string_view text = holdfast::base::as_text({input, size});
  for (const auto& profile : {parse_profile(text), profile_of(text)}) {
    if (!profile) continue;
    const auto again = parse_profile(to_json(*profile));
    if (!again || !(*again == *profile)) std::abort();
    const auto schema = parse_schema(to_json(profile->schema()));
    if (!schema || *schema != profile->schema()) std::abort();
  }
  return 0;
}
